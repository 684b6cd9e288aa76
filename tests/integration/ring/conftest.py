"""Every test of the ring client runs on both loops, and may leave nothing behind."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import pytest_asyncio
import uvloop

from ring import RingClient
from tests.support.scripted_node import ScriptedNode
from tests.support.scripted_ring import open_client, scripted_ring

# Two cores are shared with three Cassandra nodes: only what takes longer than this blocks the loop.
BLOCKING_SECONDS = 3.0
# For tests that count what was sent: a busy machine must not look like a slow or silent node.
PATIENCE = {
    "speculative_min_seconds": 30.0,
    "speculative_max_seconds": 30.0,
    "request_timeout_seconds": 10.0,
}


@pytest.hookimpl
def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run each test under asyncio's own loop and under uvloop."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest_asyncio.fixture(autouse=True)
async def nothing_left_behind(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """No task outlives the test, nothing blocks the loop, no exception goes unseen."""
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = BLOCKING_SECONDS
    before = asyncio.all_tasks()
    yield
    gc.collect()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before | {asyncio.current_task()}
    complaints = [record for record in caplog.records if record.name == "asyncio"]
    assert not [one.getMessage() for one in complaints if one.levelno >= logging.WARNING]


@pytest_asyncio.fixture
async def nodes() -> AsyncIterator[list[ScriptedNode]]:
    """A ring of three."""
    async with scripted_ring(3) as started:
        yield started


@pytest_asyncio.fixture
async def client(nodes: list[ScriptedNode]) -> AsyncIterator[RingClient]:
    """A client that knows all three and is never in a hurry to ask a second one."""
    async with open_client(nodes, **PATIENCE) as opened:
        yield opened


@pytest_asyncio.fixture
async def hasty_client(nodes: list[ScriptedNode]) -> AsyncIterator[RingClient]:
    """A client that knows all three and soon asks a second one."""
    async with open_client(nodes) as opened:
        yield opened
