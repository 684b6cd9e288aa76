"""A real node behind a proxy that loses, delays and cuts what passes."""

import asyncio
import dataclasses
import random
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ring import Consistency, RingClient, RingError, RingSettings, RingTimeoutError, Statement
from ring.control import fetch_state
from ring.transport import ConnectError, ConnectionOptions, Endpoint, connect
from tests.support.cql_tables import run_cql
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.scripted_ring import until

READ = Statement(
    "read_item",
    "SELECT name FROM items WHERE id = ?",
    Consistency.LOCAL_ONE,
    idempotent=True,
    many_cql="SELECT id, name FROM items WHERE id IN ?",
)


@pytest_asyncio.fixture
async def proxy(ring_settings: RingSettings) -> AsyncIterator[FaultProxy]:
    """A proxy before the ring's first node, and a table with one row."""
    await run_cql(
        ring_settings,
        "CREATE TABLE items (id bigint PRIMARY KEY, name text)",
        "INSERT INTO items (id, name) VALUES (1, 'one')",
    )
    async with fault_proxy(ring_settings.contact_points[0], ring_settings.cql_port) as started:
        yield started


@pytest_asyncio.fixture
async def client(proxy: FaultProxy, ring_settings: RingSettings) -> AsyncIterator[RingClient]:
    """A client that reaches one node, and that one through the proxy only."""
    endpoint = Endpoint(proxy.node_address, proxy.node_port)
    connection = await connect(endpoint, ConnectionOptions())
    try:
        state = await fetch_state(connection, ring_settings)
    finally:
        await connection.aclose()
    quick = dataclasses.replace(
        ring_settings, request_timeout_seconds=1.0, connect_timeout_seconds=1.0
    )
    opened = RingClient(quick, [READ])
    # Without a control connection: it would learn the node's own address.
    opened._membership.replace_state(proxy.alone(state))
    try:
        await opened.wait_ready(20.0)
        yield opened
    finally:
        await opened.aclose()


async def _is_well(client: RingClient, within_seconds: float) -> None:
    deadline_at = time.perf_counter() + within_seconds
    while True:
        try:
            row = await client.fetch_one(READ.name, (1,), timeout_seconds=0.3)
        except RingError:
            assert time.perf_counter() < deadline_at, "not well in time"
            await asyncio.sleep(0.02)
            continue
        assert row == ("one",)
        return


async def test_calls_when_packets_are_lost_then_time_out_and_all_is_well_soon_after(
    client: RingClient, proxy: FaultProxy
) -> None:
    """Half-open: each call ends at its deadline; two seconds after the loss ends reads work."""
    proxy.drops = True
    started = time.perf_counter()
    calls = (client.fetch_one(READ.name, (key,)) for key in range(300))
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert time.perf_counter() - started < 2.5
    assert all(isinstance(one, RingError) for one in ended)
    assert any(isinstance(one, RingTimeoutError) for one in ended)
    await asyncio.sleep(2.0)
    proxy.drops = False
    await _is_well(client, 2.0)
    await until(lambda: not any(node.in_flight for node in client.nodes.values()))
    await until(lambda: proxy.connections == 1)


async def test_calls_when_connection_is_cut_again_and_again_then_each_has_one_answer(
    client: RingClient, proxy: FaultProxy
) -> None:
    """The only node's connection ends under load: an error or the row, and soon rows again."""
    for _ in range(5):
        calls = [asyncio.create_task(client.fetch_one(READ.name, (1,))) for _ in range(100)]
        await asyncio.sleep(random.random() * 0.01)  # noqa: S311 - no secret
        proxy.cut()
        for one in await asyncio.gather(*calls, return_exceptions=True):
            assert one == ("one",) or isinstance(one, RingError)
        await _is_well(client, 2.0)
    await until(lambda: not any(node.in_flight for node in client.nodes.values()))


async def test_calls_when_node_is_far_away_then_all_are_served(
    client: RingClient, proxy: FaultProxy
) -> None:
    """A tenth of a second each way is slow, and no fault."""
    proxy.delay_seconds = 0.1
    rows = await asyncio.gather(*(client.fetch_one(READ.name, (1,)) for _ in range(200)))
    assert rows == [("one",)] * 200
    assert not any(node.telemetry.circuit_openings for node in client.nodes.values())


async def test_cancellations_when_packets_are_lost_then_nothing_is_left_of_them(
    client: RingClient, proxy: FaultProxy
) -> None:
    """Cancelled calls whose replies never come give back what they took."""
    proxy.drops = True
    calls = [asyncio.create_task(client.fetch_one(READ.name, (key,))) for key in range(400)]
    await asyncio.sleep(0.05)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert client.queued <= client.settings.queue_requests
    await asyncio.sleep(1.0)
    proxy.drops = False
    await _is_well(client, 3.0)
    await until(lambda: not any(node.in_flight for node in client.nodes.values()))
    assert client.queued == 0


async def test_connect_when_packets_are_lost_then_error_within_the_time_given(
    proxy: FaultProxy,
) -> None:
    """TCP is up and nobody answers."""
    proxy.drops = True
    started = time.perf_counter()
    with pytest.raises(ConnectError, match=r"no reply|no answer"):
        await connect(Endpoint(proxy.address, proxy.port), ConnectionOptions(), 0.3)
    assert time.perf_counter() - started < 1.0
