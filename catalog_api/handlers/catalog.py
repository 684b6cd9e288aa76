"""Products as documents under /v1: read, create, replace, patch, delete."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final, TypeVar

from aiohttp import web
from msgspec import Meta

from catalog_api.answers import MSGPACK_TYPE, NO_CONTENT, Answer
from catalog_api.bodies import JSON_TYPE, MERGE_PATCH_TYPE, check, read_bytes, read_document
from catalog_api.domain.api_key import Role
from catalog_api.domain.products import DocumentId, NewProduct, ProductDocument, ProductPatch
from catalog_api.endpoints import Endpoint, Parameter, Reply, problem_reply
from catalog_api.entity_tags import CONDITION_PATTERN
from catalog_api.handlers.documents import (
    BODY_TYPES,
    KNOWN,
    NOT_MODIFIED,
    DocumentForms,
    Guard,
    document_reply,
    precondition_of,
    read_id,
    unguarded,
)
from catalog_api.idempotency import IDEMPOTENCY_PARAMETER, IN_PROGRESS, Idempotent
from catalog_api.openapi.examples import DOCUMENT, NEW_DOCUMENT
from catalog_api.services.catalog import CatalogService, Saved

PATH: Final = "/v1/products"
ONE: Final = f"{PATH}/{{id}}"
_GROUP: Final = "catalog"
_ID: Final = Parameter("id", "path", DocumentId, "Id of the product", required=True, example=1)
_CONDITION: Final = Annotated[str, Meta(pattern=f"^{CONDITION_PATTERN}$")]
_CONDITIONS: Final = (
    Parameter(
        *("If-Match", "header", _CONDITION),
        "Change only a state that has one of these entity tags; `*`: only what exists",
        example="*",
    ),
    Parameter(
        *("If-None-Match", "header", _CONDITION),
        "Change only a state that has none of these entity tags; `*`: only what does not exist",
        example='"0123456789abcdef"',
    ),
)
_DOCUMENT: Final = document_reply("The product.", ProductDocument, example=DOCUMENT)
_CREATED: Final = document_reply(
    "The product, which is new.", ProductDocument, "Location", example=DOCUMENT
)
_MISSING: Final = problem_reply("There is no such product.")
_FAILED: Final = problem_reply("A precondition does not hold.")
_TYPE: Final = problem_reply("The body is neither JSON of the type wanted nor MessagePack.")
_INVALID: Final = problem_reply("The body is no product; the detail says what and where.")
_EDITOR: Final = Role.EDITOR.value
_Sent = TypeVar("_Sent")


class CatalogHandler:
    """Answers for products as documents.

    Args:
        catalog: what can be done with them.
        forms: makes the forms that callers ask for.
        idempotent: lets a POST be repeated.
        body_seconds: longest that a caller may take to send a body.
        guard: lets only those in who may change the catalog.
    """

    def __init__(
        self,
        catalog: CatalogService,
        forms: DocumentForms,
        idempotent: Idempotent,
        *,
        body_seconds: float,
        guard: Guard = unguarded,
    ) -> None:
        self._catalog = catalog
        self._forms = forms
        self._idempotent = idempotent
        self._body_seconds = body_seconds
        self._guard = guard

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoints of products as documents."""
        return [self._get_endpoint(), self._post_endpoint(), *self._change_endpoints()]

    def _get_endpoint(self) -> Endpoint:
        return Endpoint(
            *("GET", ONE, self._get, "One product with everything that belongs to it", _GROUP),
            parameters=[_ID, KNOWN],
            replies={200: _DOCUMENT, 304: NOT_MODIFIED, 404: _MISSING},
            legacy=False,
        )

    def _post_endpoint(self) -> Endpoint:
        return Endpoint(
            *("POST", PATH, self._guard(self._idempotent.wrap(self._post))),
            *("Create a product", _GROUP),
            parameters=[IDEMPOTENCY_PARAMETER],
            body=NewProduct,
            body_example=NEW_DOCUMENT,
            body_types=BODY_TYPES,
            replies={
                201: replace(_CREATED, headers=(*_CREATED.headers, "Idempotent-Replayed")),
                409: IN_PROGRESS,
                415: _TYPE,
                422: _INVALID,
            },
            legacy=False,
            role=_EDITOR,
        )

    def _change_endpoints(self) -> Sequence[Endpoint]:
        return [
            Endpoint(
                *("PUT", ONE, self._guard(self._put), "Create or replace a product", _GROUP),
                parameters=[_ID, *_CONDITIONS],
                body=ProductDocument,
                body_example=NEW_DOCUMENT,
                body_types=BODY_TYPES,
                replies={
                    200: _DOCUMENT,
                    201: _CREATED,
                    404: problem_reply("Nothing can have this id"),
                    409: problem_reply("There was never such a product; POST gives its id."),
                    412: _FAILED,
                    415: _TYPE,
                    422: _INVALID,
                },
                legacy=False,
                role=_EDITOR,
            ),
            Endpoint(
                *("PATCH", ONE, self._guard(self._patch), "Change a product", _GROUP),
                parameters=[_ID, *_CONDITIONS],
                body=ProductPatch,
                body_types=(MERGE_PATCH_TYPE, MSGPACK_TYPE),
                body_example={"slogan": None, "properties": {"organic": False}},
                replies={200: _DOCUMENT, 404: _MISSING, 412: _FAILED, 415: _TYPE, 422: _INVALID},
                legacy=False,
                role=_EDITOR,
            ),
            Endpoint(
                *("DELETE", ONE, self._guard(self._delete), "Take a product away", _GROUP),
                parameters=[_ID, *_CONDITIONS],
                replies={204: Reply("It is gone"), 404: _MISSING, 412: _FAILED},
                legacy=False,
                role=_EDITOR,
            ),
        ]

    async def _get(self, request: web.Request) -> Answer:
        document, etag = await self._catalog.fetch(read_id(request, "product"))
        return await self._forms.read(document, etag, request.headers)

    async def _post(self, request: web.Request) -> Answer:
        document = await self._document(request, NewProduct)
        return self._saved(await self._catalog.create(document), request)

    async def _put(self, request: web.Request) -> Answer:
        product_id = read_id(request, "product")
        document = await self._document(request, ProductDocument)
        saved = await self._catalog.replace(product_id, document, precondition_of(request))
        return self._saved(saved, request)

    async def _patch(self, request: web.Request) -> Answer:
        product_id = read_id(request, "product")
        patch = await self._document(request, ProductPatch, json_type=MERGE_PATCH_TYPE)
        saved = await self._catalog.patch(product_id, patch, precondition_of(request))
        return self._saved(saved, request)

    async def _delete(self, request: web.Request) -> Answer:
        product_id = read_id(request, "product")
        await read_bytes(request, timeout_seconds=self._body_seconds)
        await self._catalog.delete(product_id, precondition_of(request))
        return Answer(NO_CONTENT)

    async def _document(
        self, request: web.Request, kind: type[_Sent], *, json_type: str = JSON_TYPE
    ) -> _Sent:
        document = await read_document(
            request, json_type=json_type, timeout_seconds=self._body_seconds
        )
        return check(document, kind)

    def _saved(self, saved: Saved, request: web.Request) -> Answer:
        return self._forms.changed(
            201 if saved.is_new else 200,
            saved.document,
            saved.etag,
            request.headers,
            location=f"{PATH}/{saved.document.id}" if saved.is_new else "",
        )
