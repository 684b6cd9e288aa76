"""`GET /v1/products/find`: searches."""

from collections.abc import Sequence

import orjson
from aiohttp import web

from catalog_api.answers import Answer
from catalog_api.domain.find import read_limit, read_search
from catalog_api.domain.page_tokens import PageTokens
from catalog_api.endpoints import Endpoint
from catalog_api.handlers.documents import DocumentForms
from catalog_api.services.find import FindService
from schema.documents import etag_of

_DEFAULT_LIMIT = 20


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
                "GET",
                "/v1/products/find",
                self._answer,
                "Find products by what they are",
                "catalog",
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
        limit = read_limit(query.get("limit"), default=_DEFAULT_LIMIT, most=self._max_rows)
        token = query.get("page_token")
        position = None if token is None else self._tokens.read(token, search.fingerprint)
        found = await self._find.find(search, limit, position)
        behind = found.position
        document = {
            "products": found.products,
            "next_page_token": behind and self._tokens.sign(behind, search.fingerprint),
            "count": {"estimate": found.estimate, "exact": found.is_exact},
        }
        body = orjson.dumps(document)
        return await self._forms.read(body, etag_of(body), request.headers, cacheable=False)
