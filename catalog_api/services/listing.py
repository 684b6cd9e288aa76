"""Pages of all products as a view that is derived from products' rows."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Final

from catalog_api.repositories.listing import ListingRepository
from catalog_api.repositories.product_rows import StoredProduct
from catalog_api.services.contention import Contention
from catalog_api.services.gathering import Gathering
from ring.errors import RingError
from schema.documents import block_of, segment_of

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

    async def _mark(self, block: int, product_ids: AbstractSet[int]) -> None:
        await self._until(partial(self._listing.mark, block, product_ids))

    async def _count(self, _directory: int, blocks: AbstractSet[int]) -> None:
        by_segment: defaultdict[int, set[int]] = defaultdict(set)
        for block in blocks:
            by_segment[segment_of(block)].add(block)
        for segment, own in by_segment.items():
            await self._until(partial(self._listing.count, segment, own))

    async def _until(self, step: Callable[[], Awaitable[bool]]) -> None:
        """Repeat a step until it says that all is well; it may fail in between."""
        contention = Contention(
            "too many others change the list of products", deadline_seconds=self._deadline_seconds
        )
        while True:
            failure: RingError | None = None
            try:
                if await step():
                    return
            except RingError as error:
                failure = error
            await contention.give_way(failure)
