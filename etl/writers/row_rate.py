"""A hard limit of rows a second, for a Cassandra that others use or that bills by the row."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

# What a second may bring is a full bucket and what flows into it meanwhile: together the limit.
_BURST_SHARE: Final = 0.05
# Loops wake by the millisecond, and a rounding error must not be slept off in steps of nothing.
_SHORTEST_SLEEP_SECONDS: Final = 0.001


class RowRate:
    """A token bucket of 50 ms worth of rows.

    It holds whichever second is looked at, also after this process stood still: what was not used
    is not made up for beyond the bucket.

    Attributes:
        burst_rows: what the bucket holds, at least one row; the most that `take` gives at once.
    """

    def __init__(
        self,
        rows_per_second: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.burst_rows = max(1, int(rows_per_second * _BURST_SHARE))
        self._inflow = rows_per_second * (1 - _BURST_SHARE)
        self._clock = clock
        self._sleep = sleep
        self._full_at = clock()
        self._turn = asyncio.Lock()

    async def take(self, rows: int) -> None:
        """Wait until so many rows may go; they must go before anything else is awaited.

        Raises:
            ValueError: more rows than `burst_rows`.
        """
        if rows > self.burst_rows:
            raise ValueError(f"{rows} rows at once, but only {self.burst_rows} may go so")
        # In turns, or a large request would wait for ever behind small ones.
        async with self._turn:
            while True:
                now = self._clock()
                # The bucket has been full since `_full_at`, or will be by then.
                missing_rows = max(0.0, self._full_at - now) * self._inflow
                excess_rows = missing_rows + rows - self.burst_rows
                if excess_rows <= 0:
                    self._full_at = max(self._full_at, now) + rows / self._inflow
                    return
                await self._sleep(max(excess_rows / self._inflow, _SHORTEST_SLEEP_SECONDS))
