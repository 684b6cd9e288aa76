"""What the ring client does when the wire goes wrong: real sockets and frames, scripted nodes."""

import asyncio
import gc
import random
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ring import (
    RingClient,
    RingError,
    RingOverloadedError,
    RingRequestError,
    RingTimeoutError,
    RingUnavailableError,
)
from ring.transport import (
    ConnectError,
    ConnectionOptions,
    Endpoint,
    ProtocolViolationError,
    connect,
    execute,
    prepare,
)
from tests.support import cql_frames as cql
from tests.support.scripted_node import (
    ADD,
    READ,
    READ_ALONE,
    STATEMENTS,
    WRITE,
    Answer,
    Cut,
    Forget,
    Refuse,
    Reply,
    ScriptedNode,
    Send,
    Silence,
    open_client,
    scripted_ring,
    settings_of,
    until,
    value_of,
)

pytestmark = pytest.mark.timeout(60)


@pytest_asyncio.fixture
async def nodes() -> AsyncIterator[list[ScriptedNode]]:
    """A ring of three."""
    async with scripted_ring(3) as started:
        yield started


@pytest_asyncio.fixture
async def client(nodes: list[ScriptedNode]) -> AsyncIterator[RingClient]:
    """A client that knows all three."""
    async with open_client(nodes) as opened:
        yield opened


def _asked(nodes: list[ScriptedNode]) -> int:
    return sum(len(node.executions) for node in nodes)


def _first_of(client: RingClient, nodes: list[ScriptedNode], key: int) -> ScriptedNode:
    """The node that a read of this key goes to first."""
    prepared = client._bound[READ.name].prepared
    route = client._membership.routing.route(prepared.encode((key,))[1])
    endpoint = route.replicas[0].endpoint
    return next(node for node in nodes if Endpoint(node.address, node.port) == endpoint)


