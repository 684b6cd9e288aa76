"""The schema of keyspaces, as statements that make it anew."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ring.backups.manifest import BackedKeyspace, SchemaPart
from ring.operations.errors import OperationError
from ring.operations.reading import RingReader
from ring.operations.tables import literal, quote

# A table made anew gets an id of its own: files of the old one may still lie about.
_ID: Final = re.compile(r"\bID = [0-9a-f-]{36}\s+AND ")
# Columns that were dropped follow the table, for files may still hold cells of them.
_NEXT: Final = re.compile(r";\s*\n(?=ALTER TABLE )")
_VIEW: Final = "materialized_view"
_KEYSPACE: Final = "keyspace"


async def fetch_schema(reader: RingReader, keyspaces: Iterable[str]) -> tuple[BackedKeyspace, ...]:
    """Return keyspaces with all that is in them. Consistency: ONE, of one node.

    Raises:
        OperationError: no node answers, or a keyspace has what cannot be restored.
    """
    found = []
    for name in keyspaces:
        rows = await reader.run_cql(
            "SELECT replication FROM system_schema.keyspaces"  # noqa: S608 - a literal
            f" WHERE keyspace_name = {literal(name)}"
        )
        if not rows:
            raise OperationError(f"there is no keyspace {name}", advice="See: catalog-ring status")
        described = await reader.run_cql(f"DESCRIBE KEYSPACE {quote(name)} WITH INTERNALS")
        parts = tuple(part for row in described for part in schema_parts(row))
        views = [part.name for part in parts if part.kind == _VIEW]
        if views:
            raise OperationError(
                f"keyspace {name} has materialized views, which restoring would not fill: "
                f"{', '.join(views)}",
                advice="Replace them by tables of their own.",
            )
        replication = {str(key): str(value) for key, value in rows[0]["replication"].items()}
        found.append(BackedKeyspace(name, replication, parts))
    return tuple(found)


def schema_parts(row: Mapping[str, Any]) -> Iterator[SchemaPart]:
    """Yield the statements of one row of DESCRIBE, but that of the keyspace itself."""
    kind, name = str(row["type"]), str(row["name"])
    if kind == _KEYSPACE:
        return
    for statement in _NEXT.split(str(row["create_statement"])):
        is_table = statement.startswith("CREATE TABLE")
        cql = _ID.sub("", statement, count=1) if is_table else statement
        yield SchemaPart("alter" if cql.startswith("ALTER") else kind, name, cql.rstrip("; \n"))
