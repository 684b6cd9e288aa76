"""Review meta: a base that the load made, and what was posted since.

The base alone is served as it stands. Each posted review is a small row beside it, which is never
taken away; of a product with many of them, the sum of those that are old enough to be settled is
kept in memory, and only the others are read.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

import orjson

from catalog_api.repositories.moments import settled_position
from catalog_api.repositories.reviews import ReviewsRepository
from schema.reviews import FEW_META_DELTAS, NO_TOTALS, MetaSums, meta_of

_PRODUCTS_KEPT: Final = 10_000


class _Settled:
    """The sum of a product's deltas before the moment `since`."""

    __slots__ = ("made_at", "since", "sums")

    def __init__(self) -> None:
        self.made_at = time.monotonic()
        self.since = 1
        self.sums = MetaSums()

    def take(self, deltas: Iterable[tuple[int, bytes]]) -> MetaSums:
        """Add what is settled by now for good, and return the sum of all."""
        settled = settled_position()
        unsettled = []
        for moment, delta in deltas:
            if moment < settled:
                self.sums.add(delta)
            else:
                unsettled.append(delta)
        self.since = max(self.since, settled)
        sums = self.sums.copy()
        for delta in unsettled:
            sums.add(delta)
        return sums


class ReviewMeta:
    """Serves the meta of products.

    Args:
        reviews: where they are stored.
        refresh_seconds: sums older than this are made anew, should a row have come very late.
    """

    def __init__(self, reviews: ReviewsRepository, *, refresh_seconds: float) -> None:
        self._reviews = reviews
        self._refresh_seconds = refresh_seconds
        self._settled: OrderedDict[int, _Settled] = OrderedDict()

    async def fetch(self, product_id: int) -> bytes:
        """Return the body of `GET /reviews/meta`, the last acknowledged review included.

        Consistency: LOCAL_QUORUM. One round trip, or two at once for products with many new
        reviews.

        Raises:
            RingError: too few replicas answered in time.
        """
        settled = self._settled.get(product_id)
        if settled is not None and time.monotonic() - settled.made_at < self._refresh_seconds:
            self._settled.move_to_end(product_id)
            (body, totals, _), deltas = await asyncio.gather(
                self._reviews.fetch_meta(product_id, base_only=True),
                self._reviews.fetch_deltas(product_id, settled.since),
            )
            return _join(product_id, totals, settled.take(deltas))
        body, totals, few = await self._reviews.fetch_meta(product_id)
        if not few:
            return body or meta_of(product_id, NO_TOTALS)
        settled = _Settled()
        if len(few) < FEW_META_DELTAS:
            return _join(product_id, totals, settled.take(few))
        sums = settled.take(await self._reviews.fetch_deltas(product_id, 1))
        self._settled[product_id] = settled
        if len(self._settled) > _PRODUCTS_KEPT:
            self._settled.popitem(last=False)
        return _join(product_id, totals, sums)


def _join(product_id: int, totals: bytes | None, sums: MetaSums) -> bytes:
    base = orjson.loads(totals) if totals else NO_TOTALS
    return meta_of(product_id, sums.onto(base))
