"""Reads that wait together: who shares a frame with whom, and who never suffers for it."""

import asyncio
import time

import pytest

from ring import (
    RingClient,
    RingRequestError,
    RingTimeoutError,
)
from ring.transport import (
    Endpoint,
    ErrorCode,
)
from tests.support import cql_frames as cql
from tests.support.scripted_actions import (
    READ,
    READ_ALONE,
    Answer,
    Refuse,
    Reply,
    Silence,
    value_of,
)
from tests.support.scripted_node import ScriptedNode
from tests.support.scripted_ring import asked, open_client, until

pytestmark = pytest.mark.timeout(60)


async def test_reads_when_many_wait_then_they_share_frames_and_each_gets_its_row(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """Fewer frames than keys, no frame above its bound, and a null for a key without a row."""
    keys = [*range(-5, 150)]
    rows = await asyncio.gather(*(client.fetch_one(READ.name, (key,)) for key in keys))
    assert rows == [None if value_of(key) is None else (value_of(key),) for key in keys]
    assert asked(nodes) < len(keys)
    sizes = [len(execution.keys) for node in nodes for execution in node.executions]
    assert max(sizes) <= client.settings.max_keys


async def test_reads_when_keys_are_equal_and_wait_then_read_once(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """A hundred callers, one frame of one key, and each has a list of its own."""
    answers = await asyncio.gather(*(client.execute(READ.name, (7,)) for _ in range(100)))
    assert answers == [[(value_of(7),)]] * 100
    assert [e.keys for node in nodes for e in node.executions] == [(7,)]
    answers[0].clear()
    assert answers[1] == [(value_of(7),)]


async def test_read_when_equal_one_was_already_sent_then_it_is_sent_again(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """What was written before a read starts is seen by it."""
    for node in nodes:
        node.default = Answer(0.05)
    first = asyncio.create_task(client.execute(READ.name, (7,)))
    await until(lambda: asked(nodes) == 1)
    await client.execute(READ.name, (7,))
    await first
    assert asked(nodes) == 2


async def test_reads_when_some_of_those_joined_are_cancelled_then_others_are_served(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """The first to ask gives up; those that joined it do not notice."""
    calls = [asyncio.create_task(client.execute(READ.name, (3,))) for _ in range(10)]
    await asyncio.sleep(0)
    calls[0].cancel()
    calls[5].cancel()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(one, asyncio.CancelledError) for one in ended) == 2
    assert sum(one == [(value_of(3),)] for one in ended) == 8
    assert asked(nodes) == 1


async def test_deadline_when_callers_joined_then_each_keeps_its_own(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """One read, two callers: the impatient one ends early, the patient one gets the row."""
    for node in nodes:
        node.default = Answer(0.3)
    impatient = asyncio.create_task(client.execute(READ.name, (3,), timeout_seconds=0.1))
    patient = asyncio.create_task(client.execute(READ.name, (3,), timeout_seconds=2.0))
    started = time.perf_counter()
    with pytest.raises(RingTimeoutError):
        await impatient
    assert time.perf_counter() - started < 0.25
    assert await patient == [(value_of(3),)]


async def test_reads_when_one_frame_fails_then_its_keys_go_on_alone(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """One bad key does not fail its neighbours."""
    for node in nodes:
        node.script.extend([Answer(0.02)] * 4 + [Refuse(0x1300)] * 2)
    keys = range(60)
    rows = await asyncio.gather(*(client.fetch_one(READ.name, (key,)) for key in keys))
    assert rows == [(value_of(key),) for key in keys]


async def test_reads_when_rows_cannot_be_read_then_its_keys_go_on_alone(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """The same for a well-framed reply of nonsense."""
    for node in nodes:
        node.script.extend([Answer(0.02)] * 4 + [Reply(cql.RESULT, b"\0\0\0\2nonsense")] * 2)
    keys = range(60)
    rows = await asyncio.gather(*(client.fetch_one(READ.name, (key,)) for key in keys))
    assert rows == [(value_of(key),) for key in keys]


async def test_reads_alone_when_all_slots_are_taken_then_they_are_sent_all_the_same(
    nodes: list[ScriptedNode],
) -> None:
    """They take no slot and must not wait for one that nobody frees."""
    async with open_client(nodes, read_slots=1, max_keys=4) as client:
        for node in nodes:
            node.default = Silence()
        held = [asyncio.create_task(client.execute(READ.name, (key,))) for key in range(6)]
        await until(lambda: asked(nodes) > 0)
        for node in nodes:
            node.default = Answer()
        rows = await client.execute(READ_ALONE.name, (1,), timeout_seconds=0.5)
        assert rows == [(value_of(1),)]
        await asyncio.gather(*held, return_exceptions=True)


async def test_reads_when_node_never_answers_some_then_their_slots_are_freed_again(
    nodes: list[ScriptedNode],
) -> None:
    """A node that loses requests and answers others keeps no slot, and not the connection."""
    node = nodes[0]
    node.ring = [node]
    patience = {"read_slots": 2, "request_timeout_seconds": 0.2, "unanswered_seconds": 1.0}
    async with open_client([node], **patience) as client:
        node.script.extend([Silence(), Silence()])
        for key in (1, 2):
            with pytest.raises(RingTimeoutError):
                await client.execute(READ.name, (key,))
        assert await client.fetch_one(READ.name, (3,)) == (value_of(3),)
        live = client.nodes[Endpoint(node.address, node.port)]
        connection = live.connection
        await until(lambda: live.in_flight == 0)
        await until(lambda: live.is_connected and live.connection is not connection)
        assert await client.fetch_one(READ.name, (3,)) == (value_of(3),)


async def test_many_when_read_at_once_then_one_request_to_each_keys_first_replica(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """No key twice, no key without a row, and no node is asked more than once."""
    keys = [*range(-5, 300)]
    rows = await client.fetch_many(READ.name, keys)
    assert sorted(rows) == [(key, value_of(key)) for key in keys if value_of(key) is not None]
    assert [len(node.executions) for node in nodes] == [1] * len(nodes)
    asked_of = {key: place for place, node in enumerate(nodes) for key in node.executions[0].keys}
    assert sorted(asked_of) == keys
    for key in keys[:20]:
        before = [len(node.executions) for node in nodes]
        await client.fetch_one(READ.name, (key,))
        after = [len(node.executions) for node in nodes]
        assert after[asked_of[key]] == before[asked_of[key]] + 1
    assert await client.fetch_many(READ.name, []) == []
    with pytest.raises(RingRequestError, match="one key at a time"):
        await client.fetch_many(READ_ALONE.name, keys)


async def test_many_when_a_node_refuses_then_another_answers_for_it(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """Overloaded nodes were not busy with it: the next one gets the whole request."""
    nodes[0].default = Refuse(ErrorCode.OVERLOADED)
    keys = [*range(1, 100)]
    rows = await client.fetch_many(READ.name, keys)
    assert sorted(rows) == [(key, value_of(key)) for key in keys if value_of(key) is not None]
