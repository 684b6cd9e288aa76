"""Places all products anew: after bulk loads, which write no orders of their own.

Safe beside a live shop and beside itself: it does what every change of a product does, and no more
than that where a product stands where it should. It goes on where one that was stopped has been.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import orjson

from catalog_api.repositories.find_entries import FindEntriesRepository
from catalog_api.repositories.find_rebuilds import FindRebuildsRepository, Reached
from catalog_api.repositories.product_rows import (
    DELETED,
    NO_TAGS,
    ProductRowsRepository,
    StoredProduct,
)
from catalog_api.repositories.product_scan import FIRST_TOKEN, LAST_TOKEN, Chunk, ProductScan
from catalog_api.services.find_view import FindView
from schema.find import ALL_PRODUCTS, category_of

CHUNK_PRODUCTS: Final = 250
"""A page of bodies is work that a node does in one go, while it serves readers."""
_CHUNKS_AT_ONCE: Final = 4
_SAVE_SECONDS: Final = 2.0


class _Placed(NamedTuple):
    """A chunk that is done."""

    reached: int
    seen: int
    placed: int
    counts: Counter[str]


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

    def add(self, done: _Placed) -> None:
        """Count a chunk."""
        self.seen += done.seen
        self.seen_here += done.seen
        self.placed += done.placed
        self.share = (done.reached - FIRST_TOKEN) / (LAST_TOKEN - FIRST_TOKEN)

    def reached(self, token: int, counts: Mapping[str, int]) -> Reached:
        """Return what the next run must know to go on."""
        return Reached(token, self.seen, self.placed, counts)

    @property
    def products_per_second(self) -> float:
        """Of this run."""
        return self.seen_here / max(time.monotonic() - self.started, 1e-9)


class FindRebuild:
    """Rebuilds what searches read.

    Args:
        scan: reads all products.
        entries: where they are placed.
        view: places them.
        products: to look again at those that the scan did not meet.
        rebuilds: remembers how far this is.
        products_per_second: at the most; 0 for no limit.
    """

    def __init__(
        self,
        scan: ProductScan,
        entries: FindEntriesRepository,
        view: FindView,
        products: ProductRowsRepository,
        rebuilds: FindRebuildsRepository,
        *,
        products_per_second: int = 0,
    ) -> None:
        self._scan = scan
        self._entries = entries
        self._view = view
        self._products = products
        self._rebuilds = rebuilds
        self._products_per_second = products_per_second

    async def run(self, report: Callable[[Progress], None]) -> Progress:
        """Place all products; memory is bounded by a thousand bodies and the list of categories.

        Raises:
            RingError: too few replicas answered; run again, it goes on where it was.
        """
        reached = await self._rebuilds.fetch()
        counts = Counter(reached.counts)
        progress = Progress(seen=reached.seen, placed=reached.placed)
        saved_at = time.monotonic()
        async with aclosing(self._chunks(reached.token)) as chunks:
            async for done in chunks:
                counts.update(done.counts)
                progress.add(done)
                if time.monotonic() - saved_at > _SAVE_SECONDS:
                    saved_at = time.monotonic()
                    await self._rebuilds.save(progress.reached(done.reached, counts))
                    report(progress)
                await self._pause(progress)
        await self._view.set_counts(counts)
        await self._rebuilds.forget()
        report(progress)
        return progress

    async def _chunks(self, token: int) -> AsyncGenerator[_Placed, None]:
        """Place chunk after chunk, several at once, and yield them in the order of their tokens."""
        under_way: deque[asyncio.Task[_Placed]] = deque()
        try:
            while token < LAST_TOKEN or under_way:
                if token < LAST_TOKEN and len(under_way) < _CHUNKS_AT_ONCE:
                    chunk = await self._scan.fetch(token, CHUNK_PRODUCTS)
                    under_way.append(asyncio.create_task(self._place(token, chunk)))
                    token = chunk.reached
                else:
                    yield await under_way.popleft()
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _place(self, after: int, chunk: Chunk) -> _Placed:
        known = await self._entries.scan_entries(after, chunk.reached)
        ids = {product.product_id for product in chunk.products}
        gone = [
            StoredProduct(product_id, DELETED, NO_TAGS, None, stored[-1].version + 1)
            for product_id, stored in known.items()
            # It may also have been created since.
            if product_id not in ids and await self._products.fetch(product_id) is None
        ]
        placed = await self._view.place(chunk.products + gone, known)
        counts = Counter[str]()
        for product in chunk.products:
            if product.lives:
                category = category_of(orjson.loads(product.bodies.product))
                counts.update({ALL_PRODUCTS, category or ALL_PRODUCTS})
        return _Placed(chunk.reached, len(chunk.products), placed, counts)

    async def _pause(self, progress: Progress) -> None:
        if self._products_per_second:
            due = progress.started + progress.seen_here / self._products_per_second
            await asyncio.sleep(max(0.0, due - time.monotonic()))
