"""Every cell of every table with its time, for tests that compare what two loads left.

Read with queries of our own making: the columns come from Cassandra's schema, not from `etl/`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from ring import RingSettings
from ring.transport import CqlConnection, query
from tests.support.cql_tables import connected

RANGES: Final = 64
_BOOKKEEPING: Final = frozenset({"loads", "operation_locks"})
"""What loads say of themselves."""
LOADED: Final = frozenset(
    {
        *("products_by_id", "products_by_block", "product_directory", "legacy_carts_by_session"),
        *("reviews_by_product", "reviews_by_id", "review_meta_by_product"),
        *("questions_by_product", "questions_by_id", "answers_by_id"),
    }
)
"""What loads write; all other tables are the API's own."""
_DERIVED: Final = frozenset({"review_meta_by_product", "product_directory"})
"""Computed by each load from what is stored; the time is that of computing."""
_DERIVED_COLUMNS: Final = frozenset({"live_ids"})


@dataclass(frozen=True)
class TableDigests:
    """Of each range of tokens of one table: how many rows, and a digest of all their cells."""

    select: str
    ranges: tuple[tuple[int, str], ...]

    @property
    def rows(self) -> int:
        """Rows of the table."""
        return sum(rows for rows, _digest in self.ranges)


async def read_digests(
    settings: RingSettings, *, without: frozenset[str] = _BOOKKEEPING
) -> dict[str, TableDigests]:
    """Read all tables of a keyspace but some, through its first contact point."""
    digests: dict[str, TableDigests] = {}
    async with connected(settings) as connection:
        for table, select in (await _selects(connection, settings.keyspace, without)).items():
            ranges = [_digest(await _rows(connection, select, place)) for place in range(RANGES)]
            digests[table] = TableDigests(select, tuple(ranges))
    return digests


async def first_difference(
    one: RingSettings, other: RingSettings, table: TableDigests, found: TableDigests
) -> tuple[list[Any], list[Any]]:
    """Return the rows of the first differing range that only the one or only the other has."""
    pairs = zip(table.ranges, found.ranges, strict=True)
    place = next(place for place, (left, right) in enumerate(pairs) if left != right)
    both: list[list[str]] = []
    for settings in (one, other):
        async with connected(settings) as connection:
            both.append([repr(row) for row in await _rows(connection, table.select, place)])
    left, right = both
    return sorted(set(left) - set(right))[:3], sorted(set(right) - set(left))[:3]


async def _selects(
    connection: CqlConnection, keyspace: str, without: frozenset[str]
) -> Mapping[str, str]:
    """Return a query of every table, for one range of tokens."""
    columns = await query(
        connection,
        "SELECT table_name, column_name, kind, position FROM system_schema.columns"  # noqa: S608
        f" WHERE keyspace_name = '{keyspace}'",
    )
    tables = sorted({row["table_name"] for row in columns} - without)
    return {
        table: _select(table, [row for row in columns if row["table_name"] == table])
        for table in tables
    }


def _select(table: str, columns: Iterable[Mapping[str, Any]]) -> str:
    ordered = sorted(columns, key=lambda row: (row["position"], row["column_name"]))
    keys = [row["column_name"] for row in ordered if row["kind"] in {"partition_key", "clustering"}]
    cells = [row["column_name"] for row in ordered if row["column_name"] not in keys]
    timed = [] if table in _DERIVED else [one for one in cells if one not in _DERIVED_COLUMNS]
    wanted = ", ".join([*keys, *cells, *(f"writetime({name}) AS at_{name}" for name in timed)])
    token = ", ".join(row["column_name"] for row in ordered if row["kind"] == "partition_key")
    return (
        f"SELECT {wanted} FROM {table}"  # noqa: S608
        f" WHERE token({token}) >= {{low}} AND token({token}) <= {{high}}"
    )


async def _rows(connection: CqlConnection, select: str, place: int) -> list[dict[str, Any]]:
    """Return the rows of one range, in the order of their tokens and keys."""
    width = 2**64 // RANGES
    low = -(2**63) + place * width
    cql = select.format(low=low, high=low + width - 1)
    return await query(connection, cql, timeout_seconds=120.0)


def _digest(rows: list[dict[str, Any]]) -> tuple[int, str]:
    digest = sha256()
    for row in rows:
        digest.update(repr(row).encode())
    return len(rows), digest.hexdigest()
