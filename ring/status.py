"""Prints the ring as a client sees it."""

import asyncio
from collections.abc import Iterator

from ring.client import RingClient
from ring.settings import RingSettings
from ring.topology import RingNode
from ring.transport import Endpoint

_CONNECT_SECONDS = 1.0


async def describe_ring(
    settings: RingSettings, *, timeout_seconds: float
) -> tuple[list[str], bool]:
    """Look at the ring through a client of its own.

    Returns:
        The lines to print, and whether every node of the local datacenter is in service.

    Raises:
        RingUnavailableError: no contact point told of the ring in time.
    """
    client = await RingClient.open(settings, [])
    try:
        await client.wait_ready(timeout_seconds)
        # The other nodes were learnt a moment ago: let their connections come about.
        await asyncio.sleep(min(_CONNECT_SECONDS, timeout_seconds))
        return list(_lines(client)), all(node.is_connected for node in client.nodes.values())
    finally:
        await client.aclose()


def _lines(client: RingClient) -> Iterator[str]:
    state = client.state
    if state is None:
        return
    yield f"{'address':<24}{'datacenter':<14}{'rack':<10}{'tokens':>6}  {'version':<10}state"
    for ring_node in state.nodes:
        node = client.nodes.get(Endpoint(ring_node.address, ring_node.port))
        in_service = node is not None and node.is_connected
        problem = "not known to the client" if node is None else node.problem
        yield _line(ring_node, "in service" if in_service else f"out: {problem}")
    for ring_node in state.remote_nodes:
        yield _line(ring_node, "another datacenter's: never asked")
    versions = {node.schema_version for node in (*state.nodes, *state.remote_nodes)}
    yield f"schema versions: {', '.join(sorted(versions))}"


def _line(node: RingNode, state: str) -> str:
    return (
        f"{f'{node.address}:{node.port}':<24}{node.datacenter:<14}{node.rack:<10}"
        f"{len(node.tokens):>6}  {node.release_version:<10}{state}"
    )
