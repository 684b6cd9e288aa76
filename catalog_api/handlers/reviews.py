"""Reviews: lists, meta, new ones, votes and reports."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiohttp import web

from catalog_api.answers import NO_CONTENT, Answer
from catalog_api.bodies import read_body, read_bytes
from catalog_api.domain.errors import InvalidBodyError, InvalidIdError, MissingItemError
from catalog_api.domain.item_id import read_path_id, read_query_id
from catalog_api.domain.page import read_page
from catalog_api.domain.submissions import NewReview
from catalog_api.endpoints import Endpoint, Handler
from catalog_api.handlers.legacy import (
    CREATED,
    Headers,
    LegacyForms,
    Query,
    refusal,
)
from catalog_api.lane import LaneRead
from catalog_api.services.reviews import ReviewsService, read_sort
from schema.profiles import to_2020_meta, to_2020_reviews

INVALID_PRODUCT: Final = "Error: invalid product_id provided"
INVALID_REVIEW: Final = "Error: Review body contains invalid entries"
INVALID_REVIEW_ID: Final = "Error: invalid review id provided"


class ReviewsHandler:
    """Answers for reviews.

    Args:
        reviews: what can be done with them.
        forms: makes the forms that callers ask for.
        max_page_rows: most rows of one page.
        body_seconds: longest that a caller may take to send a body.
    """

    def __init__(
        self,
        reviews: ReviewsService,
        forms: LegacyForms,
        *,
        max_page_rows: int,
        body_seconds: float,
    ) -> None:
        self._reviews = reviews
        self._forms = forms
        self._max_page_rows = max_page_rows
        self._body_seconds = body_seconds

    async def answer_list(self, _id: int, query: Query, headers: Headers) -> Answer:
        """Return a page of a product's reviews, or the legacy 422.

        Raises:
            BadRequestError: a page, an order or a profile that is not served.
            RingError: too few replicas answered in time.
        """
        try:
            product_id = read_query_id(query.get("product_id"))
        except InvalidIdError:
            return refusal(422, INVALID_PRODUCT)
        page = read_page(query.get("page"), query.get("count"), max_rows=self._max_page_rows)
        sort = read_sort(query.get("sort"))
        self._forms.choose(headers)
        reviews = await self._reviews.fetch_list(product_id, page, sort)
        echoed = (page.number - 1) * page.count
        body = b'{"product":"%d","page":%d,"count":%d,"results":[%b]}' % (
            product_id,
            echoed,
            page.count,
            b",".join(reviews),
        )
        return await self._forms.fresh(body, headers, to_2020_reviews)

    async def answer_meta(self, _id: int, query: Query, headers: Headers) -> Answer:
        """Return what a product's reviews come to, or the legacy 422.

        Raises:
            BadRequestError: a profile that is not served.
            RingError: too few replicas answered in time.
        """
        try:
            product_id = read_query_id(query.get("product_id"))
        except InvalidIdError:
            return refusal(422, INVALID_PRODUCT)
        self._forms.choose(headers)
        body = await self._reviews.fetch_meta(product_id)
        return await self._forms.fresh(body, headers, to_2020_meta)

    def lane_reads(self) -> tuple[LaneRead, ...]:
        """Return what the fast lane may take."""
        return (
            LaneRead("/reviews", self.answer_list),
            LaneRead("/reviews/meta", self.answer_meta),
        )

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoints of reviews."""
        one = "/reviews/{id}"
        vote, report = self._reviews.vote, self._reviews.report
        return [
            Endpoint("GET", "/reviews", self._list, "A page of a product's reviews", "reviews"),
            Endpoint("GET", "/reviews/meta", self._meta, "What they come to", "reviews"),
            Endpoint("POST", "/reviews", self._post, "Write a review", "reviews", body=NewReview),
            Endpoint("PUT", f"{one}/helpful", self._put(vote), "Find it helpful", "reviews"),
            Endpoint("PUT", f"{one}/report", self._put(report), "Hide it from lists", "reviews"),
        ]

    async def _list(self, request: web.Request) -> Answer:
        return await self.answer_list(0, request.query, request.headers)

    async def _meta(self, request: web.Request) -> Answer:
        return await self.answer_meta(0, request.query, request.headers)

    async def _post(self, request: web.Request) -> Answer:
        try:
            new = await read_body(
                request, NewReview, timeout_seconds=self._body_seconds, lenient=True
            )
            await self._reviews.post(new)
        except (InvalidBodyError, MissingItemError):
            return refusal(422, INVALID_REVIEW)
        return CREATED

    def _put(self, change: Callable[[int], Awaitable[None]]) -> Handler:
        async def handle(request: web.Request) -> Answer:
            await read_bytes(request, timeout_seconds=self._body_seconds)
            try:
                await change(read_path_id(request.match_info["id"]))
            except (InvalidIdError, MissingItemError):
                return refusal(404, INVALID_REVIEW_ID)
            return Answer(NO_CONTENT)

        return handle
