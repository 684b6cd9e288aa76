"""Nodes that refuse, cut, forget, freeze or send garbage: who is asked next, and who never is."""

import asyncio
import time

import pytest

from ring import (
    RingClient,
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
from tests.support.scripted_actions import (
    ADD,
    READ,
    WRITE,
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
from tests.support.scripted_ring import asked, first_of, until

pytestmark = pytest.mark.timeout(60)


@pytest.mark.parametrize("code", [0x1001, 0x1002, 0x0000, 0x1000, 0x1200, 0x1300])
async def test_read_when_a_node_is_unwell_then_the_next_one_serves_it(
    nodes: list[ScriptedNode], client: RingClient, code: int
) -> None:
    """Errors that another coordinator may not have."""
    first_of(client, nodes, 1).script.append(Refuse(code))
    assert await client.fetch_one(READ.name, (1,)) == (value_of(1),)
    assert asked(nodes) == 2


@pytest.mark.parametrize("code", [0x2000, 0x2100, 0x2200, 0x2300, 0x1400, 0x7777])
async def test_read_when_statement_is_wrong_then_request_error_at_once(
    nodes: list[ScriptedNode], client: RingClient, code: int
) -> None:
    """It would fail everywhere, so nobody else is asked."""
    first_of(client, nodes, 1).script.append(Refuse(code))
    with pytest.raises(RingRequestError):
        await client.fetch_one(READ.name, (1,))
    assert asked(nodes) == 1


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
    first_of(client, nodes, 1).script.append(fault)
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
    assert asked(nodes) == 1


async def test_write_when_not_idempotent_and_node_refused_before_doing_then_tried_elsewhere(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """Overloaded says that nothing was done."""
    first_of(client, nodes, 1).script.append(Refuse(0x1001))
    assert await client.execute(ADD.name, (1,)) == []
    assert asked(nodes) == 2


async def test_write_when_not_idempotent_and_slow_then_never_sent_twice(
    nodes: list[ScriptedNode], client: RingClient
) -> None:
    """No second node is asked, whatever the first one's silence looks like."""
    for node in nodes:
        node.default = Answer(0.6)
    await client.execute(ADD.name, (1,), timeout_seconds=3.0)
    assert asked(nodes) == 1


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
    first = first_of(client, nodes, 1)
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
    assert asked(nodes) == 1


async def test_reads_when_first_node_is_frozen_then_no_error_and_soon_no_delay(
    nodes: list[ScriptedNode], hasty_client: RingClient
) -> None:
    """Reads go to the other replicas; once the node is out of service without any delay."""
    await asyncio.gather(*(hasty_client.fetch_one(READ.name, (key,)) for key in range(60)))
    nodes[0].freeze()
    await asyncio.gather(*(hasty_client.fetch_one(READ.name, (key,)) for key in range(200)))
    await until(lambda: any(node.circuit_open for node in hasty_client.nodes.values()))
    started = time.perf_counter()
    await asyncio.gather(*(hasty_client.fetch_one(READ.name, (key,)) for key in range(200)))
    assert time.perf_counter() - started < 1.0
    nodes[0].thaw()
    await until(lambda: not any(n.circuit_open for n in hasty_client.nodes.values()))


async def test_reads_when_two_nodes_freeze_one_after_the_other_then_third_serves(
    nodes: list[ScriptedNode], hasty_client: RingClient
) -> None:
    """A call that failed over to a node that then freezes too fails over once more."""
    first = first_of(hasty_client, nodes, 1)
    second_and_third = [node for node in nodes if node is not first]
    first.freeze()
    call = asyncio.create_task(hasty_client.fetch_one(READ.name, (1,), timeout_seconds=5.0))
    for node in second_and_third:
        node.default = Silence()
    await until(lambda: any(node.executions for node in second_and_third))
    second = next(node for node in second_and_third if node.executions)
    third = next(node for node in second_and_third if node is not second)
    second.freeze()
    third.default = Answer()
    assert await call == (value_of(1),)


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
