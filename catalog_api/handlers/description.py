"""The API's description of itself: `GET /openapi.json`."""

from collections.abc import Iterable, Sequence

import orjson
from aiohttp import web

from catalog_api.answers import Answer
from catalog_api.domain.shapes import Document
from catalog_api.endpoints import Endpoint
from catalog_api.handlers.legacy import READ_PARAMETERS, LegacyForms, read_replies
from catalog_api.openapi.document import build_document
from schema.documents import etag_of
from schema.profiles import unchanged


class DescriptionHandler:
    """Answers with the OpenAPI document of all endpoints, made once.

    Args:
        others: all endpoints but its own.
        forms: makes the forms that callers ask for.
        mount: as in the settings.
    """

    def __init__(self, others: Iterable[Endpoint], forms: LegacyForms, *, mount: str) -> None:
        self._forms = forms
        document = build_document([*others, *self.endpoints()], mount=mount)
        self._body = orjson.dumps(document)
        self._etag = etag_of(self._body)

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoint of the document."""
        return [
            Endpoint(
                "GET",
                "/openapi.json",
                self._document,
                "This document",
                "description",
                parameters=READ_PARAMETERS,
                replies=read_replies("OpenAPI 3.1.", Document),
                legacy=False,
            )
        ]

    async def _document(self, request: web.Request) -> Answer:
        form = self._forms.choose(request.headers)
        return await self._forms.stored(self._body, self._etag, form, request.headers, unchanged)
