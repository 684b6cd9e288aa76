"""What a connection held is free when it ends, without the collector of cycles.

App servers collect rarely, and a client knocks at a dead node a few times a second for hours.
"""

import contextlib
import gc
from collections.abc import Iterator

import pytest

from ring.transport import ConnectError, ConnectionOptions, CqlConnection, Endpoint, connect
from tests.support.scripted_node import ScriptedNode
from tests.support.scripted_ring import until


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """Nothing is freed but by its last reference."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive() -> int:
    """How many connections there are in this process."""
    return sum(isinstance(one, CqlConnection) for one in gc.get_objects())


async def test_connections_when_closed_then_freed(nodes: list[ScriptedNode]) -> None:
    """Closed in good order, or by the node."""
    before = alive()
    endpoint = Endpoint(nodes[0].address, nodes[0].port)
    for _ in range(5):
        connection = await connect(endpoint, ConnectionOptions())
        await connection.aclose()
        connection = await connect(endpoint, ConnectionOptions())
        await nodes[0].stop()
        await connection.closed
        await nodes[0].start()
    del connection
    await until(lambda: alive() == before)


async def test_connections_when_refused_then_freed(nodes: list[ScriptedNode]) -> None:
    """A dead node costs nothing that stays."""
    before = alive()
    await nodes[0].stop()
    for _ in range(20):
        with contextlib.suppress(ConnectError):
            await connect(Endpoint(nodes[0].address, nodes[0].port), ConnectionOptions())
    await until(lambda: alive() == before)
