"""Rate limits, kept across app servers: exactly so many requests a minute, whichever are asked.

Requests of one caller that come while a transaction is under way go together in the next one. Once
a minute is used up, this process remembers it and asks nobody any more.
"""

import asyncio
import math
import random
import time
from dataclasses import dataclass
from typing import Final

from catalog_api.repositories.limits import LimitsRepository, Window
from ring.errors import RingTimeoutError

WINDOW_SECONDS: Final = 60
_FIRST_PAUSE_SECONDS: Final = 0.002
_LONGEST_PAUSE_SECONDS: Final = 0.1
# What is forgotten is asked for again: one transaction more.
_MOST_WINDOWS: Final = 50_000

clock = time.time


@dataclass(frozen=True, slots=True)
class Limit:
    """How many requests of a kind one caller may make in a minute."""

    kind: str
    requests: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller is told.

    Attributes:
        remaining: requests that are left in this minute.
        reset_seconds: until the next minute begins, at least 1.
    """

    is_allowed: bool
    remaining: int
    reset_seconds: int


class RateLimiter:
    """Counts the requests of callers.

    Args:
        limits: where they are stored.
        deadline_seconds: longest that a request may wait for its turn.
    """

    def __init__(self, limits: LimitsRepository, *, deadline_seconds: float) -> None:
        self._limits = limits
        self._deadline_seconds = deadline_seconds
        self._minute = 0
        self._used: dict[Window, int | None] = {}
        self._waiting: dict[Window, list[asyncio.Future[int]]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def take(self, limit: Limit, caller: str) -> Standing:
        """Count one request and say whether it may be done.

        Of all requests in a minute by the app servers' clocks exactly `limit.requests` may; one
        whose outcome was not told counts, too.

        Raises:
            RingError: Cassandra cannot be asked; the request is not to be done uncounted.
        """
        now = clock()
        minute = int(now // WINDOW_SECONDS)
        reset_seconds = math.ceil((minute + 1) * WINDOW_SECONDS - now)
        if minute != self._minute or len(self._used) >= _MOST_WINDOWS:
            self._minute = minute
            self._used.clear()
        window = Window(limit.kind, caller, minute)
        place = limit.requests + 1
        if (self._used.get(window) or 0) < limit.requests:
            place = await self._queue(window, limit)
        remaining = max(0, limit.requests - place)
        return Standing(place <= limit.requests, remaining, reset_seconds)

    async def _queue(self, window: Window, limit: Limit) -> int:
        """Return the request's place in its minute; beyond the limit it was not counted."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.get(window)
        if waiting is not None:
            waiting.append(future)
        else:
            self._waiting[window] = [future]
            task = asyncio.create_task(self._count(window, limit), name=f"limit of {window}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await future

    async def _count(self, window: Window, limit: Limit) -> None:
        """Run transactions for a caller until none of their requests waits."""
        while futures := self._waiting[window]:
            self._waiting[window] = []
            try:
                before = await self._take(window, limit, len(futures))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs who wait
                for future in futures:
                    if not future.done():
                        future.set_exception(error)
            else:
                for place, future in enumerate(futures, start=before + 1):
                    if not future.done():
                        future.set_result(place)
        del self._waiting[window]

    async def _take(self, window: Window, limit: Limit, wanted: int) -> int:
        """Count as many as are wanted and left; returns the number before."""
        deadline_at = time.monotonic() + self._deadline_seconds
        pause_seconds = _FIRST_PAUSE_SECONDS
        while True:
            known = self._used.get(window)
            before = known or 0
            if before >= limit.requests:
                return before
            used = min(before + wanted, limit.requests)
            is_taken, self._used[window] = await self._limits.take(window, known, used)
            if is_taken:
                return before
            if time.monotonic() + pause_seconds > deadline_at:
                raise RingTimeoutError(f"{window}: too many app servers count at once")
            # Others contend: who waits a random time lets one of them through.
            await asyncio.sleep(random.uniform(0, pause_seconds))  # noqa: S311 - no secret
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
