"""The orders of products with many reviews, kept in memory and true to the last change.

A page deep in a hundred thousand reviews cannot be had from their rows: those stand by id, and the
orders change with each vote. So the keys of such a product are read once, sorted and kept, in 56
bytes a review. Every vote, report and new review leaves a row in a log beside the reviews; a
request reads what came since the last one (and a few seconds more, so that no late row is missed)
and puts the orders right before it answers. From time to time the keys are read anew, for loads
leave no log.
"""

import asyncio
import time
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from catalog_api.repositories.moments import OVERLAP_SECONDS, position_of
from catalog_api.repositories.reviews import ReviewChange, ReviewKey, ReviewsRepository
from catalog_api.services.gathering import Gathering


class RankedIds:
    """Ids in the order of a falling number, and rising within one. Moves are bisections."""

    __slots__ = ("_ids", "_keys")

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        ranked = sorted((-number, item_id) for number, item_id in pairs)
        self._keys = array("q", (key for key, _ in ranked))
        self._ids = array("q", (item_id for _, item_id in ranked))

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, number: int, item_id: int) -> None:
        """Put an id, which must not be there, at its place."""
        place = self._place(number, item_id)
        self._keys.insert(place, -number)
        self._ids.insert(place, item_id)

    def remove(self, number: int, item_id: int) -> None:
        """Take an id away that has this number."""
        place = self._place(number, item_id)
        del self._keys[place]
        del self._ids[place]

    def slice(self, offset: int, rows: int) -> list[int]:
        """Return ids from a rank on."""
        return self._ids[offset : offset + rows].tolist()

    def _place(self, number: int, item_id: int) -> int:
        low = bisect_left(self._keys, -number)
        high = bisect_right(self._keys, -number, low)
        return bisect_left(self._ids, item_id, low, high)


class ReviewOrder:
    """All orders of one product's reviews.

    Attributes:
        product_id: whose they are.
        read_at: on the clock of `time.time`: what changed before is in here.
        built_at: when the keys were read.
    """

    def __init__(self, product_id: int, keys: list[ReviewKey], read_at: float) -> None:
        self.product_id = product_id
        self.built_at = self.read_at = read_at
        shown = sorted(key for key in keys if not key.reported)
        self._ids = array("q", (key.review_id for key in shown))
        self._helpfulness = array("q", (key.helpfulness or 0 for key in shown))
        self._votes = array("q", (key.votes or 0 for key in shown))
        self._written_at = array("q", (key.written_at_ms or 0 for key in shown))
        self._hidden = {key.review_id for key in keys if key.reported}
        self.helpful = RankedIds(
            zip(map(sum, zip(self._helpfulness, self._votes, strict=True)), self._ids, strict=True)
        )
        self.newest = RankedIds(zip(self._written_at, self._ids, strict=True))

    def __len__(self) -> int:
        return len(self._ids)

    def apply(self, change: ReviewChange) -> None:
        """Take a change in; again makes no difference."""
        review_id = change.review_id
        if review_id in self._hidden:
            return
        place = bisect_left(self._ids, review_id)
        known = place < len(self._ids) and self._ids[place] == review_id
        if change.reported:
            self._hidden.add(review_id)
            if known:
                self._remove(place)
        elif known:
            if change.votes is not None and change.votes > self._votes[place]:
                self._vote(place, change.votes)
        elif change.written_at_ms is not None:
            self._add(place, review_id, change.written_at_ms)

    def _add(self, place: int, review_id: int, written_at_ms: int) -> None:
        self._ids.insert(place, review_id)
        self._helpfulness.insert(place, 0)
        self._votes.insert(place, 0)
        self._written_at.insert(place, written_at_ms)
        self.helpful.add(0, review_id)
        self.newest.add(written_at_ms, review_id)

    def _remove(self, place: int) -> None:
        review_id = self._ids[place]
        self.helpful.remove(self._helpfulness[place] + self._votes[place], review_id)
        self.newest.remove(self._written_at[place], review_id)
        for column in (self._ids, self._helpfulness, self._votes, self._written_at):
            del column[place]

    def _vote(self, place: int, votes: int) -> None:
        review_id, helpfulness = self._ids[place], self._helpfulness[place]
        self.helpful.remove(helpfulness + self._votes[place], review_id)
        self._votes[place] = votes
        self.helpful.add(helpfulness + votes, review_id)


