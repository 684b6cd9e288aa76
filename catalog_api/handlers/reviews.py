"""Reviews: lists, meta, new ones, votes and reports."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiohttp import web

from catalog_api.answers import Answer
from catalog_api.bodies import read_body
from catalog_api.domain.errors import InvalidBodyError, InvalidIdError, MissingItemError
from catalog_api.domain.feedback_shapes import (
    ReviewMeta,
    ReviewMeta2020,
    ReviewPage,
    ReviewPage2020,
)
from catalog_api.domain.item_id import read_query_id
from catalog_api.domain.page import read_page
from catalog_api.domain.submissions import NewReview
from catalog_api.endpoints import Endpoint, Parameter, said
from catalog_api.guards import Guard
from catalog_api.handlers.legacy import (
    CREATED,
    LEGACY_BODY_TYPES,
    PAGE_PARAMETERS,
    PRODUCT_ID,
    READ_PARAMETERS,
    LegacyForms,
    change_endpoint,
    changing,
    read_replies,
    refusal,
)
from catalog_api.lane import Headers, LaneRead, Query
from catalog_api.openapi import examples
from catalog_api.services.reviews import ReviewsService, Sort, read_sort
from schema.profiles import to_2020_meta, to_2020_reviews

INVALID_PRODUCT: Final = "Error: invalid product_id provided"
INVALID_REVIEW: Final = "Error: Review body contains invalid entries"
INVALID_REVIEW_ID: Final = "Error: invalid review id provided"
SORT: Final = Parameter(
    "sort",
    "query",
    Sort,
    "Newest first, or the most helpful first; relevant is the same as helpful.",
    example="newest",
    default="relevant",
)
_LIST_REPLIES: Final = read_replies(
    "The reviews; none when there are no more.",
    ReviewPage,
    examples.REVIEWS,
    kind_2020=ReviewPage2020,
    convert=to_2020_reviews,
)
_META_REPLIES: Final = read_replies(
    "Numbers of reviews, and the means of the product's characteristics.",
    ReviewMeta,
    examples.REVIEW_META,
    kind_2020=ReviewMeta2020,
    convert=to_2020_meta,
)


class ReviewsHandler:
    """Answers for reviews.

    Args:
        reviews: what can be done with them.
        forms: makes the forms that callers ask for.
        guard: limits what callers write.
        max_page_rows: most rows of one page.
        body_seconds: longest that a caller may take to send a body.
    """

    def __init__(
        self,
        reviews: ReviewsService,
        forms: LegacyForms,
        guard: Guard,
        *,
        max_page_rows: int,
        body_seconds: float,
    ) -> None:
        self._reviews = reviews
        self._forms = forms
        self._guard = guard
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
        form = self._forms.choose(headers)
        reviews = await self._reviews.fetch_list(product_id, page, sort)
        echoed = (page.number - 1) * page.count
        body = b'{"product":"%d","page":%d,"count":%d,"results":[%b]}' % (
            product_id,
            echoed,
            page.count,
            b",".join(reviews),
        )
        return await self._forms.fresh(body, form, headers, to_2020_reviews)

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
        form = self._forms.choose(headers)
        body = await self._reviews.fetch_meta(product_id)
        return await self._forms.fresh(body, form, headers, to_2020_meta)

    def lane_reads(self) -> tuple[LaneRead, ...]:
        """Return what the fast lane may take."""
        return (
            LaneRead("/reviews", self.answer_list),
            LaneRead("/reviews/meta", self.answer_meta),
        )

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoints of reviews."""
        return [
            Endpoint(
                "GET",
                "/reviews",
                self._list,
                "A page of a product's reviews",
                "reviews",
                parameters=(PRODUCT_ID, *PAGE_PARAMETERS, SORT, *READ_PARAMETERS),
                replies={**_LIST_REPLIES, 422: said(INVALID_PRODUCT)},
                description="Reported ones are left out. A product that is not there has none.",
            ),
            Endpoint(
                "GET",
                "/reviews/meta",
                self._meta,
                "What they come to",
                "reviews",
                parameters=(PRODUCT_ID, *READ_PARAMETERS),
                replies={**_META_REPLIES, 422: said(INVALID_PRODUCT)},
                description="Reported ones count too, so that a report cannot move a rating.",
            ),
            Endpoint(
                "POST",
                "/reviews",
                self._guard.posts(self._post),
                "Write a review",
                "reviews",
                body=NewReview,
                body_example=examples.NEW_REVIEW,
                body_types=LEGACY_BODY_TYPES,
                replies={201: said("Created"), 422: said(INVALID_REVIEW)},
                limited=True,
                description="It is in the very next list and in the meta.",
            ),
            self._change("helpful", self._reviews.vote, "Find it helpful: one vote more"),
            self._change("report", self._reviews.report, "Hide it from lists"),
        ]

    def _change(
        self, name: str, change: Callable[[int], Awaitable[None]], summary: str
    ) -> Endpoint:
        return change_endpoint(
            f"/reviews/{{id}}/{name}",
            self._guard.votes(changing(change, INVALID_REVIEW_ID, body_seconds=self._body_seconds)),
            summary,
            "reviews",
            of="review",
            refused=INVALID_REVIEW_ID,
        )

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
