"""For any sequence of node events and replies, every caller gets exactly one answer."""

import asyncio
import logging
import random
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ring import RingClient, RingError
from ring.transport import Endpoint
from tests.support import cql_frames as cql
from tests.support.scripted_actions import (
    ADD,
    READ,
    READ_ALONE,
    WRITE,
    Action,
    Answer,
    Cut,
    Forget,
    Refuse,
    Reply,
    Send,
    Silence,
    value_of,
)
from tests.support.scripted_node import ScriptedNode
from tests.support.scripted_ring import open_client, scripted_ring, until

TIMEOUT_SECONDS = 0.3
# A call may be looked at one tick late, and two cores are shared with other work.
LATE_SECONDS = 2.0
MAX_IN_FLIGHT = 8
QUEUE_REQUESTS = 16
READ_SLOTS = 2
MAX_KEYS = 4

ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.just(Answer()),
    st.builds(Answer, st.floats(0.001, 0.1)),
    st.builds(Refuse, st.sampled_from(cql.ERROR_CODES)),
    st.builds(Send, st.binary(min_size=1, max_size=40)),
    st.builds(Reply, st.integers(0, 0x10), st.binary(max_size=30)),
    st.builds(Reply, st.just(cql.RESULT), st.binary(max_size=30), st.integers(0, 0x0F)),
    st.just(Reply(cql.RESULT, cql.rows([[b"another", b"row"]], 2))),
    st.just(Send(cql.frame(1234, cql.RESULT, cql.void()))),
    st.just(Silence()),
    st.just(Forget()),
    st.builds(Cut, st.booleans()),
)
EVENTS = st.sampled_from(["freeze", "freeze", "thaw", "stop", "start", "leave", "join", "pause"])


@dataclass(frozen=True)
class Step:
    """Calls that start together, and what happens to a node after it, or to all of them."""

    statement: str
    keys: tuple[int, ...]
    cancelled: frozenset[int]
    node: int | None
    event: str


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([READ.name, READ.name, READ_ALONE.name, WRITE.name, ADD.name]),
        # A few keys again and again, or so many that all places and the queue are taken.
        st.lists(st.integers(-3, 5), min_size=1, max_size=10).map(tuple)
        | st.integers(20, 60).map(lambda count: tuple(range(count))),
        st.frozensets(st.integers(0, 39), max_size=5),
        st.sampled_from([0, 1, 2, None]),
        EVENTS,
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.timeout(300)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # What takes seconds to fail takes an hour to shrink.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(steps=STEPS, scripts=st.tuples(*[st.lists(ACTIONS, max_size=25)] * 3))
def test_calls_when_nodes_misbehave_in_any_way_then_each_has_one_answer(
    steps: list[Step], scripts: tuple[list[Action], ...], caplog: pytest.LogCaptureFixture
) -> None:
    """Every call ends once and in time: with the rows of its own key, or with an error of ours."""
    caplog.clear()
    with caplog.at_level(logging.CRITICAL, "ring"):
        asyncio.run(_play(steps, scripts))
    assert not [record for record in caplog.records if record.name == "asyncio"]


async def _play(steps: list[Step], scripts: tuple[list[Action], ...]) -> None:
    async with scripted_ring(3) as nodes:
        bounds = {
            "max_in_flight": MAX_IN_FLIGHT,
            "queue_requests": QUEUE_REQUESTS,
            "read_slots": READ_SLOTS,
            "max_keys": MAX_KEYS,
        }
        async with open_client(nodes, request_timeout_seconds=TIMEOUT_SECONDS, **bounds) as client:
            for node, script in zip(nodes, scripts, strict=True):
                node.script.extend(script)
            calls = [call for step in steps for call in await _take(step, client, nodes)]
            done, left = await asyncio.wait(calls, timeout=TIMEOUT_SECONDS + LATE_SECONDS)
            assert not left, f"{len(left)} calls have no answer: {client}"
            _check_bounds(client, nodes)
            await _check_recovery(client, nodes)
        assert all(
            call.cancelled() or isinstance(call.exception(), RingError | None) for call in done
        )
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not others, "the client left tasks behind"


async def _take(
    step: Step, client: RingClient, nodes: list[ScriptedNode]
) -> list["asyncio.Task[None]"]:
    calls = [asyncio.create_task(_call(client, step.statement, key)) for key in step.keys]
    # Some are cancelled before they run, others while they are queued, sent or answered.
    await asyncio.sleep(random.choice([0, 0, 0.002, 0.02]))  # noqa: S311 - no secret
    for index in step.cancelled:
        if index < len(calls):
            calls[index].cancel()
    if step.event == "pause":
        await asyncio.sleep(0.05)
    for node in nodes if step.node is None else [nodes[step.node]]:
        await _befall(node, step.event, nodes)
    return calls


async def _befall(node: ScriptedNode, event: str, nodes: list[ScriptedNode]) -> None:
    if event == "freeze":
        node.freeze()
    elif event == "thaw":
        node.thaw()
    elif event == "stop":
        await node.stop()
    elif event == "start" and not node.is_listening:
        await node.start()
    elif event in ("leave", "join"):
        _change_ring(nodes, node, joins=event == "join")


def _change_ring(nodes: list[ScriptedNode], changed: ScriptedNode, *, joins: bool) -> None:
    for node in nodes:
        node.ring = [one for one in nodes if joins or one is not changed or one is node]
        node.tell("SCHEMA_CHANGE")


async def _call(client: RingClient, statement: str, key: int) -> None:
    """Run one call; what it returns must be its own key's."""
    rows = await client.execute(statement, (key,))
    if statement in (READ.name, READ_ALONE.name):
        value = value_of(key)
        # A node may lie in a well-formed way (an empty or foreign result): that is believed.
        assert rows in ([] if value is None else [(value,)], []) or rows == [(b"another", b"row")]


def _check_bounds(client: RingClient, nodes: list[ScriptedNode]) -> None:
    assert client.queued <= QUEUE_REQUESTS
    for node in nodes:
        assert not node.violations
        assert all(len(execution.keys) <= MAX_KEYS for execution in node.executions)
    for live in client.nodes.values():
        assert live.telemetry.frames_by_write.counts[-1] == 0
        assert live.window <= MAX_IN_FLIGHT


async def _check_recovery(client: RingClient, nodes: list[ScriptedNode]) -> None:
    """When all nodes are well again, so is the client, and nothing is left outstanding."""
    for node in nodes:
        node.script.clear()
        node.thaw()
        node.ring = nodes
        if not node.is_listening:
            await node.start()
        node.tell("SCHEMA_CHANGE")

    def is_well() -> bool:
        return set(client.nodes) == {Endpoint(node.address, node.port) for node in nodes} and all(
            live.is_connected and not live.circuit_open for live in client.nodes.values()
        )

    await until(is_well, within_seconds=10.0)
    for key in range(5):
        assert await client.fetch_one(READ.name, (key,), timeout_seconds=5.0) == (value_of(key),)
