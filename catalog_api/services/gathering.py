"""Work that waits together is done together: many who ask for one thing cause it once."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from collections.abc import Set as AbstractSet
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Item = TypeVar("_Item", bound=Hashable)


class Gathering(Generic[_Key, _Item]):
    """Runs work by key, one run of a key at a time; what comes meanwhile shares the next run.

    Args:
        work: gets a key and all items that wait for it, in the order in which they came.
    """

    def __init__(self, work: Callable[[_Key, AbstractSet[_Item]], Awaitable[None]]) -> None:
        self._work = work
        self._waiting: dict[_Key, list[tuple[_Item, asyncio.Future[None]]]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def add(self, key: _Key, item: _Item) -> None:
        """Return when a run that began after this call has dealt with the item.

        Raises:
            Exception: whatever the work raised.
        """
        future = asyncio.get_running_loop().create_future()
        waiting = self._waiting.get(key)
        if waiting is not None:
            waiting.append((item, future))
        else:
            self._waiting[key] = [(item, future)]
            task = asyncio.create_task(self._run(key), name=f"gathered work for {key}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        await future

    async def _run(self, key: _Key) -> None:
        while waiting := self._waiting[key]:
            self._waiting[key] = []
            failure: BaseException | None = None
            try:
                await self._work(key, dict.fromkeys(item for item, _ in waiting).keys())
            except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs who wait
                failure = error
            for _, future in waiting:
                if future.done():
                    continue
                if failure is None:
                    future.set_result(None)
                else:
                    future.set_exception(failure)
        del self._waiting[key]
