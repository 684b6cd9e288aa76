"""What the local stack asks of a keyspace as a whole: which tables, any rows, empty them all."""

import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ring.client import RingClient
from ring.errors import RingError
from ring.nodes.errors import NodesError
from ring.settings import RingSettings
from ring.statements import Consistency, Statement

READY_SECONDS = 30.0
READ_SECONDS = 15.0
# Every node must flush and confirm; Cassandra itself gives up after 60 s.
TRUNCATE_SECONDS = 75.0
# What belongs to no data set. Another one must not lock out those who may change it, nor make the
# ring forget what was done to its nodes and what they still owe.
_KEPT = (
    "api_keys",
    "operation_locks",
    "ring_cleanups",
    "ring_journal",
    "ring_repairs",
    "ring_replications",
)


class TablesError(NodesError):
    """Cassandra did not do what was asked of the keyspace's tables."""


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """One table of the keyspace; dropped and created anew, it has another id."""

    name: str
    table_id: str


async def fetch_tables(settings: RingSettings) -> tuple[Table, ...]:
    """Return the keyspace's tables that hold a data set and what people did to it, by name.

    Consistency: ONE, on node-local system tables.

    Raises:
        TablesError: no node answers.
    """
    select = Statement(
        "select_tables",
        "SELECT table_name, id FROM system_schema.tables WHERE keyspace_name = ?",
        Consistency.ONE,
        idempotent=True,
    )
    async with _client(dataclasses.replace(settings, keyspace="system"), [select]) as client:
        rows = await client.execute(select.name, (settings.keyspace,), timeout_seconds=READ_SECONDS)
    return tuple(Table(str(name), str(table_id)) for name, table_id in rows if name not in _KEPT)


async def any_rows(settings: RingSettings, tables: Sequence[Table]) -> bool:
    """Whether any of the tables holds a row.

    Consistency: LOCAL_QUORUM.

    Raises:
        TablesError: too few nodes answer.
    """
    selects = [
        Statement(
            table.name,
            # Names come from Cassandra's own list of tables.
            f'SELECT * FROM "{table.name}" LIMIT 1',  # noqa: S608
            Consistency.LOCAL_QUORUM,
            idempotent=True,
        )
        for table in tables
    ]
    async with _client(settings, selects) as client:
        for select in selects:
            if await client.execute(select.name, timeout_seconds=READ_SECONDS):
                return True
    return False


async def truncate_tables(settings: RingSettings, tables: Sequence[Table]) -> None:
    """Empty the tables on every node.

    Raises:
        TablesError: a node is down or did not confirm.
    """
    truncates = [
        Statement(table.name, f'TRUNCATE "{table.name}"', Consistency.ALL, idempotent=True)
        for table in tables
    ]
    patient = dataclasses.replace(settings, request_timeout_seconds=TRUNCATE_SECONDS)
    async with _client(patient, truncates) as client:
        for truncate in truncates:
            await client.execute(truncate.name, timeout_seconds=TRUNCATE_SECONDS)


@asynccontextmanager
async def _client(
    settings: RingSettings, statements: Sequence[Statement]
) -> AsyncIterator[RingClient]:
    client = await RingClient.open(settings, statements)
    try:
        await client.wait_ready(READY_SECONDS)
        yield client
    except RingError as error:
        raise TablesError(
            f"keyspace {settings.keyspace}: {error}",
            advice="See which nodes are up with: catalog-ring status",
        ) from error
    finally:
        await client.aclose()
