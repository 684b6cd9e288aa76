"""Reviews: lists in three orders, meta, new ones, votes and reports."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from catalog_api.domain.errors import InvalidSortError
from catalog_api.domain.page import Page
from catalog_api.domain.submissions import NewReview, photo_urls
from catalog_api.repositories.ids import IdAllocator
from catalog_api.repositories.products import ProductsRepository
from catalog_api.repositories.reviews import ReviewsRepository, StoredReview
from catalog_api.repositories.votes import VotedItem
from catalog_api.services.review_meta import ReviewMeta
from catalog_api.services.review_orders import ReviewOrders
from catalog_api.services.votes import VoteCounter
from schema.reviews import FEW_REVIEWS, IdentifiedPhoto, Rating, Review, with_votes


class Sort(Enum):
    """The orders of a list."""

    RELEVANT = "relevant"
    HELPFUL = "helpful"
    NEWEST = "newest"


def read_sort(text: str | None) -> Sort:
    """Return the order of this name; relevant when none is given.

    Raises:
        InvalidSortError: there is no such order.
    """
    try:
        return Sort(text or Sort.RELEVANT.value)
    except ValueError as error:
        raise InvalidSortError("sort must be relevant, helpful or newest") from error


@dataclass(frozen=True, slots=True)
class ReviewIds:
    """Where new ids come from."""

    reviews: IdAllocator
    photos: IdAllocator
    ratings: IdAllocator


class ReviewsService:
    """What can be done with reviews.

    Args:
        reviews: where they are stored.
        products: to know which products there are.
        orders: of products with many reviews.
        meta: of all products.
        votes: counts helpful votes.
        ids: of what is new.
    """

    def __init__(
        self,
        reviews: ReviewsRepository,
        products: ProductsRepository,
        *,
        orders: ReviewOrders,
        meta: ReviewMeta,
        votes: VoteCounter,
        ids: ReviewIds,
    ) -> None:
        self._reviews = reviews
        self._products = products
        self._orders = orders
        self._votes = votes
        self._ids = ids
        self.fetch_meta = meta.fetch

    async def fetch_list(self, product_id: int, page: Page, sort: Sort) -> list[bytes]:
        """Return the reviews of a page as JSON objects. Consistency: LOCAL_QUORUM.

        One round trip; two for products with many reviews, whatever the page.

        Raises:
            RingError: too few replicas answered in time.
        """
        if product_id not in self._orders:
            first = await self._reviews.fetch_first(product_id)
            if len(first) <= FEW_REVIEWS:
                shown = [review for review in first if review.body and not review.reported]
                shown.sort(key=_KEYS[sort])
                return [_shown(one) for one in shown[page.offset : page.offset + page.rows]]
        order = await self._orders.current(product_id)
        ranked = order.newest if sort is Sort.NEWEST else order.helpful
        ids = ranked.slice(page.offset, page.rows)
        found = {
            review.review_id: review for review in await self._reviews.fetch_some(product_id, ids)
        }
        return [
            _shown(review)
            for review_id in ids
            if (review := found.get(review_id)) is not None and review.body and not review.reported
        ]

    async def post(self, new: NewReview) -> int:
        """Store a new review; returns its id. Consistency: LOCAL_QUORUM.

        Raises:
            MissingItemError: there is no such product.
            RingError: it is stored in part or not at all.
        """
        await self._products.require(new.product_id)
        (review_id,) = await self._ids.reviews.take()
        urls = photo_urls(new.photos)
        photo_ids = await self._ids.photos.take(len(urls))
        rating_ids = await self._ids.ratings.take(len(new.characteristics))
        review = Review(
            review_id=review_id,
            rating=new.rating,
            written_at_ms=time.time_ns() // 1_000_000,
            summary=new.summary,
            body=new.body,
            recommend=new.recommend,
            response=None,
            reviewer_name=new.name,
            reviewer_email=new.email,
            helpfulness=0,
            photos=[IdentifiedPhoto(*pair) for pair in zip(photo_ids, urls, strict=True)],
            ratings=[
                Rating(rating_id, int(characteristic_id), mark)
                for rating_id, (characteristic_id, mark) in zip(
                    rating_ids, new.characteristics.items(), strict=True
                )
            ],
        )
        await self._reviews.write(new.product_id, review)
        return review_id

    async def vote(self, review_id: int) -> None:
        """Count one helpful vote, exactly once.

        Raises:
            MissingItemError: there is no such review.
            RingError: it was counted once or not at all.
        """
        product_id = await self._reviews.fetch_owner(review_id)
        await self._votes.add(VotedItem(product_id, review_id=review_id))

    async def report(self, review_id: int) -> None:
        """Hide a review from lists. Idempotent.

        Raises:
            MissingItemError: there is no such review.
            RingError: too few replicas answered in time.
        """
        await self._reviews.report(await self._reviews.fetch_owner(review_id), review_id)


def _shown(review: StoredReview) -> bytes:
    return with_votes(review.body or b"", review.helpfulness or 0, review.votes)


def _helpful_key(review: StoredReview) -> tuple[int, int]:
    return -(review.helpfulness or 0) - (review.votes or 0), review.review_id


def _newest_key(review: StoredReview) -> tuple[int, int]:
    return -(review.written_at_ms or 0), review.review_id


_KEYS: Final[dict[Sort, Callable[[StoredReview], tuple[int, int]]]] = {
    Sort.RELEVANT: _helpful_key,
    Sort.HELPFUL: _helpful_key,
    Sort.NEWEST: _newest_key,
}
