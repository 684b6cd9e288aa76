"""Rings of scripted nodes, and clients of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from ring import RingClient, RingSettings
from tests.support.scripted_actions import READ, STATEMENTS
from tests.support.scripted_node import ScriptedNode

_TOKENS_OF_A_NODE: Final = 8


@asynccontextmanager
async def scripted_ring(count: int) -> AsyncIterator[list[ScriptedNode]]:
    """So many nodes on 127.0.41.1 and following, every one of which knows all the others."""
    nodes = [ScriptedNode(f"127.0.41.{number}") for number in range(1, count + 1)]
    span = 2**64 // (count * _TOKENS_OF_A_NODE)
    for index, node in enumerate(nodes):
        node.ring = nodes
        node.tokens = tuple(
            -(2**63) + span * (step * count + index) for step in range(_TOKENS_OF_A_NODE)
        )
    try:
        for node in nodes:
            # One port for all, as in a ring of Cassandra nodes.
            node.port = nodes[0].port
            await node.start()
        yield nodes
    finally:
        for node in nodes:
            await node.stop()


def settings_of(nodes: Sequence[ScriptedNode], **overrides: object) -> RingSettings:
    """Settings that reach scripted nodes, with clocks as short as a test wants them."""
    quick: dict[str, object] = {
        "contact_points": (nodes[0].address,),
        "cql_port": nodes[0].port,
        "keyspace": "ks",
        "request_timeout_seconds": 1.0,
        "connect_timeout_seconds": 0.5,
        "probe_seconds": 0.05,
        "reconnect_max_seconds": 0.1,
    }
    return RingSettings(**(quick | overrides))  # type: ignore[arg-type]


@asynccontextmanager
async def open_client(
    nodes: Sequence[ScriptedNode], **overrides: object
) -> AsyncIterator[RingClient]:
    """A client of scripted nodes that is connected to all of them."""
    client = await RingClient.open(settings_of(nodes, **overrides), STATEMENTS)
    try:
        await client.wait_ready(5.0)
        await until(lambda: all(node.is_connected for node in client.nodes.values()))
        yield client
    finally:
        await client.aclose()


async def until(claim: Callable[[], bool], within_seconds: float = 5.0) -> None:
    """Wait until something is so; fail when it is not in time."""
    async with asyncio.timeout(within_seconds):
        while not claim():  # noqa: ASYNC110 - a test waits for what has no event
            await asyncio.sleep(0.005)


def asked(nodes: Sequence[ScriptedNode]) -> int:
    """How many EXECUTE frames came, at all nodes together."""
    return sum(len(node.executions) for node in nodes)


def first_of(client: RingClient, nodes: Sequence[ScriptedNode], key: int) -> ScriptedNode:
    """The node that a read of this key goes to first."""
    prepared = client._catalogue.find(READ.name).prepared
    route = client._membership.routing.route(prepared.encode((key,))[1])
    address = route.replicas[0].endpoint.address
    return next(node for node in nodes if node.address == address)
