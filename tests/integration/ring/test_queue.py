"""The queue before the nodes, and what is left when callers or the client go away."""

import asyncio
import gc
import random
import time

import pytest

from ring import (
    RingClient,
    RingError,
    RingOverloadedError,
    RingTimeoutError,
    RingUnavailableError,
)
from tests.support.scripted_actions import (
    ADD,
    READ,
    STATEMENTS,
    WRITE,
    Answer,
    Forget,
    Silence,
    value_of,
)
from tests.support.scripted_node import ScriptedNode
from tests.support.scripted_ring import asked, open_client, scripted_ring, until

pytestmark = pytest.mark.timeout(60)


async def test_queue_when_full_then_refused_at_once_with_time_to_retry(
    nodes: list[ScriptedNode],
) -> None:
    """What does not fit is told so instead of timing out."""
    for node in nodes:
        node.default = Silence()
    bounds = {"max_in_flight": 2, "queue_requests": 3, "request_timeout_seconds": 0.5}
    async with open_client(nodes, **bounds) as client:
        calls = [asyncio.create_task(client.execute(WRITE.name, (key,))) for key in range(20)]
        started = time.perf_counter()
        done, waiting = await asyncio.wait(calls, timeout=0.2)
        assert time.perf_counter() - started < 0.4
        assert len(waiting) == 3 * 2 + 3
        for call in done:
            error = call.exception()
            assert isinstance(error, RingOverloadedError)
            assert error.retry_after_seconds >= 1
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(one) for one in ended} == {RingTimeoutError}


async def test_queue_when_all_nodes_die_then_calls_in_it_end_at_once(
    nodes: list[ScriptedNode],
) -> None:
    """Nobody waits for its deadline when no node is left to wait for."""
    for node in nodes:
        node.default = Silence()
    async with open_client(nodes, max_in_flight=2, request_timeout_seconds=30.0) as client:
        calls = [asyncio.create_task(client.execute(WRITE.name, (key,))) for key in range(20)]
        await until(lambda: client.queued == 20 - 3 * 2)
        started = time.perf_counter()
        for node in nodes:
            await node.stop()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert time.perf_counter() - started < 2.0
        assert {type(one) for one in ended} == {RingUnavailableError}


async def test_queue_when_its_calls_are_cancelled_then_their_places_are_free(
    nodes: list[ScriptedNode],
) -> None:
    """A cancelled call behind a waiting one takes no place from others."""
    for node in nodes:
        node.default = Silence()
    async with open_client(nodes, max_in_flight=1, queue_requests=4) as client:
        calls = [asyncio.create_task(client.execute(WRITE.name, (key,))) for key in range(7)]
        await until(lambda: client.queued == 4)
        for call in calls[4:]:
            call.cancel()
        await until(lambda: client.queued == 1)
        await asyncio.gather(*calls, return_exceptions=True)


async def test_calls_when_all_nodes_are_dead_then_unavailable_quickly_and_back_without_restart(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """No call waits for its deadline; two seconds after the first node is back all is well."""
    for node in nodes:
        await node.stop()
    await until(lambda: not any(node.is_connected for node in client.nodes.values()))
    started = time.perf_counter()
    for key in range(50):
        with pytest.raises(RingUnavailableError):
            await client.execute(READ.name, (key,))
    assert time.perf_counter() - started < 0.5
    await nodes[1].start()
    started = time.perf_counter()
    await until(lambda: any(node.is_connected for node in client.nodes.values()), 2.0)
    assert await client.fetch_one(READ.name, (1,)) == (value_of(1),)
    assert time.perf_counter() - started < 2.0


async def test_client_when_closed_with_calls_outstanding_then_each_has_an_error(
    nodes: list[ScriptedNode],
) -> None:
    """Sent, queued and being prepared again: nobody is left waiting, and closing is quick."""
    async with open_client(nodes, max_in_flight=4, request_timeout_seconds=30.0) as client:
        for node in nodes:
            node.default = Silence()
            node.script.append(Forget())
        calls = [
            asyncio.create_task(client.execute(name, (key,)))
            for key in range(20)
            for name in (READ.name, WRITE.name, ADD.name)
        ]
        await until(lambda: asked(nodes) > 6)
        started = time.perf_counter()
        await client.aclose()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert time.perf_counter() - started < 1.5
        assert all(isinstance(one, RingError) for one in ended)
        with pytest.raises(RingUnavailableError):
            await client.execute(READ.name, (1,))


async def test_cancellations_when_ten_thousand_come_at_random_then_nothing_is_left_of_them() -> (
    None
):
    """No stream id, future, task or connection is leaked: counts before and after are equal."""
    asyncio.get_running_loop().set_debug(False)  # which would take a minute
    async with scripted_ring(3) as nodes, open_client(nodes, max_in_flight=64) as client:
        for node in nodes:
            node.default = Answer(0.001)
        await asyncio.gather(*(client.execute(READ.name, (key,)) for key in range(100)))
        before = _counts(client, nodes)
        cancelled = 0
        while cancelled < 10_000:
            calls = [
                asyncio.create_task(client.execute(random.choice(STATEMENTS).name, (key,)))  # noqa: S311
                for key in range(250)
            ]
            for call in random.sample(calls, 200):
                await asyncio.sleep(0) if random.random() < 0.2 else None  # noqa: S311
                cancelled += call.cancel()
            ended = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(one, list | RingError | asyncio.CancelledError) for one in ended)
        await until(lambda: not any(node.in_flight for node in client.nodes.values()))
        gc.collect()
        # A probe's second connection may still be closing.
        await until(lambda: _counts(client, nodes) == before)
        assert await client.fetch_one(READ.name, (1,)) == (value_of(1),)
        assert not any(node.violations for node in nodes)


def _counts(client: RingClient, nodes: list[ScriptedNode]) -> dict[str, int]:
    connections = [node.connection for node in client.nodes.values() if node.connection]
    return {
        "connections": sum(len(node.connections) for node in nodes),
        "streams": sum(one.streams_in_use for one in connections),
        "pending": sum(len(one.pending) for one in connections),
        "queued": client.queued,
        "in flight": sum(node.in_flight for node in client.nodes.values()),
        "waiting": sum(len(list(node.outbox.waiting())) for node in client.nodes.values()),
        "slots": sum(node.outbox._slots_taken for node in client.nodes.values()),
        "tasks": len(asyncio.all_tasks()),
    }
