"""An open loop: each act begins when it is due, however long those before it take."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

_WALL_MINUS_STEADY: Final = time.time() - time.perf_counter()


def now() -> float:
    """Return Unix seconds that never step back in this process."""
    return time.perf_counter() + _WALL_MINUS_STEADY


async def keep_pace(
    per_second: float, act: Callable[[float], Coroutine[Any, Any, None]], stop: asyncio.Event
) -> None:
    """Begin an act so many times a second until `stop`; return when all that began have ended.

    Args:
        per_second: how often.
        act: takes the moment at which it was due (Unix seconds); what it raises ends the loop.
        stop: no act begins once it is set.
    """
    began_at = now()
    number = 0
    async with asyncio.TaskGroup() as group:
        while not stop.is_set():
            due_at = began_at + number / per_second
            await asyncio.sleep(max(0.0, due_at - now()))
            group.create_task(act(due_at))
            number += 1
