"""What the routes of /v1 have in common: ids, forms of documents, preconditions, guards."""

from collections.abc import Callable
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]
import msgspec
import orjson
from aiohttp import hdrs, web

from catalog_api.answers import JSON_TYPE, MSGPACK_TYPE, Answer, AnswerKind
from catalog_api.domain.errors import InvalidIdError, MissingItemError
from catalog_api.domain.item_id import read_query_id
from catalog_api.domain.preconditions import Precondition
from catalog_api.encoding import Encoder, Representation, choose
from catalog_api.endpoints import Handler, Parameter, Reply
from catalog_api.entity_tags import read_precondition
from catalog_api.handlers.legacy import joined
from catalog_api.lane import Headers

Guard = Callable[[Handler], Handler]

KNOWN: Final = Parameter(
    "If-None-Match", "header", str, "Entity tags that the caller has; a 304 if one still holds."
)
NOT_MODIFIED: Final = Reply("The caller has it already.", headers=("ETag",))
BODY_TYPES: Final = ("application/json", MSGPACK_TYPE)


def document_reply(description: str, kind: Any, *headers: str, example: object = None) -> Reply:
    """Return an answer of `DocumentForms`; `headers` beside its entity tag."""
    return Reply(description, JSON_TYPE, kind, example, packed=True, headers=("ETag", *headers))


_PROFILE: Final = "2021"
_KINDS: Final = {
    (status, packed): AnswerKind(status, MSGPACK_TYPE if packed else JSON_TYPE, negotiated=True)
    for status in (200, 201)
    for packed in (False, True)
}


def unguarded(handle: Handler) -> Handler:
    """Let everybody in."""
    return handle


def read_id(request: web.Request, what: str) -> int:
    """Return the id of the path: digits only, and not 0.

    Raises:
        MissingItemError: nothing can have such an id.
    """
    text = request.match_info["id"]
    try:
        item_id = read_query_id(text)
    except InvalidIdError:
        item_id = 0
    if not item_id:
        raise MissingItemError(f"There is no {what} {text[:32]!r}.")
    return item_id


def precondition_of(request: web.Request) -> Precondition:
    """Return what the request makes a condition of its change."""
    headers = request.headers
    return read_precondition(joined(headers, hdrs.IF_MATCH), joined(headers, hdrs.IF_NONE_MATCH))


class DocumentForms:
    """Makes answers of documents: JSON, MessagePack, gzip.

    Args:
        encoder: makes the forms of what is read.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def _choose(self, headers: Headers) -> Representation:
        return choose(_PROFILE, joined(headers, hdrs.ACCEPT), joined(headers, hdrs.ACCEPT_ENCODING))

    async def read(
        self, document: Any, etag: str, headers: Headers, *, cacheable: bool = True
    ) -> Answer:
        """Answer a read: 200, or 304 when the caller has this form already.

        Args:
            document: a msgspec value, or JSON as bytes.
            etag: of its state.
            headers: the request's.
            cacheable: whether caches may keep it.
        """
        body = document if isinstance(document, bytes) else msgspec.json.encode(document)
        if_none_match = joined(headers, hdrs.IF_NONE_MATCH)
        return await self._encoder.answer(
            body, etag, self._choose(headers), if_none_match, _as_it_is, cacheable=cacheable
        )

    def changed(
        self, status: int, document: Any, etag: str, headers: Headers, *, location: str = ""
    ) -> Answer:
        """Answer a change with what is there now: 200, or 201 and where it is."""
        packed = self._choose(headers).msgpack
        body = msgspec.json.encode(document)
        if packed:
            body = msgpack.packb(orjson.loads(body))
            etag += "-msgpack"
        lines = f"Location: {location}\r\n" if location else ""
        return Answer(_KINDS[status, packed], body, etag, lines)


def _as_it_is(body: Any) -> Any:
    return body
