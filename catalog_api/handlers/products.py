"""GET of products: one by id, its styles, its related ones, and the pages of all.

The reads answer for the fast lane and for the application alike, so they take what the target holds
and headers, and return an `Answer`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from catalog_api.answers import Answer
from catalog_api.domain.errors import InvalidIdError
from catalog_api.domain.item_id import read_path_id
from catalog_api.domain.page import read_page
from catalog_api.domain.shapes import (
    Id,
    ListedProduct,
    ListedProduct2020,
    ProductWithFeatures,
    ProductWithFeatures2020,
    Styles,
    Styles2020,
)
from catalog_api.endpoints import Endpoint, Handler, Reply, said
from catalog_api.handlers.legacy import (
    PAGE_PARAMETERS,
    READ_PARAMETERS,
    LegacyForms,
    id_parameter,
    read_replies,
    refusal,
)
from catalog_api.lane import Headers, LaneRead, Query
from catalog_api.openapi import examples
from catalog_api.repositories.products import ProductsRepository
from ring.statements import Statement
from schema.documents import etag_of
from schema.profiles import to_2020_list, to_2020_product, to_2020_styles, unchanged
from schema.statements.products import SELECT_PRODUCT, SELECT_RELATED, SELECT_STYLES

INVALID_PRODUCT_ID: Final = "Error: invalid product id provided"


@dataclass(frozen=True, slots=True)
class ProductRead:
    """One of the reads by product id.

    Attributes:
        route: its path, as figures and logs name it.
        statement: selects the stored body and its entity tag.
        convert: turns the decoded body into the 2020 profile.
        replies: its 200 and 304, as callers are told of them.
    """

    route: str
    statement: Statement
    convert: Callable[[Any], Any]
    summary: str
    replies: Mapping[int, Reply]


PRODUCT: Final = ProductRead(
    "/products/{id}",
    SELECT_PRODUCT,
    to_2020_product,
    "One product with its features",
    read_replies(
        "The product.",
        ProductWithFeatures,
        examples.PRODUCT,
        kind_2020=ProductWithFeatures2020,
        convert=to_2020_product,
    ),
)
STYLES: Final = ProductRead(
    "/products/{id}/styles",
    SELECT_STYLES,
    to_2020_styles,
    "Its styles with photos and skus",
    read_replies(
        "The styles, in the order of the files.",
        Styles,
        examples.STYLES,
        kind_2020=Styles2020,
        convert=to_2020_styles,
    ),
)
RELATED: Final = ProductRead(
    "/products/{id}/related",
    SELECT_RELATED,
    unchanged,
    "The ids of its related products",
    read_replies(
        "The ids, in the order of the files; some may stand twice, the product's own among them.",
        list[Id],
        examples.RELATED,
    ),
)
_LIST_REPLIES: Final = read_replies(
    "The products.",
    list[ListedProduct],
    [examples.LISTED_PRODUCT],
    kind_2020=list[ListedProduct2020],
    convert=to_2020_list,
)


class ProductsHandler:
    """Answers for products.

    Args:
        products: where they are stored.
        forms: makes the forms that callers ask for.
        max_page_rows: most rows of one page.
    """

    def __init__(
        self, products: ProductsRepository, forms: LegacyForms, *, max_page_rows: int
    ) -> None:
        self._products = products
        self._forms = forms
        self._max_page_rows = max_page_rows

    async def answer_read(self, read: ProductRead, product_id: int, headers: Headers) -> Answer:
        """Return what a read by id answers: 200, 304 or the legacy 404.

        Raises:
            InvalidProfileError: the headers ask for a profile that is not served.
            RingError: no replica answered in time.
        """
        form = self._forms.choose(headers)
        stored = await self._products.fetch_body(read.statement, product_id)
        if stored is None:
            return refusal(404, INVALID_PRODUCT_ID)
        return await self._forms.stored(*stored, form, headers, read.convert)

    async def answer_list(self, query: Query, headers: Headers) -> Answer:
        """Return a page of all products.

        Raises:
            InvalidPageError, InvalidProfileError: what is asked for is not served.
            RingError: no replica answered in time.
        """
        page = read_page(query.get("page"), query.get("count"), max_rows=self._max_page_rows)
        form = self._forms.choose(headers)
        body = b"[" + b",".join(await self._products.fetch_page(page)) + b"]"
        return await self._forms.stored(body, etag_of(body), form, headers, to_2020_list)

    def lane_reads(self) -> tuple[LaneRead, ...]:
        """Return what the fast lane may take."""

        def by_id(read: ProductRead) -> LaneRead:
            async def answer(product_id: int, _query: Query, headers: Headers) -> Answer:
                return await self.answer_read(read, product_id, headers)

            return LaneRead(read.route, answer)

        return tuple(by_id(read) for read in (PRODUCT, STYLES, RELATED))

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoints of products."""
        reads = [
            Endpoint(
                "GET",
                read.route,
                self._by_id(read),
                read.summary,
                "products",
                parameters=(id_parameter("product"), *READ_PARAMETERS),
                replies={**read.replies, 404: said(INVALID_PRODUCT_ID)},
            )
            for read in (PRODUCT, STYLES, RELATED)
        ]
        return [
            Endpoint(
                "GET",
                "/products",
                self._list,
                "A page of all products, by id",
                "products",
                parameters=(*PAGE_PARAMETERS, *READ_PARAMETERS),
                replies=_LIST_REPLIES,
            ),
            *reads,
        ]

    def _by_id(self, read: ProductRead) -> Handler:
        async def handle(request: web.Request) -> Answer:
            try:
                product_id = read_path_id(request.match_info["id"])
            except InvalidIdError:
                return refusal(404, INVALID_PRODUCT_ID)
            return await self.answer_read(read, product_id, request.headers)

        return handle

    async def _list(self, request: web.Request) -> Answer:
        return await self.answer_list(request.query, request.headers)
