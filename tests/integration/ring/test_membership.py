"""Nodes, keyspaces and contact points that come and go."""

import asyncio
import time

import pytest

from ring import (
    Consistency,
    RingClient,
    RingRequestError,
    RingTimeoutError,
    RingUnavailableError,
)
from ring.transport import (
    Endpoint,
)
from tests.integration.ring.conftest import PATIENCE
from tests.support.scripted_actions import (
    ADD,
    READ,
    READ_ALONE,
    STATEMENTS,
    WRITE,
    Answer,
    Silence,
    value_of,
)
from tests.support.scripted_node import ScriptedNode
from tests.support.scripted_ring import asked, first_of, open_client, settings_of, until

pytestmark = pytest.mark.timeout(60)


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
    leaving = first_of(client, nodes, 1)
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
    assert asked(nodes) == 0


async def test_replication_when_it_is_being_changed_then_nothing_is_read_from_one_replica(
    nodes: list[ScriptedNode],
) -> None:
    """A replica that is being filled has no rows yet; afterwards one replica is enough again."""

    async def levels(client: RingClient) -> set[int]:
        for node in nodes:
            node.executions.clear()
        await client.fetch_one(READ.name, (1,))
        await client.fetch_one(READ_ALONE.name, (1,))
        await client.fetch_many(READ.name, range(30))
        await asyncio.gather(*(client.fetch_one(READ.name, (key,)) for key in range(40)))
        return {one.level for node in nodes for one in node.executions}

    async with open_client(nodes, topology_refresh_seconds=0.05, **PATIENCE) as client:
        assert await levels(client) == {Consistency.LOCAL_ONE}
        for is_filling, level in ((True, Consistency.LOCAL_QUORUM), (False, Consistency.LOCAL_ONE)):
            for node in nodes:
                node.is_filling = is_filling
            await until(
                lambda wanted=is_filling: (  # type: ignore[misc]
                    client.state is not None and client.state.is_filling == wanted
                )
            )
            assert await levels(client) == {level}
            # What a node prepares again keeps the level.
            nodes[0].known.clear()
            assert await levels(client) == {level}
    async with open_client(nodes) as client:
        assert await levels(client) == {Consistency.LOCAL_ONE}


async def test_client_when_it_starts_while_replicas_are_filled_then_it_knows_at_once(
    nodes: list[ScriptedNode],
) -> None:
    """Not even its first read is from one replica."""
    for node in nodes:
        node.is_filling = True
    async with open_client(nodes, **PATIENCE) as client:
        await client.fetch_one(READ.name, (1,))
        assert [one.level for node in nodes for one in node.executions] == [
            Consistency.LOCAL_QUORUM
        ]
