"""Statements that are tried until a node takes them, many at a time."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from etl.errors import WriteError
from etl.settings import EtlSettings
from ring import (
    RingClient,
    RingOverloadedError,
    RingRequestError,
    RingTimeoutError,
    RingUnavailableError,
)

_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 5.0
_QUEUED_ITEMS: Final = 64

ItemT = TypeVar("ItemT")


class PatientRing:
    """The ring client of a load: what a node refuses for now is not lost.

    Attributes:
        in_flight: statements outstanding.
        outages: attempts that found no node to serve them. A node that was killed may have lost
            what it took in its last moments (its commit log is synchronised now and then, not at
            each write), so what was acknowledged before an outage of all replicas has to be written
            again.
    """

    def __init__(self, ring: RingClient, settings: EtlSettings) -> None:
        self._ring = ring
        self._settings = settings
        self.in_flight = 0
        self.outages = 0

    def __repr__(self) -> str:
        return f"<PatientRing in_flight={self.in_flight} outages={self.outages}>"

    async def execute(self, name: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """Run an idempotent statement until a node takes it.

        Raises:
            WriteError: it was refused, or not taken in `load_give_up_seconds`.
        """
        give_up_at = time.monotonic() + self._settings.load_give_up_seconds
        pause_seconds = _FIRST_PAUSE_SECONDS
        while True:
            try:
                self.in_flight += 1
                return await self._ring.execute(
                    name, values, timeout_seconds=self._settings.load_write_timeout_seconds
                )
            except RingRequestError as error:
                raise WriteError(f"{name}: Cassandra refused it: {error}") from error
            except RingUnavailableError as error:
                # Timeouts and overload are of this family: all are answered by waiting.
                if not isinstance(error, RingTimeoutError | RingOverloadedError):
                    self.outages += 1
                if time.monotonic() + pause_seconds > give_up_at:
                    waited_seconds = self._settings.load_give_up_seconds
                    raise WriteError(
                        f"{name}: no node took it for {waited_seconds:.0f} s: {error}"
                    ) from error
            finally:
                self.in_flight -= 1
            # Jitter, so that waiting writers do not come back all at once.
            await asyncio.sleep(pause_seconds * random.uniform(0.5, 1.0))  # noqa: S311
            pause_seconds = min(pause_seconds * 2, _LONGEST_PAUSE_SECONDS)

    async def for_each(
        self, items: AsyncIterator[ItemT], handle: Callable[[ItemT], Awaitable[None]]
    ) -> None:
        """Handle every item, at most `load_concurrency` at a time; the first failure stops all."""
        queue: asyncio.Queue[ItemT | None] = asyncio.Queue(_QUEUED_ITEMS)
        workers = self._settings.load_concurrency

        async def work() -> None:
            while (item := await queue.get()) is not None:
                await handle(item)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(work())
                async for item in items:
                    await queue.put(item)
                for _ in range(workers):
                    await queue.put(None)
        except ExceptionGroup as failures:
            # The first failure is the cause; the others are what it cancelled or repeated.
            raise failures.exceptions[0] from failures.exceptions[0].__cause__


async def one_by_one(items: Iterable[ItemT]) -> AsyncIterator[ItemT]:
    """Yield them for `for_each`."""
    for item in items:
        yield item


def derived_microseconds() -> int:
    """The timestamp of what is computed from rows of several loads.

    The time of computing and not the load's as-of: a load with an older as-of still adds products,
    and the bitmap that counts them must win over the one that did not.
    """
    return time.time_ns() // 1_000
