"""GET of products: one by id, its styles, its related ones, and the pages of all.

The reads by id answer for the fast lane and for the application alike, so they take headers and
return an `Answer`, not a request and a response.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import hdrs, web
from multidict import CIMultiDictProxy, istr

from catalog_api.answers import Answer, legacy_not_found, problem
from catalog_api.domain.errors import (
    InvalidPageError,
    InvalidProductIdError,
    InvalidProfileError,
)
from catalog_api.domain.page import read_page
from catalog_api.domain.product_id import read_product_id
from catalog_api.encoding import Encoder, Representation, choose
from catalog_api.repositories.products import ProductsRepository
from catalog_api.responses import AnswerResponse
from ring.statements import Statement
from schema.documents import etag_of, to_2020_list, to_2020_product, to_2020_styles
from schema.statements import SELECT_PRODUCT, SELECT_RELATED, SELECT_STYLES

LEGACY_PROFILE: Final = istr("X-Legacy-Profile")
INVALID_PRODUCT_ID: Final = "Error: invalid product id provided"

Headers = CIMultiDictProxy[str]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class ProductRead:
    """One of the reads by product id.

    Attributes:
        route: its path, as figures and logs name it.
        statement: selects the stored body and its entity tag.
        convert: turns the decoded body into the 2020 profile.
    """

    route: str
    statement: Statement
    convert: Callable[[Any], Any]


def _unchanged(body: Any) -> Any:
    return body


PRODUCT: Final = ProductRead("/products/{id}", SELECT_PRODUCT, to_2020_product)
STYLES: Final = ProductRead("/products/{id}/styles", SELECT_STYLES, to_2020_styles)
RELATED: Final = ProductRead("/products/{id}/related", SELECT_RELATED, _unchanged)


class ProductsHandler:
    """Answers for products.

    Args:
        products: where they are stored.
        encoder: makes the forms that callers ask for.
        profile: the deployment's profile, for callers that name none.
        max_page_rows: most rows of one page.
    """

    def __init__(
        self,
        products: ProductsRepository,
        encoder: Encoder,
        *,
        profile: str,
        max_page_rows: int,
    ) -> None:
        self._products = products
        self._encoder = encoder
        self._profile = profile
        self._max_page_rows = max_page_rows

    async def answer_read(self, read: ProductRead, product_id: int, headers: Headers) -> Answer:
        """Return what a read by id answers: 200, 304, 400 for a bad profile, or the legacy 404.

        Raises:
            RingError: no replica answered in time.
        """
        try:
            representation = self._representation(headers)
        except InvalidProfileError as error:
            return problem(400, f"{LEGACY_PROFILE}: {error}")
        stored = await self._products.fetch_body(read.statement, product_id)
        if stored is None:
            return legacy_not_found(INVALID_PRODUCT_ID)
        body, etag = stored
        known = joined(headers, hdrs.IF_NONE_MATCH)
        return await self._encoder.answer(body, etag, representation, known, read.convert)

    def by_id(self, read: ProductRead) -> Handler:
        """Return the application's handler of this read."""

        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                product_id = read_product_id(request.match_info["id"])
            except InvalidProductIdError:
                return AnswerResponse(legacy_not_found(INVALID_PRODUCT_ID))
            return AnswerResponse(await self.answer_read(read, product_id, request.headers))

        return handle

    async def list(self, request: web.Request) -> web.StreamResponse:
        """Answer a page of all products.

        Raises:
            RingError: no replica answered in time.
        """
        query, headers = request.query, request.headers
        try:
            representation = self._representation(headers)
            page = read_page(query.get("page"), query.get("count"), max_rows=self._max_page_rows)
        except InvalidProfileError as error:
            return AnswerResponse(problem(400, f"{LEGACY_PROFILE}: {error}"))
        except InvalidPageError as error:
            return AnswerResponse(problem(400, str(error)))
        body = b"[" + b",".join(await self._products.fetch_page(page)) + b"]"
        known = joined(headers, hdrs.IF_NONE_MATCH)
        return AnswerResponse(
            await self._encoder.answer(body, etag_of(body), representation, known, to_2020_list)
        )

    def _representation(self, headers: Headers) -> Representation:
        return choose(
            headers.get(LEGACY_PROFILE, self._profile),
            joined(headers, hdrs.ACCEPT),
            joined(headers, hdrs.ACCEPT_ENCODING),
        )


def joined(headers: Headers, name: istr) -> str | None:
    """Return a list header's value, its lines joined; None when it was not sent."""
    lines = headers.getall(name, None)
    if lines is None:
        return None
    return lines[0] if len(lines) == 1 else ", ".join(lines)
