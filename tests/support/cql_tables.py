"""Tables of a test's own, in the keyspace of the test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ring.settings import RingSettings
from ring.transport import ConnectionOptions, CqlConnection, Endpoint, connect, query

_SCHEMA_VERBS = ("CREATE", "ALTER", "DROP")


async def run_cql(settings: RingSettings, *statements: str) -> list[dict[str, Any]]:
    """Run statements through the first contact point, one after the other.

    After a change of the schema all nodes know it.

    Returns:
        The rows of the last.
    """
    rows: list[dict[str, Any]] = []
    async with connected(settings) as connection:
        for cql in statements:
            rows = await query(connection, cql, timeout_seconds=60.0)
            if cql.startswith(_SCHEMA_VERBS):
                await _agree(connection)
    return rows


@asynccontextmanager
async def connected(settings: RingSettings) -> AsyncIterator[CqlConnection]:
    """Connect to the first contact point."""
    options = ConnectionOptions(
        keyspace=settings.keyspace,
        username=settings.username or None,
        password=settings.read_password() or None,
        tls=settings.tls_context(),
    )
    endpoint = Endpoint(settings.contact_points[0], settings.cql_port)
    connection = await connect(endpoint, options, 10.0)
    try:
        yield connection
    finally:
        await connection.aclose()


async def _agree(connection: CqlConnection) -> None:
    async with asyncio.timeout(30.0):
        while True:
            local = await query(connection, "SELECT schema_version FROM system.local")
            peers = await query(connection, "SELECT schema_version FROM system.peers_v2")
            if len({row["schema_version"] for row in (*local, *peers)}) == 1:
                return
            await asyncio.sleep(0.05)
