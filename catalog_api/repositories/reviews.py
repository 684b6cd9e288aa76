"""Reviews as they are stored: lists, changes, meta, and who owns a review.

Consistency: LOCAL_QUORUM throughout: what one app server acknowledged is what all read next.
"""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from catalog_api.domain.errors import MissingItemError
from catalog_api.repositories.moments import moment
from catalog_api.repositories.repository import Repository
from schema.reviews import (
    Review,
    id_block_of,
    render_meta_delta,
    render_review,
    render_review_source,
)
from schema.statements.reviews import (
    REPORT_REVIEW,
    SCAN_REVIEW_KEYS,
    SELECT_FIRST_REVIEWS,
    SELECT_META_DELTAS,
    SELECT_REVIEW_CHANGES,
    SELECT_REVIEW_META,
    SELECT_REVIEW_META_BASE,
    SELECT_REVIEW_OWNER,
    SELECT_REVIEWS,
    WRITE_NEW_REVIEW,
)

_SCAN_ROWS = 1_000


class StoredReview(NamedTuple):
    """A row of `reviews_by_product`; `written_at_ms` in milliseconds since 1970."""

    review_id: int
    helpfulness: int | None
    reported: bool | None
    written_at_ms: int | None
    body: bytes | None
    votes: int | None


class ReviewKey(NamedTuple):
    """What decides a review's place in the lists."""

    review_id: int
    helpfulness: int | None
    votes: int | None
    reported: bool | None
    written_at_ms: int | None


class ReviewChange(NamedTuple):
    """What happened to a review: only the columns that the change is about are set."""

    review_id: int
    votes: int | None
    reported: bool | None
    written_at_ms: int | None


class ReviewsRepository(Repository):
    """Reads and writes reviews through the ring client."""

    async def fetch_first(self, product_id: int) -> list[StoredReview]:
        """Return the first reviews of a product by id: one more than `FEW_REVIEWS` at the most.

        One partition, one round trip.

        Raises:
            RingError: too few replicas answered in time.
        """
        rows = await self._execute(SELECT_FIRST_REVIEWS, (product_id,))
        return list(map(StoredReview._make, rows))

    async def fetch_some(self, product_id: int, review_ids: Sequence[int]) -> list[StoredReview]:
        """Return these reviews of a product, in no order. One partition, one round trip.

        Raises:
            RingError: too few replicas answered in time.
        """
        if not review_ids:
            return []
        rows = await self._execute(SELECT_REVIEWS, (product_id, list(review_ids)))
        return list(map(StoredReview._make, rows))

    async def scan_keys(self, product_id: int) -> AsyncIterator[list[ReviewKey]]:
        """Iterate over the keys of all reviews of a product, a thousand a round trip.

        Raises:
            RingError: too few replicas answered in time.
        """
        async for page in self._rows.pages(
            SCAN_REVIEW_KEYS.name,
            (product_id,),
            page_rows=_SCAN_ROWS,
            timeout_seconds=self._timeout_seconds,
        ):
            yield [ReviewKey(*row) for row in page]

    async def fetch_changes(self, product_id: int, since: int) -> list[ReviewChange]:
        """Return what changed since a moment, as `moments.position_of` counts. One round trip.

        Raises:
            RingError: too few replicas answered in time.
        """
        rows = await self._execute(SELECT_REVIEW_CHANGES, (product_id, since))
        return [ReviewChange(*row) for row in rows]

    async def fetch_owner(self, review_id: int) -> int:
        """Return the product that a review belongs to. One round trip.

        Raises:
            MissingItemError: there is no such review.
            RingError: too few replicas answered in time.
        """
        rows = await self._execute(SELECT_REVIEW_OWNER, (id_block_of(review_id), review_id))
        # A review that was taken away belongs to product 0 or to none.
        if not rows or not rows[0][0]:
            raise MissingItemError(f"review {review_id}")
        return int(rows[0][0])

    async def write(self, product_id: int, review: Review) -> None:
        """Store a new review: its owner, and in one mutation its row, its change and its meta.

        Idempotent. Two partitions, one round trip.

        Raises:
            RingError: it is stored in part or not at all.
        """
        review_id, written_at_ms, now = review.review_id, review.written_at_ms, moment()
        row = (
            *(product_id, review_id, render_review(review), render_review_source(review)),
            written_at_ms,
            *(product_id, now, review_id, written_at_ms),
            *(product_id, now, render_meta_delta(review)),
            *(id_block_of(review_id), review_id, product_id),
        )
        await self._execute(WRITE_NEW_REVIEW, row)

    async def report(self, product_id: int, review_id: int) -> None:
        """Hide a review from lists. Idempotent; one mutation.

        Raises:
            RingError: it may or may not be hidden.
        """
        values = (product_id, review_id, product_id, moment(), review_id)
        await self._execute(REPORT_REVIEW, values)

    async def fetch_meta(
        self, product_id: int, *, base_only: bool = False
    ) -> tuple[bytes | None, bytes | None, list[tuple[int, bytes]]]:
        """Return the base's body, its totals, and the first deltas by moment. One round trip.

        Args:
            product_id: any id.
            base_only: without deltas; else `FEW_META_DELTAS` of them at the least if there are.

        Raises:
            RingError: too few replicas answered in time.
        """
        statement = SELECT_REVIEW_META_BASE if base_only else SELECT_REVIEW_META
        rows = await self._execute(statement, (product_id,))
        body = totals = None
        deltas: list[tuple[int, bytes]] = []
        for delta, meta, sums in rows:
            if delta:
                deltas.append((delta, sums))
            else:
                body, totals = meta, sums
        return body, totals, deltas

    async def fetch_deltas(self, product_id: int, since: int) -> list[tuple[int, bytes]]:
        """Return all deltas from a moment on, a thousand a round trip.

        Raises:
            RingError: too few replicas answered in time.
        """
        pages = self._rows.pages(
            SELECT_META_DELTAS.name,
            (product_id, since),
            page_rows=_SCAN_ROWS,
            timeout_seconds=self._timeout_seconds,
        )
        return [(delta, totals) async for page in pages for delta, totals in page]
