"""Work on a stream: some items at once, outcomes in the order of the items."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

_Item = TypeVar("_Item")
_Outcome = TypeVar("_Outcome")


async def in_order(
    items: AsyncIterator[_Item], work: Callable[[_Item], Awaitable[_Outcome]], *, width: int
) -> AsyncGenerator[_Outcome, None]:
    """Iterate over the outcomes of all items, each as soon as it and those before it are there.

    Args:
        items: read no faster than outcomes are taken.
        work: on one item; what it raises ends everything.
        width: most items that are worked on, or whose outcomes wait, at once.

    Raises:
        Exception: whatever `items` or `work` raised, after the outcomes before it.
    """
    begun: asyncio.Queue[asyncio.Task[_Outcome] | None] = asyncio.Queue()
    room = asyncio.Semaphore(width)

    async def run(item: _Item) -> _Outcome:
        return await work(item)

    async def begin() -> None:
        try:
            async for item in items:
                await room.acquire()
                begun.put_nowait(asyncio.create_task(run(item), name="item of a stream"))
        finally:
            begun.put_nowait(None)

    beginning = asyncio.create_task(begin(), name="items of a stream")
    task: asyncio.Task[_Outcome] | None = None
    try:
        while (task := await begun.get()) is not None:
            outcome = await task
            room.release()
            yield outcome
        await beginning
    finally:
        left: list[asyncio.Task[Any]] = [beginning, *([] if task is None else [task])]
        while not begun.empty():
            waiting = begun.get_nowait()
            left += [] if waiting is None else [waiting]
        for one in left:
            one.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await one
