"""The live, token-aware writer: every row through the ring client, many at a time.

All writes are upserts with the load's own timestamp, so a write that is tried again, or a load that
is run again, leaves what one write leaves. A write that no node takes is tried until it is taken or
the load gives up; none is skipped.
"""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from etl.errors import WriteError
from etl.progress import Progress
from etl.render import Batch
from etl.settings import EtlSettings
from ring import (
    RingClient,
    RingOverloadedError,
    RingRequestError,
    RingTimeoutError,
    RingUnavailableError,
)
from schema.documents import (
    SEGMENT_BLOCKS,
    block_of,
    count_live_ids,
    drop_live_ids,
    merge_live_ids,
    pack_segment,
    segment_of,
)
from schema.statements import (
    SELECT_LIVE_IDS_FOR_LOAD,
    SELECT_SEGMENT_FOR_LOAD,
    SELECT_STORED_PRODUCT,
    WRITE_LIVE_IDS,
    WRITE_SEGMENT,
)

_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 5.0
_QUEUED_BATCHES: Final = 64

ItemT = TypeVar("ItemT")


class DriverWriter:
    """Writes one load. The order is rows, then bitmaps, then the directory.

    A load that dies between them leaves rows that are served by id and not yet listed; running it
    again lists them.
    """

    def __init__(
        self, ring: RingClient, settings: EtlSettings, progress: Progress, as_of_microseconds: int
    ) -> None:
        self._ring = ring
        self._settings = settings
        self._progress = progress
        self._as_of = as_of_microseconds
        self.in_flight = 0
        self.outages = 0
        """Attempts that found no node to serve them. A node that was killed may have lost what it
        took in its last moments (its commit log is synchronised now and then, not at each write),
        so what was acknowledged before an outage of all replicas has to be written again."""

    def __repr__(self) -> str:
        return f"<DriverWriter in_flight={self.in_flight}>"

    async def write_rows(self, batches: AsyncIterator[Batch], total: int) -> None:
        """Write all rows; about `total` of them are expected.

        Raises:
            WriteError: Cassandra refused a row, or no node took it in `load_give_up_seconds`.
        """
        self._progress.begin(total)
        await self._for_each(batches, self._write_batch)
        self._progress.end()

    async def write_live_ids(
        self, written: Mapping[int, bytes], deleted: frozenset[int]
    ) -> dict[int, bytes]:
        """Merge the written ids into the bitmaps of their blocks; return the bitmaps.

        Args:
            written: bitmaps of the products that this load writes, by block.
            deleted: products that were deleted when the load began. Whether they live again is
                read back, because a deletion later than the load's as-of outlives it.

        Raises:
            WriteError: as `write_rows`.
        """
        still_deleted: dict[int, list[int]] = defaultdict(list)
        for product_id in deleted:
            if block_of(product_id) in written:
                row = await self._execute(SELECT_STORED_PRODUCT.name, (product_id,))
                if row and not row[0][0]:
                    still_deleted[block_of(product_id)].append(product_id)
        bitmaps: dict[int, bytes] = {}

        async def merge(block: int) -> None:
            stored = await self._fetch_live_ids(block)
            live_ids = drop_live_ids(
                still_deleted[block], base=merge_live_ids(stored, written[block])
            )
            bitmaps[block] = live_ids
            if live_ids != stored:
                await self._execute(WRITE_LIVE_IDS.name, (block, live_ids, _derived_microseconds()))

        await self._for_each(_one_by_one(sorted(written)), merge)
        return bitmaps

    async def write_directory(self, bitmaps: dict[int, bytes]) -> None:
        """Count the blocks of every segment that was touched and write the segment.

        Raises:
            WriteError: as `write_rows`.
        """
        segments: dict[int, dict[int, int]] = defaultdict(dict)
        for block, live_ids in bitmaps.items():
            segments[segment_of(block)][block] = count_live_ids(live_ids)

        for segment, live_rows in sorted(segments.items()):
            # A segment that was never written has no other block with products.
            if await self._execute(SELECT_SEGMENT_FOR_LOAD.name, (segment,)):
                await self._count_others(segment, live_rows)
            await self._execute(
                WRITE_SEGMENT.name, (segment, pack_segment(live_rows), _derived_microseconds())
            )

    async def _count_others(self, segment: int, live_rows: dict[int, int]) -> None:
        first = segment * SEGMENT_BLOCKS
        others = [block for block in range(first, first + SEGMENT_BLOCKS) if block not in live_rows]

        async def count(block: int) -> None:
            live_rows[block] = count_live_ids(await self._fetch_live_ids(block))

        await self._for_each(_one_by_one(others), count)

    async def _fetch_live_ids(self, block: int) -> bytes:
        rows = await self._execute(SELECT_LIVE_IDS_FOR_LOAD.name, (block,))
        return (rows[0][0] or b"") if rows else b""

    async def _write_batch(self, batch: Batch) -> None:
        timestamp = _derived_microseconds() if batch.dataset.derived else self._as_of
        for row in batch.rows:
            await self._execute(batch.dataset.write.name, (*row, timestamp))
        self._progress.add(len(batch.rows))

    async def _for_each(
        self, items: AsyncIterator[ItemT], handle: Callable[[ItemT], Awaitable[None]]
    ) -> None:
        """Handle every item, at most `load_concurrency` at a time; the first failure stops all."""
        queue: asyncio.Queue[ItemT | None] = asyncio.Queue(_QUEUED_BATCHES)
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

    async def _execute(self, name: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
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


async def _one_by_one(items: Iterable[ItemT]) -> AsyncIterator[ItemT]:
    for item in items:
        yield item


def _derived_microseconds() -> int:
    """The timestamp of what is computed from rows of several loads.

    The time of computing and not the load's as-of: a load with an older as-of still adds products,
    and the bitmap that counts them must win over the one that did not.
    """
    return time.time_ns() // 1_000
