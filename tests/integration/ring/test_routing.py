"""Routing proved by Cassandra's own traces: with one replica, only the owner takes part."""

import dataclasses
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ring import Consistency, RingClient, RingSettings, Statement
from tests.support.cql_tables import run_cql
from tests.support.scripted_ring import until
from tests.support.traced_requests import nodes_of_trace, trace_requests

pytestmark = pytest.mark.timeout(180)

READ = Statement(
    "read_item",
    "SELECT name FROM items WHERE id = ?",
    Consistency.LOCAL_ONE,
    idempotent=True,
    many_cql="SELECT id, name FROM items WHERE id IN ?",
)
WRITE = Statement(
    "write_event",
    "INSERT INTO events (kind, day, seq) VALUES (?, ?, ?)",
    Consistency.LOCAL_QUORUM,
    idempotent=True,
)
KEYS = range(-12, 12)


@pytest_asyncio.fixture
async def client(ring_settings: RingSettings) -> AsyncIterator[RingClient]:
    """A client of a keyspace whose rows have one replica each."""
    keyspace = f"{ring_settings.keyspace}_one"
    # A busy machine must not make a second node take part.
    settings = dataclasses.replace(
        ring_settings,
        keyspace=keyspace,
        speculative_min_seconds=30.0,
        speculative_max_seconds=30.0,
    )
    options = "{'class': 'NetworkTopologyStrategy', 'replication_factor': 1}"
    await run_cql(
        ring_settings,
        f"CREATE KEYSPACE {keyspace} WITH replication = {options}",
        f"USE {keyspace}",
        "CREATE TABLE items (id bigint PRIMARY KEY, name text) WITH read_repair = 'NONE'",
        "CREATE TABLE events (kind text, day int, seq bigint, PRIMARY KEY ((kind, day), seq))",
    )
    opened = await RingClient.open(settings, [READ, WRITE])
    try:
        await opened.wait_ready(30.0)
        await until(lambda: all(node.is_connected for node in opened.nodes.values()), 30.0)
        yield opened
    finally:
        await opened.aclose()
        await run_cql(ring_settings, f"DROP KEYSPACE {keyspace}")


async def test_calls_when_rows_have_one_replica_then_only_the_owner_takes_part(
    client: RingClient, ring_settings: RingSettings
) -> None:
    """Reads by one bigint and writes by a composite key: the coordinator is the only source."""
    traces = trace_requests(client)
    for key in KEYS:
        await client.fetch_one(READ.name, (key,))
        await client.execute(WRITE.name, (f"kind {key}", key, key))
    assert len(traces) == 2 * len(KEYS)
    coordinators: Counter[str] = Counter()
    for trace in traces:
        coordinator, sources = await nodes_of_trace(ring_settings, trace)
        assert sources == {coordinator}
        coordinators[coordinator] += 1
    # Every node owned some of them, so no node was asked for all.
    assert set(coordinators) == {node.endpoint.address for node in client.nodes.values()}