async def test_reads_when_many_wait_then_they_share_frames_and_each_gets_its_row(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """Fewer frames than keys, no frame above its bound, and a null for a key without a row."""
    keys = [*range(-5, 150)]
    rows = await asyncio.gather(*(client.fetch_one(READ.name, (key,)) for key in keys))
    assert rows == [None if value_of(key) is None else (value_of(key),) for key in keys]
    assert _asked(nodes) < len(keys)
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
    await until(lambda: _asked(nodes) == 1)
    await client.execute(READ.name, (7,))
    await first
    assert _asked(nodes) == 2


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
    assert _asked(nodes) == 1


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


@pytest.mark.parametrize("code", [0x1001, 0x1002, 0x0000, 0x1000, 0x1200, 0x1300])
async def test_read_when_a_node_is_unwell_then_the_next_one_serves_it(
    nodes: list[ScriptedNode], client: RingClient, code: int
) -> None:
    """Errors that another coordinator may not have."""
    _first_of(client, nodes, 1).script.append(Refuse(code))
    assert await client.fetch_one(READ.name, (1,)) == (value_of(1),)
    assert _asked(nodes) == 2


@pytest.mark.parametrize("code", [0x2000, 0x2100, 0x2200, 0x2300, 0x1400, 0x7777])
async def test_read_when_statement_is_wrong_then_request_error_at_once(
    nodes: list[ScriptedNode], client: RingClient, code: int
) -> None:
    """It would fail everywhere, so nobody else is asked."""
    _first_of(client, nodes, 1).script.append(Refuse(code))
    with pytest.raises(RingRequestError):
        await client.fetch_one(READ.name, (1,))
    assert _asked(nodes) == 1


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
        await until(lambda: _asked(nodes) > 0)
        for node in nodes:
            node.default = Answer()
        rows = await client.execute(READ_ALONE.name, (1,), timeout_seconds=0.5)
        assert rows == [(value_of(1),)]
        await asyncio.gather(*held, return_exceptions=True)


@pytest.mark.parametrize(
    "fault",
    [
        Cut(),
        Cut(after_half=True),
        Send(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        Send(cql.frame(2000, cql.RESULT, cql.void())),
        Reply(0x55, b"??"),
    ],
    ids=["cut", "cut in half", "http", "unasked stream", "unknown opcode"],
)
async def test_read_when_node_cuts_or_sends_garbage_then_next_node_serves_it(
    nodes: list[ScriptedNode], client: RingClient, fault: Cut | Send | Reply
) -> None:
    """And the node is back in service a moment later."""
    _first_of(client, nodes, 1).script.append(fault)
    assert await client.fetch_one(READ.name, (1,)) == (value_of(1),)
    await until(lambda: all(n.is_connected and not n.circuit_open for n in client.nodes.values()))


async def test_write_when_not_idempotent_and_connection_is_cut_then_error_and_no_second_try(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """It may have been applied."""
    for node in nodes:
        node.script.append(Cut())
    with pytest.raises(RingUnavailableError):
        await client.execute(ADD.name, (1,))
    assert _asked(nodes) == 1


async def test_write_when_not_idempotent_and_node_refused_before_doing_then_tried_elsewhere(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """Overloaded says that nothing was done."""
    _first_of(client, nodes, 1).script.append(Refuse(0x1001))
    assert await client.execute(ADD.name, (1,)) == []
    assert _asked(nodes) == 2


async def test_write_when_not_idempotent_and_slow_then_never_sent_twice(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """No second node is asked, whatever the first one's silence looks like."""
    for node in nodes:
        node.default = Answer(0.6)
    await client.execute(ADD.name, (1,), timeout_seconds=3.0)
    assert _asked(nodes) == 1


async def test_statement_when_forgotten_then_prepared_once_more_for_all_that_wait(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """A node that has lost its prepared statements costs one PREPARE each, and no error."""
    for node in nodes:
        node.known.clear()
        node.prepares.clear()
    await asyncio.gather(*(client.execute(WRITE.name, (key,)) for key in range(50)))
    assert all(node.prepares in ([], [WRITE.cql]) for node in nodes)
    assert not any(node.violations for node in nodes)


async def test_statement_when_node_never_knows_it_then_next_node_and_no_endless_preparing(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """A node that calls the statement by another name than we do."""
    first = _first_of(client, nodes, 1)
    first.default = Forget()
    first.prepares.clear()
    assert await client.fetch_one(READ.name, (1,)) == (value_of(1),)
    assert len(first.prepares) <= 2


async def test_deadline_when_statement_is_being_prepared_then_kept(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """The node forgets the statement and freezes before it has learnt it again."""
    for node in nodes:
        node.default = Forget(freezes=True)
    started = time.perf_counter()
    with pytest.raises(RingTimeoutError):
        await client.execute(ADD.name, (1,), timeout_seconds=0.4)
    assert time.perf_counter() - started < 1.0
    assert _asked(nodes) == 1


async def test_reads_when_first_node_is_frozen_then_no_error_and_soon_no_delay(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """Reads go to the other replicas; once the node is out of service without any delay."""
    await asyncio.gather(*(client.fetch_one(READ.name, (key,)) for key in range(60)))
    nodes[0].freeze()
    await asyncio.gather(*(client.fetch_one(READ.name, (key,)) for key in range(200)))
    await until(lambda: any(node.circuit_open for node in client.nodes.values()))
    started = time.perf_counter()
    await asyncio.gather(*(client.fetch_one(READ.name, (key,)) for key in range(200)))
    assert time.perf_counter() - started < 0.2
    nodes[0].thaw()
    await until(lambda: not any(n.circuit_open for n in client.nodes.values()), 2.0)


async def test_reads_when_two_nodes_freeze_one_after_the_other_then_third_serves(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """A call that failed over to a node that then freezes too fails over once more."""
    first = _first_of(client, nodes, 1)
    second_and_third = [node for node in nodes if node is not first]
    first.freeze()
    call = asyncio.create_task(client.fetch_one(READ.name, (1,), timeout_seconds=5.0))
    for node in second_and_third:
        node.default = Silence()
    await until(lambda: any(node.executions for node in second_and_third))
    second = next(node for node in second_and_third if node.executions)
    third = next(node for node in second_and_third if node is not second)
    second.freeze()
    third.default = Answer()
    assert await call == (value_of(1),)


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
        assert live.in_flight == 2
        await until(lambda: live.in_flight == 0)
        await until(lambda: live.is_connected)
        assert await client.fetch_one(READ.name, (3,)) == (value_of(3),)


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


async def test_node_when_it_leaves_the_ring_then_its_calls_end_well_and_new_ones_go_elsewhere(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """Removed at run time without a failed call, and added again."""
    leaving = nodes[2]
    leaving.default = Answer(0.2)
    calls = [asyncio.create_task(client.execute(WRITE.name, (key,))) for key in range(60)]
    await asyncio.sleep(0.02)
    for node in nodes:
        node.ring = nodes[:2]
    for node in nodes[:2]:
        node.tell("SCHEMA_CHANGE")
    await until(lambda: len(client.nodes) == 2)
    assert await asyncio.gather(*calls) == [[]] * 60
    before = len(leaving.executions)
    await asyncio.gather(*(client.execute(WRITE.name, (key,)) for key in range(60)))
    assert len(leaving.executions) == before
    for node in nodes:
        node.ring = nodes
        node.tell("SCHEMA_CHANGE")
    await until(lambda: len(client.nodes) == 3)


async def test_deadline_when_node_left_the_ring_with_the_call_then_kept(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """A call at a node that has left is still watched."""
    leaving = _first_of(client, nodes, 1)
    leaving.default = Silence()
    call = asyncio.create_task(client.execute(ADD.name, (1,), timeout_seconds=0.6))
    await until(lambda: bool(leaving.executions))
    for node in nodes:
        node.ring = [one for one in nodes if one is not leaving or one is node]
        node.tell("SCHEMA_CHANGE")
    started = time.perf_counter()
    with pytest.raises(RingTimeoutError):
        await call
    assert time.perf_counter() - started < 1.0


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
        await until(lambda: _asked(nodes) > 6)
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
        assert _counts(client, nodes) == before
        assert await client.fetch_one(READ.name, (1,)) == (value_of(1),)
        assert not any(node.violations for node in nodes)


def _counts(client: RingClient, nodes: list[ScriptedNode]) -> dict[str, int]:
    connections = [node.connection for node in client.nodes.values() if node.connection]
    return {
        "connections": sum(len(node.connections) for node in nodes),
        "free streams": sum(len(one._free_streams) for one in connections),
        "pending": sum(len(one.pending) for one in connections),
        "queued": client.queued,
        "in flight": sum(node.in_flight for node in client.nodes.values()),
        "waiting": sum(len(list(node.outbox.waiting())) for node in client.nodes.values()),
        "slots": sum(node.outbox._slots_taken for node in client.nodes.values()),
        "tasks": len(asyncio.all_tasks()),
    }


async def test_keyspace_when_created_after_the_start_then_client_recovers_by_itself(
    nodes: list[ScriptedNode],
) -> None:
    """Without it a call is refused with a reason; with it all is well a moment later."""
    for node in nodes:
        node.keyspace_exists = False
    client = await RingClient.open(settings_of(nodes), STATEMENTS)
    try:
        with pytest.raises(RingUnavailableError, match="does not exist"):
            await client.wait_ready(0.3)
        with pytest.raises(RingUnavailableError):
            await client.execute(READ.name, (1,))
        for node in nodes:
            node.keyspace_exists = True
        await client.wait_ready(2.0)
        assert await client.fetch_one(READ.name, (1,)) == (value_of(1),)
    finally:
        await client.aclose()


async def test_contact_point_when_it_is_a_name_then_ring_is_learnt_through_it() -> None:
    """The node's own address takes its place."""
    node = ScriptedNode("127.0.0.1")
    await node.start()
    try:
        async with open_client([node], contact_points=("localhost",)) as client:
            assert await client.fetch_one(READ.name, (1,)) == (value_of(1),)
            assert list(client.nodes) == [Endpoint("127.0.0.1", node.port)]
    finally:
        await node.stop()


@pytest.mark.parametrize("name", ["no.such.host.invalid", "a" * 300, "127.0.41.99"])
async def test_contact_point_when_one_is_unreachable_then_another_is_used(
    nodes: list[ScriptedNode], name: str
) -> None:
    """A name that does not resolve, one that cannot be a name, and a port where nobody listens."""
    async with open_client(nodes, contact_points=(name, nodes[1].address)) as client:
        # The contact points share a port, which is the first node's; see `settings_of`.
        assert client.state is not None


async def test_datacenter_when_no_node_stands_in_it_then_message_says_which_there_are(
    nodes: list[ScriptedNode],
) -> None:
    """A misspelt setting is told from a dead ring."""
    client = await RingClient.open(settings_of(nodes, local_datacenter="dc9"), STATEMENTS)
    try:
        with pytest.raises(RingUnavailableError, match=r"dc9.*dc1"):
            await client.wait_ready(0.5)
    finally:
        await client.aclose()


async def test_statement_when_its_name_or_values_are_wrong_then_request_error(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """Refused before anything is sent."""
    with pytest.raises(RingRequestError, match="no statement"):
        await client.execute("select_nothing", ())
    with pytest.raises(RingRequestError, match="markers"):
        await client.execute(READ.name, (1, 2))
    with pytest.raises(RingRequestError, match="value 1"):
        await client.execute(READ.name, ("x",))
    assert _asked(nodes) == 0


async def test_connect_when_node_never_answers_then_error_in_time_and_no_socket_left(
    nodes: list[ScriptedNode],
) -> None:
    """Half-open from the start; the same when the caller gives up first."""
    nodes[0].freeze()
    endpoint = Endpoint(nodes[0].address, nodes[0].port)
    with pytest.raises(ConnectError, match=r"no answer in time|no reply"):
        await connect(endpoint, ConnectionOptions(), 0.1)
    connecting = asyncio.create_task(connect(endpoint, ConnectionOptions(), 5.0))
    await asyncio.sleep(0.05)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    await until(lambda: not nodes[0].connections)


@pytest.mark.parametrize("body", [b"", b"\0\0\0\1", b"\0\0\0\4\0\1", bytes(50)])
async def test_prepare_when_reply_is_nonsense_then_violation(
    nodes: list[ScriptedNode], body: bytes
) -> None:
    """Whatever stands in the place of a prepared statement is no other error than ours."""
    node = nodes[0]
    connection = await connect(Endpoint(node.address, node.port), ConnectionOptions())
    try:
        prepared = await prepare(connection, READ.cql)
        assert (await execute(connection, prepared, [1], consistency=1)).rows == [(value_of(1),)]
        node.prepare_reply = body
        with pytest.raises(ProtocolViolationError):
            await prepare(connection, READ.cql)
    finally:
        await connection.aclose()
