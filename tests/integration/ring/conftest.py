"""Every test of the ring client runs on both loops, and may leave nothing behind."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import pytest_asyncio
import uvloop

# Two cores are shared with three Cassandra nodes: what takes longer than this blocks the loop.
BLOCKING_SECONDS = 1.0


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
