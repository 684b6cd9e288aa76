"""Statements that are tried until a node takes them, as many at a time as the ring bears."""

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

from etl.errors import NotTakenError, RefusedError
from etl.settings import EtlSettings
from etl.writers.flow import Gate, InFlightLimit
from etl.writers.row_rate import RowRate
from ring import (
    BatchLimits,
    RingClient,
    RingOverloadedError,
    RingRequestError,
    RingTimeoutError,
    RingUnavailableError,
    RowBatch,
    fetch_batch_limits,
)
from ring.transport import ErrorCode, ServerError

_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 5.0
# Rows in batches of a few KiB each, to go on with while the next are rendered.
_QUEUED_ITEMS: Final = 512
_TIMEOUTS: Final = (ErrorCode.WRITE_TIMEOUT, ErrorCode.READ_TIMEOUT)

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class PatientRing:
    """The ring client of a load: what a node refuses for now is not lost.

    Attributes:
        limit: of the writes outstanding; reads are bounded by `for_each` alone.
        in_flight: statements outstanding.
        outages: attempts that found no node to serve them. A node that was killed may have lost
            what it took in its last moments (its commit log is synchronised now and then, not at
            each write), so what was acknowledged before an outage of all replicas has to be written
            again.
        retries: attempts that failed and were made again, by cause.
        rows_waiting: rows that were gathered and are not at the ring.
    """

    def __init__(self, ring: RingClient, settings: EtlSettings) -> None:
        self._ring = ring
        self._settings = settings
        self.limit = InFlightLimit(settings.load_min_concurrency, settings.load_concurrency)
        self.in_flight = 0
        self.outages = 0
        self.retries: Counter[str] = Counter()
        self.rows_waiting = 0
        self._gate = Gate(self.limit)
        rows_per_second = settings.load_rows_per_second
        self._rate = RowRate(rows_per_second) if rows_per_second else None
        rows = settings.load_batch_rows
        self._own_limits = BatchLimits(
            rows=min(rows, self._rate.burst_rows) if self._rate else rows,
            bytes=sys.maxsize,
            partitions=rows,
        )
        self._batch_limits = self._own_limits.within(BatchLimits())

    def __repr__(self) -> str:
        return (
            f"<PatientRing in_flight={self.in_flight} {self.limit} outages={self.outages}"
            f" retries={dict(self.retries)} rows_waiting={self.rows_waiting}>"
        )

    def figures(self) -> dict[str, object]:
        """What the report tells of the writing."""
        return {
            "in_flight_limit": int(self.limit.limit),
            "in_flight_decreases": self.limit.decreases,
            "baseline_seconds": self.limit.baseline_seconds,
            "retries": dict(self.retries),
            "rows_waiting": self.rows_waiting,
        }

    async def execute(self, name: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """Run an idempotent statement until a node takes it.

        Raises:
            RefusedError: it was refused.
            NotTakenError: no node took it in `load_give_up_seconds`.
        """
        return await self._until_taken(name, lambda: self._run(name, values))

    async def ask_batch_limits(self) -> None:
        """Let what is gathered from now on be as large as the nodes like it."""
        told = await fetch_batch_limits(self._ring.nodes.values())
        self._batch_limits = self._own_limits.within(told)

    def gather(self, name: str, rows: Iterable[Sequence[object]]) -> Iterator[RowBatch]:
        """Yield rows in batches for `write`: the same bytes, however often they are tried.

        Raises:
            RefusedError: values that do not fit the statement.
        """
        try:
            for batch in self._ring.gather(name, rows, self._batch_limits):
                self.rows_waiting += len(batch.rows)
                yield batch
        except RingRequestError as error:
            raise RefusedError(str(error)) from error

    async def write(self, batch: RowBatch) -> None:
        """Write rows, within the limits, until a node takes them.

        Raises:
            RefusedError: a row was refused, which the message names.
            NotTakenError: no node took them in `load_give_up_seconds`.
        """
        try:
            await self._until_taken(batch.name, lambda: self._send(batch))
        except RefusedError as error:
            # The others are good, and a node may take each of them where it takes no batches.
            if len(batch.rows) == 1:
                raise RefusedError(f"{error}; the row is {batch.rows[0]!r:.500}") from error
            self.rows_waiting += len(batch.rows)
            for part in batch.parts():
                await self.write(part)

    async def write_row(self, name: str, values: Sequence[object]) -> None:
        """Write one row; raises as `write`."""
        for batch in self.gather(name, (values,)):
            await self.write(batch)

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

    async def _run(self, name: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        self.in_flight += 1
        try:
            return await self._ring.execute(
                name, values, timeout_seconds=self._settings.load_write_timeout_seconds
            )
        finally:
            self.in_flight -= 1

    async def _send(self, batch: RowBatch) -> None:
        """One attempt: a place, then the rows' share of the rate, and away."""
        rows = len(batch.rows)
        await self._gate.enter()
        try:
            if self._rate is not None:
                await self._rate.take(rows)
            sent_at = time.monotonic()
            self.in_flight += 1
            self.rows_waiting -= rows
            try:
                await self._ring.write(
                    batch, timeout_seconds=self._settings.load_write_timeout_seconds
                )
            except RingUnavailableError:
                self.limit.failed(sent_at)
                self.rows_waiting += rows
                raise
            finally:
                self.in_flight -= 1
            self.limit.answered(sent_at)
        finally:
            self._gate.leave()

    async def _until_taken(self, name: str, attempt: Callable[[], Awaitable[ResultT]]) -> ResultT:
        give_up_seconds = self._settings.load_give_up_seconds
        give_up_at = time.monotonic() + give_up_seconds
        pause_seconds = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await attempt()
            except RingRequestError as error:
                raise RefusedError(f"{name}: Cassandra refused it: {error}") from error
            except RingUnavailableError as error:
                cause = _cause(error)
                self.outages += cause == "unavailable"
                if time.monotonic() + pause_seconds > give_up_at:
                    raise NotTakenError(
                        f"{name}: no node took it for {give_up_seconds:.0f} s: {error}"
                    ) from error
                self.retries[cause] += 1
            # Jitter, so that waiting writers do not come back all at once.
            await asyncio.sleep(pause_seconds * random.uniform(0.5, 1.0))  # noqa: S311
            pause_seconds = min(pause_seconds * 2, _LONGEST_PAUSE_SECONDS)


def _cause(error: RingUnavailableError) -> str:
    """Why a statement was not served; a node that was only slow or busy has lost nothing."""
    code = error.__cause__.code if isinstance(error.__cause__, ServerError) else None
    if isinstance(error, RingTimeoutError) or code in _TIMEOUTS:
        return "timeout"
    if isinstance(error, RingOverloadedError) or code == ErrorCode.OVERLOADED:
        return "overload"
    return "unavailable"


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
