"""Rate limits, kept across app servers: exactly so many requests a minute, whichever are asked.

Requests of one caller that come while a transaction is under way go together in the next one. Once
a minute is used up, this process remembers it and asks nobody any more.
"""

import math
import time
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from catalog_api.repositories.limits import LimitsRepository, Window
from catalog_api.services.contention import Contention
from catalog_api.services.gathering import Gathering

WINDOW_SECONDS: Final = 60
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


class _Request:
    """One that waits to be counted; its place in its minute, from 1, when it has been."""

    __slots__ = ("place",)
    place: int


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
        self._gathering: Gathering[tuple[Window, Limit], _Request] = Gathering(self._count)

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
            request = _Request()
            await self._gathering.add((window, limit), request)
            place = request.place
        remaining = max(0, limit.requests - place)
        return Standing(place <= limit.requests, remaining, reset_seconds)

    async def _count(self, counted: tuple[Window, Limit], requests: AbstractSet[_Request]) -> None:
        """Give the requests their places; beyond the limit they are not counted."""
        before = await self._take(*counted, len(requests))
        for place, request in enumerate(requests, start=before + 1):
            request.place = place

    async def _take(self, window: Window, limit: Limit, wanted: int) -> int:
        """Count as many as are wanted and left; returns the number before."""
        contention = Contention(
            f"{window}: too many app servers count at once",
            deadline_seconds=self._deadline_seconds,
        )
        while True:
            known = self._used.get(window)
            before = known or 0
            if before >= limit.requests:
                return before
            used = min(before + wanted, limit.requests)
            is_taken, self._used[window] = await self._limits.take(window, known, used)
            if is_taken:
                return before
            await contention.give_way()
