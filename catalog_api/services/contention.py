"""Who loses a transaction to others waits a random time: one of them gets through."""

import asyncio
import random
import time
from typing import Final

from ring.errors import RingError, RingTimeoutError

_FIRST_PAUSE_SECONDS: Final = 0.002
_LONGEST_PAUSE_SECONDS: Final = 0.1


class Contention:
    """The waits of one who tries again and again; each may be twice as long as the one before.

    Args:
        words: what to say when it has taken too long.
        deadline_seconds: from now on.
    """

    def __init__(self, words: str, *, deadline_seconds: float) -> None:
        self._words = words
        self._deadline_at = time.monotonic() + deadline_seconds
        self._pause_seconds = _FIRST_PAUSE_SECONDS

    def check(self, failure: RingError | None = None, *, ahead_seconds: float = 0.0) -> None:
        """Refuse to go on for so long.

        Raises:
            RingTimeoutError: the deadline will have passed; caused by the failure.
        """
        if time.monotonic() + ahead_seconds > self._deadline_at:
            raise RingTimeoutError(self._words) from failure

    async def pause(self) -> None:
        """Wait a random time, whatever the deadline."""
        await asyncio.sleep(random.uniform(0, self._pause_seconds))  # noqa: S311 - no secret
        self._pause_seconds = min(2 * self._pause_seconds, _LONGEST_PAUSE_SECONDS)

    async def give_way(self, failure: RingError | None = None) -> None:
        """Wait a random time before the next attempt.

        Raises:
            RingTimeoutError: no time is left for it; caused by the failure.
        """
        self.check(failure, ahead_seconds=self._pause_seconds)
        await self.pause()
