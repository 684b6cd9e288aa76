"""`GET /v1/products/find`: searches."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from catalog_api.answers import Answer
from catalog_api.domain.find import (
    MAX_CATEGORY,
    MAX_LIMIT,
    MAX_PROPERTIES,
    MAX_PROPERTY,
    PRICE_PATTERN,
    FoundCount,
    FoundPage,
    Order,
    read_limit,
    read_search,
)
from catalog_api.domain.page_tokens import TOKEN_PATTERN, PageTokens
from catalog_api.endpoints import Endpoint, Parameter, problem_reply
from catalog_api.handlers.documents import KNOWN, NOT_MODIFIED, DocumentForms, document_reply
from catalog_api.openapi.examples import FOUND
from catalog_api.services.find import FindService
from schema.documents import etag_of

DEFAULT_LIMIT: Final = 20

_CATEGORY: Final = Annotated[str, Meta(min_length=1, max_length=MAX_CATEGORY)]
_PRICE: Final = Annotated[str, Meta(pattern=f"^{PRICE_PATTERN}$")]
_Property = Annotated[str, Meta(pattern="^[^=]+=", max_length=MAX_PROPERTY)]
_LIMIT: Final = Annotated[int, Meta(ge=1, le=MAX_LIMIT)]
_TOKEN: Final = Annotated[str, Meta(pattern=TOKEN_PATTERN)]
_SORT: Final = Literal.__getitem__(tuple(order.value for order in Order))
_PARAMETERS: Final = (
    Parameter("category", "query", _CATEGORY, "Products of this category", example="Jackets"),
    Parameter("min_price", "query", _PRICE, "The lowest price wanted", example="10"),
    Parameter("max_price", "query", _PRICE, "The highest price wanted", example="199.99"),
    Parameter(
        "on_sale", "query", bool, "Only products that are on sale, or only others", example=False
    ),
    Parameter(
        "in_stock", "query", bool, "Only products in stock, or only sold-out ones", example=True
    ),
    Parameter(
        *("property", "query", Annotated[list[_Property], Meta(max_length=MAX_PROPERTIES)]),
        "A property and its value, `name=value`; a product must have all that are given",
        example=["Fabric=Canvas"],
    ),
    Parameter("sort", "query", _SORT, "Newest, cheapest or dearest first", example="price"),
    Parameter(
        *("limit", "query", _LIMIT, "Products of a page, as far as the deployment's limit goes"),
        example=20,
        default=DEFAULT_LIMIT,
    ),
    Parameter(
        *("page_token", "query", _TOKEN, "`next_page_token` of the page before, same search")
    ),
)
_REPLIES: Final = {
    200: document_reply("A page; with a token there may be more.", FoundPage, example=FOUND),
    304: NOT_MODIFIED,
    400: problem_reply("What is asked for cannot be; the detail says why."),
}


class FindHandler:
    """Answers searches.

    Args:
        find: finds products.
        tokens: say where pages go on.
        forms: makes the forms that callers ask for.
        max_rows: most products of one page.
    """

    def __init__(
        self, find: FindService, tokens: PageTokens, forms: DocumentForms, *, max_rows: int
    ) -> None:
        self._find = find
        self._tokens = tokens
        self._forms = forms
        self._max_rows = max_rows

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoint of searches."""
        return [
            Endpoint(
                *("GET", "/v1/products/find", self._answer, "Products by what they are", "catalog"),
                parameters=(*_PARAMETERS, KNOWN),
                replies=_REPLIES,
                legacy=False,
            )
        ]

    async def _answer(self, request: web.Request) -> Answer:
        """Return a page of what is searched for.

        Raises:
            BadRequestError: what is asked for cannot be, or the token is none of ours.
            RingError: too few replicas answered in time.
        """
        query = request.query
        search = read_search(query.items())
        limit = read_limit(query.get("limit"), default=DEFAULT_LIMIT, most=self._max_rows)
        token = query.get("page_token")
        position = None if token is None else self._tokens.read(token, search.fingerprint)
        found = await self._find.find(search, limit, position)
        behind = found.position
        page = FoundPage(
            products=found.products,
            next_page_token=(
                None if behind is None else self._tokens.sign(behind, search.fingerprint)
            ),
            count=FoundCount(found.estimate, found.is_exact),
        )
        body = msgspec.json.encode(page)
        return await self._forms.read(body, etag_of(body), request.headers, cacheable=False)
