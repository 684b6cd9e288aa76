"""The schema of a backup, made in a ring where it is missing."""

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Final

from ring.backups.manifest import Manifest, SchemaPart
from ring.operations.context import Context
from ring.operations.errors import OperationError
from ring.operations.tables import fetch_tables, literal, quote
from ring.operations.view import RingView

USUAL_FACTOR: Final = 3
_AGREE_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.5
_CREATE: Final = re.compile(
    r"CREATE (?:CUSTOM )?(?:TABLE|TYPE|INDEX|FUNCTION|AGGREGATE) (?!IF NOT EXISTS)"
)
_ALTER: Final = "alter"
_TABLE: Final = "table"
_INDEX: Final = "index"


def fitting_replication(view: RingView, factor: int) -> dict[str, str]:
    """Return the replication that fits a ring: `factor` in each datacenter, or one a node.

    Args:
        view: the ring.
        factor: 0 for the usual three.
    """
    nodes = [node.datacenter for node in view.members]
    return {"class": "NetworkTopologyStrategy"} | {
        datacenter: str(min(factor or USUAL_FACTOR, nodes.count(datacenter)))
        for datacenter in sorted(set(nodes))
    }


async def fetch_replication(context: Context, keyspace: str) -> Mapping[str, str] | None:
    """Return a keyspace's replication as Cassandra tells it; None where there is no keyspace.

    Raises:
        OperationError: no node answers.
    """
    rows = await context.reader.run_cql(
        "SELECT replication FROM system_schema.keyspaces"  # noqa: S608 - a literal
        f" WHERE keyspace_name = {literal(keyspace)}"
    )
    return {str(k): str(v) for k, v in rows[0]["replication"].items()} if rows else None


async def create_tables(context: Context, manifest: Manifest, factor: int) -> None:
    """Create what is missing of a backup's keyspaces but indexes, and wait until the nodes agree.

    What is there stays as it is, its replication too.

    Raises:
        OperationError: a statement was refused, or the nodes did not agree in time.
    """
    view = await context.reader.read()
    for keyspace in manifest.keyspaces:
        if await fetch_replication(context, keyspace.name) is None:
            pairs = fitting_replication(view, factor).items()
            options = ", ".join(f"{literal(key)}: {literal(value)}" for key, value in pairs)
            await context.reader.run_cql(
                f"CREATE KEYSPACE IF NOT EXISTS {quote(keyspace.name)}"
                f" WITH replication = {{{options}}}"
            )
        tables = await fetch_tables(context.reader, [keyspace.name])
        there = {table.name for table in tables}
        kind = ""
        for part in keyspace.parts:
            if part.kind == _INDEX or (part.kind in {_TABLE, _ALTER} and part.name in there):
                continue
            if part.kind != kind:
                # A node may hear of a table before it hears of a type of its columns.
                await _agree(context)
                kind = part.kind
            await context.reader.run_cql(repeatable(part))
    await _agree(context)


async def create_indexes(context: Context, manifest: Manifest) -> None:
    """Create what is missing of a backup's indexes; nodes then build them.

    Raises:
        OperationError: a statement was refused, or the nodes did not agree in time.
    """
    for keyspace in manifest.keyspaces:
        for part in keyspace.parts:
            if part.kind == _INDEX:
                await context.reader.run_cql(repeatable(part))
    await _agree(context)


async def drop_indexes(context: Context, keyspace: str, table: str) -> None:
    """Drop the indexes of a table that rows are streamed into: `create_indexes` makes them again.

    Cassandra 5.0 refuses a whole SSTable without its part of a storage-attached index.

    Raises:
        OperationError: a statement was refused, or the nodes did not agree in time.
    """
    names = (await fetch_indexes(context, keyspace)).get(table, ())
    for name in names:
        await context.reader.run_cql(f"DROP INDEX IF EXISTS {quote(keyspace)}.{quote(name)}")
    if names:
        await _agree(context)


async def fetch_indexes(context: Context, keyspace: str) -> dict[str, list[str]]:
    """Return the names of a keyspace's indexes, by table.

    Raises:
        OperationError: no node answers.
    """
    rows = await context.reader.run_cql(
        "SELECT table_name, index_name FROM system_schema.indexes"  # noqa: S608 - a literal
        f" WHERE keyspace_name = {literal(keyspace)}"
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(str(row["table_name"]), []).append(str(row["index_name"]))
    return found


def repeatable(part: SchemaPart) -> str:
    """Return a statement that does nothing where its thing is there already."""
    found = _CREATE.match(part.cql)
    return f"{found[0]}IF NOT EXISTS {part.cql[found.end() :]}" if found else part.cql


async def _agree(context: Context) -> None:
    deadline = time.monotonic() + _AGREE_SECONDS
    while len((await context.reader.read()).schema_versions) > 1:
        if time.monotonic() > deadline:
            raise OperationError(
                f"the nodes do not agree on the schema after {_AGREE_SECONDS:.0f} s",
                advice="See catalog-ring status; then run this again.",
            )
        await asyncio.sleep(_POLL_SECONDS)
