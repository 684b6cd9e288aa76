"""Pages of all products as a view that is derived from products' rows."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from catalog_api.repositories.listing import ListingRepository
from catalog_api.repositories.product_rows import StoredProduct
from catalog_api.services.gathering import Gathering
from ring.errors import RingError, RingTimeoutError
from schema.documents import block_of, segment_of

_FIRST_PAUSE_SECONDS: Final = 0.002
_LONGEST_PAUSE_SECONDS: Final = 0.1
_DIRECTORY: Final = 0


class ProductListing:
    """Keeps blocks and directory in step with products; many changes share a transaction.

    Args:
        listing: where they are stored.
        deadline_seconds: longest that contention may hold up a change.
    """

    def __init__(self, listing: ListingRepository, *, deadline_seconds: float) -> None:
        self._listing = listing
        self._deadline_seconds = deadline_seconds
        self._marks: Gathering[int, int] = Gathering(self._mark)
        # All counts are one partition, so all processes contend for it: one transaction at a time.
        self._counts: Gathering[int, int] = Gathering(self._count)

    async def apply(self, stored: StoredProduct) -> None:
        """Make lists show this state of a product. Idempotent; an older state changes no row.

        Raises:
            RingError: it is done in part.
        """
        block = block_of(stored.product_id)
        await self._listing.write_row(stored.product_id, stored.list_row, stored.written_at)
        await self._marks.add(block, stored.product_id)
        await self._counts.add(_DIRECTORY, block)

    async def _mark(self, block: int, product_ids: set[int]) -> None:
        await self._until(partial(self._listing.mark, block, product_ids))

    async def _count(self, _directory: int, blocks: set[int]) -> None:
        by_segment: defaultdict[int, set[int]] = defaultdict(set)
        for block in blocks:
            by_segment[segment_of(block)].add(block)
        for segment, own in by_segment.items():
            await self._until(partial(self._listing.count, segment, own))

    async def _until(self, step: Callable[[], Awaitable[bool]]) -> None:
        """Repeat a step until it says that all is well; it may fail in between."""
        deadline_at = time.monotonic() + self._deadline_seconds
        pause_seconds = _FIRST_PAUSE_SECONDS
        while True:
            failure: RingError | None = None
            try:
                if await step():
                    return
            except RingError as error:
                failure = error
            if time.monotonic() + pause_seconds > deadline_at:
                raise RingTimeoutError("too many others change the list of products") from failure
            # Others contend: who waits a random time lets one of them through.
            await asyncio.sleep(random.uniform(0, pause_seconds))  # noqa: S311 - no secret
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
