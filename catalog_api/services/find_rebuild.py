"""Places all products anew: after bulk loads, which write no orders of their own.

Safe beside a live shop and beside itself: it does what every change of a product does, and no more
than that where a product stands where it should. It goes on where one that was stopped has been.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from catalog_api.repositories.find_rebuilds import FindRebuildsRepository, Reached
from catalog_api.repositories.product_rows import (
    DELETED,
    NO_TAGS,
    ProductRowsRepository,
    StoredProduct,
)
from catalog_api.repositories.product_scan import FIRST_TOKEN, LAST_TOKEN, ProductScan
from catalog_api.services.find_view import FindView, facts_in
from schema.find import ALL_PRODUCTS

CHUNK_PRODUCTS: Final = 250
"""A page of bodies is work that a node does in one go, while it serves readers."""
_SAVE_SECONDS: Final = 2.0


@dataclass(slots=True)
class Progress:
    """How far a rebuild is.

    Attributes:
        share: of all tokens, from 0 to 1.
        seen: products looked at, also by earlier runs that this one goes on from.
        placed: of these, those that had to be written.
    """

    share: float = 0.0
    seen: int = 0
    placed: int = 0
    started: float = field(default_factory=time.monotonic)
    seen_here: int = 0

    @property
    def products_per_second(self) -> float:
        """Of this run."""
        return self.seen_here / max(time.monotonic() - self.started, 1e-9)


class FindRebuild:
    """Rebuilds what searches read.

    Args:
        scan: reads all products.
        view: places them.
        products: to look again at those that the scan did not meet.
        rebuilds: remembers how far this is.
        products_per_second: at the most; 0 for no limit.
    """

    def __init__(
        self,
        scan: ProductScan,
        view: FindView,
        products: ProductRowsRepository,
        rebuilds: FindRebuildsRepository,
        *,
        products_per_second: int = 0,
    ) -> None:
        self._scan = scan
        self._view = view
        self._products = products
        self._rebuilds = rebuilds
        self._products_per_second = products_per_second

    async def run(self, report: Callable[[Progress], None]) -> Progress:
        """Place all products; memory is bounded by a page of bodies and the list of categories.

        Raises:
            RingError: too few replicas answered; run again, it goes on where it was.
        """
        reached = await self._rebuilds.fetch()
        counts = Counter(reached.counts)
        progress = Progress(seen=reached.seen, placed=reached.placed)
        token, saved_at = reached.token, time.monotonic()
        while token < LAST_TOKEN:
            chunk = await self._scan.fetch(token, CHUNK_PRODUCTS)
            states = chunk.products + await self._gone(token, chunk.reached, chunk.products)
            progress.placed += await self._view.place(states)
            for state in chunk.products:
                facts = facts_in(state)
                if facts is not None:
                    counts.update({ALL_PRODUCTS, facts.category or ALL_PRODUCTS})
            progress.seen += len(chunk.products)
            progress.seen_here += len(chunk.products)
            token = chunk.reached
            progress.share = (token - FIRST_TOKEN) / (LAST_TOKEN - FIRST_TOKEN)
            if time.monotonic() - saved_at > _SAVE_SECONDS:
                saved_at = time.monotonic()
                await self._rebuilds.save(Reached(token, progress.seen, progress.placed, counts))
                report(progress)
            await self._pause(progress)
        await self._view.set_counts(counts)
        await self._rebuilds.forget()
        report(progress)
        return progress

    async def _gone(
        self, after: int, last: int, products: list[StoredProduct]
    ) -> list[StoredProduct]:
        """Return what is placed between two tokens and has no row any more, as deleted products."""
        placed = await self._scan.fetch_placed(after, last)
        for product in products:
            placed.pop(product.product_id, None)
        return [
            StoredProduct(product_id, DELETED, NO_TAGS, None, version + 1)
            for product_id, version in placed.items()
            if await self._products.fetch(product_id) is None
        ]

    async def _pause(self, progress: Progress) -> None:
        if self._products_per_second:
            due = progress.started + progress.seen_here / self._products_per_second
            await asyncio.sleep(max(0.0, due - time.monotonic()))
