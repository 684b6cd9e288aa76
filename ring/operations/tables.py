"""The tables of keyspaces as Cassandra's schema tells them, and CQL that reads any of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ring.backups.manifest import BackedTable
from ring.operations.reading import RingReader

BOOKKEEPING: Final = frozenset(
    {"operation_locks", "ring_cleanups", "ring_journal", "ring_replications"}
)
"""The ring's own books: true of the ring in which they stand and of no other."""
_OWN: Final = "system"


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        folder: of its files, below its keyspace's.
        key: columns of the partition key, in order.
        clustering: clustering columns, in order.
        cells: all other columns, static ones too, by name.
        types: CQL type of every column.
        time_to_live: seconds that its rows live unless a write says otherwise; 0: for ever.
    """

    keyspace: str
    name: str
    folder: str
    key: tuple[str, ...]
    clustering: tuple[str, ...]
    cells: tuple[str, ...]
    types: Mapping[str, str] = field(hash=False)
    time_to_live: int

    @property
    def full_name(self) -> str:
        """Keyspace and name, as CQL has them."""
        return f"{quote(self.keyspace)}.{quote(self.name)}"

    @property
    def token(self) -> str:
        """The token of its rows, as CQL has it."""
        return f"token({', '.join(map(quote, self.key))})"

    def unlike(self, other: BackedTable) -> str:
        """Say why files of a backed-up table cannot become this one's; empty when they can.

        What this one has besides is no hindrance.
        """
        for mine, theirs in ((self.key, other.key), (self.clustering, other.clustering)):
            if mine != theirs:
                return f"its key is {', '.join(mine)} and not {', '.join(theirs)}"
        for name, kind in other.types.items():
            if self.types.get(name) != kind:
                return f"its column {name} is {self.types.get(name, 'missing')} and not {kind}"
        return ""


def quote(name: str) -> str:
    """Return a name as CQL has it, whatever letters it has."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as CQL has it."""
    return "'" + text.replace("'", "''") + "'"


async def fetch_keyspaces(reader: RingReader) -> list[str]:
    """Return the names of all keyspaces that are not Cassandra's own.

    Raises:
        OperationError: no node answers.
    """
    rows = await reader.run_cql("SELECT keyspace_name FROM system_schema.keyspaces")
    names = sorted(str(row["keyspace_name"]) for row in rows)
    return [name for name in names if name != _OWN and not name.startswith(f"{_OWN}_")]


async def fetch_tables(reader: RingReader, keyspaces: Iterable[str]) -> list[Table]:
    """Return the tables of some keyspaces, by name.

    Raises:
        OperationError: no node answers.
    """
    tables = []
    for keyspace in keyspaces:
        where = f"WHERE keyspace_name = {literal(keyspace)}"
        columns = await reader.run_cql(
            "SELECT table_name, column_name, kind, position, type"  # noqa: S608 - a literal
            f" FROM system_schema.columns {where}"
        )
        rows = await reader.run_cql(
            "SELECT table_name, id, default_time_to_live"  # noqa: S608 - a literal
            f" FROM system_schema.tables {where}"
        )
        tables += [_table(keyspace, row, columns) for row in rows]
    return sorted(tables, key=lambda table: (table.keyspace, table.name))


def _table(
    keyspace: str, row: Mapping[str, Any], all_columns: Sequence[Mapping[str, Any]]
) -> Table:
    name = str(row["table_name"])
    columns = sorted(
        (column for column in all_columns if column["table_name"] == name),
        key=lambda column: (int(column["position"]), str(column["column_name"])),
    )

    def names(*kinds: str) -> tuple[str, ...]:
        return tuple(str(one["column_name"]) for one in columns if one["kind"] in kinds)

    return Table(
        keyspace=keyspace,
        name=name,
        folder=f"{name}-{row['id'].hex}",
        key=names("partition_key"),
        clustering=names("clustering"),
        cells=tuple(sorted(names("static", "regular"))),
        types={str(one["column_name"]): str(one["type"]) for one in columns},
        time_to_live=int(row["default_time_to_live"]),
    )