class ReviewOrders:
    """The orders of the products that were asked for of late.

    Args:
        reviews: where they are stored.
        max_rows: reviews kept in memory, of all products together; at least one product stays.
        refresh_seconds: keys older than this are read anew, while the old ones still serve.
        deadline_seconds: longest wait for the keys of a product.
    """

    def __init__(
        self,
        reviews: ReviewsRepository,
        *,
        max_rows: int,
        refresh_seconds: float,
        deadline_seconds: float,
    ) -> None:
        self._reviews = reviews
        self._max_rows = max_rows
        self._refresh_seconds = refresh_seconds
        self._deadline_seconds = deadline_seconds
        self._orders: OrderedDict[int, ReviewOrder] = OrderedDict()
        self._building: dict[int, asyncio.Task[ReviewOrder]] = {}
        # Those who ask for one product at once share a read that begins after they have asked.
        self._following = Gathering(self._follow)

    def __contains__(self, product_id: int) -> bool:
        return product_id in self._orders

    async def current(self, product_id: int) -> ReviewOrder:
        """Return the orders of a product as they are now.

        Consistency: LOCAL_QUORUM. One round trip; many when the product was not asked for of late.

        Raises:
            TimeoutError: its keys could not be read in time.
            RingError: too few replicas answered.
        """
        order = self._orders.get(product_id)
        if order is None:
            async with asyncio.timeout(self._deadline_seconds):
                # Others wait for it too, and it is of use to the next request.
                order = await asyncio.shield(self._build(product_id))
        elif time.time() - order.built_at > self._refresh_seconds:
            self._build(product_id)
        await self._following.add(order, product_id)
        if product_id in self._orders:
            self._orders.move_to_end(product_id)
        return order

    async def _follow(self, order: ReviewOrder, _asked: AbstractSet[int]) -> None:
        """Take in what changed since the last time."""
        now = time.time()
        since = position_of(order.read_at - OVERLAP_SECONDS)
        for change in await self._reviews.fetch_changes(order.product_id, since):
            order.apply(change)
        order.read_at = max(order.read_at, now)

    async def aclose(self) -> None:
        """End what is being read."""
        for task in self._building.values():
            task.cancel()
        await asyncio.gather(*self._building.values(), return_exceptions=True)

    def _build(self, product_id: int) -> "asyncio.Task[ReviewOrder]":
        task = self._building.get(product_id)
        if task is None:
            task = asyncio.create_task(self._read(product_id), name=f"reviews of {product_id}")
            self._building[product_id] = task
            task.add_done_callback(lambda done: self._take(product_id, done))
        return task

    async def _read(self, product_id: int) -> ReviewOrder:
        read_at = time.time()
        keys: list[ReviewKey] = []
        async for page in self._reviews.scan_keys(product_id):
            keys.extend(page)
        # Sorting a hundred thousand would hold up everybody else.
        return await asyncio.to_thread(ReviewOrder, product_id, keys, read_at)

    def _take(self, product_id: int, done: "asyncio.Task[ReviewOrder]") -> None:
        del self._building[product_id]
        if done.cancelled() or done.exception() is not None:
            return
        self._orders[product_id] = done.result()
        self._orders.move_to_end(product_id)
        rows = sum(len(order) for order in self._orders.values())
        while rows > self._max_rows and len(self._orders) > 1:
            rows -= len(self._orders.popitem(last=False)[1])
