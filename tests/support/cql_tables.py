"""Tables of a test's own, in the keyspace of the test."""

from collections.abc import Sequence
from typing import Any

from ring.settings import RingSettings
from ring.transport import ConnectionOptions, Endpoint, connect, query


async def run_cql(settings: RingSettings, *statements: str) -> list[dict[str, Any]]:
    """Run statements through the first contact point, one after the other.

    Returns:
        The rows of the last.
    """
    options = ConnectionOptions(
        keyspace=settings.keyspace,
        username=settings.username or None,
        password=settings.read_password() or None,
        tls=settings.tls_context(),
    )
    endpoint = Endpoint(settings.contact_points[0], settings.cql_port)
    connection = await connect(endpoint, options, 10.0)
    rows: Sequence[dict[str, Any]] = []
    try:
        for cql in statements:
            rows = await query(connection, cql, timeout_seconds=60.0)
    finally:
        await connection.aclose()
    return list(rows)
