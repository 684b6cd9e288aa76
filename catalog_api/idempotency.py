"""`Idempotency-Key`: a repeated POST is answered as the first one was."""

from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Final

from aiohttp import hdrs, web
from msgspec import Meta
from multidict import istr

from catalog_api.answers import Answer, AnswerKind
from catalog_api.bodies import read_bytes
from catalog_api.domain.errors import InvalidKeyError
from catalog_api.endpoints import Endpoint, Handler, Parameter, problem_reply
from catalog_api.repositories.idempotency import StoredAnswer
from catalog_api.services.idempotency import Idempotency

IDEMPOTENCY_KEY: Final = istr("Idempotency-Key")
IDEMPOTENCY_PARAMETER: Final = Parameter(
    str(IDEMPOTENCY_KEY),
    "header",
    Annotated[str, Meta(pattern="^[ -~]{1,255}$")],
    "The same request under the same key is answered the same for 24 hours.",
    example="import-17-line-4",
)
IN_PROGRESS: Final = problem_reply("The same request is being worked on.")
REPLAYED: Final = "Idempotent-Replayed: true\r\n"
_MAX_KEY: Final = 255


class Idempotent:
    """Makes handlers of POST idempotent for callers who send a key.

    Args:
        requests: remembers what was answered.
        body_seconds: longest that a caller may take to send a body.
    """

    def __init__(self, requests: Idempotency, *, body_seconds: float) -> None:
        self._requests = requests
        self._body_seconds = body_seconds

    def repeatable(self, endpoint: Endpoint) -> Endpoint:
        """Return the endpoint of a POST with its handler wrapped, and with what that adds."""
        replies = {
            status: replace(
                reply,
                headers=(*reply.headers, "Idempotent-Replayed"),
                or_problem=reply.or_problem or status == 422,
            )
            for status, reply in endpoint.replies.items()
        }
        return replace(
            endpoint,
            handle=self.wrap(endpoint.handle),
            parameters=(*endpoint.parameters, IDEMPOTENCY_PARAMETER),
            replies={409: IN_PROGRESS, **replies},
        )

    def wrap(self, handle: Handler) -> Handler:
        """Return the handler with the key looked at before it; guards belong around this."""

        async def handle_once(request: web.Request) -> Answer:
            key = read_key(request)
            if key is None:
                return await handle(request)
            body = await read_bytes(request, timeout_seconds=self._body_seconds)

            async def work() -> StoredAnswer:
                return stored_answer(await handle(request))

            asked = hash_of(request.query_string, request.content_type, body)
            answer, replayed = await self._requests.run(scope_of(request, key), asked, work)
            return _replay(answer) if replayed else _answer(answer)

        return handle_once


def read_key(request: web.Request) -> str | None:
    """Return the caller's key; None without one.

    Raises:
        InvalidKeyError: it is empty, too long, or not printable ASCII.
    """
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is not None and not (0 < len(key) <= _MAX_KEY and key.isascii() and key.isprintable()):
        raise InvalidKeyError(f"Idempotency-Key: 1 to {_MAX_KEY} printable ASCII characters")
    return key


def scope_of(request: web.Request, key: str) -> str:
    """Return under what the request is remembered: its caller, its route and its key."""
    resource = request.match_info.route.resource
    route = "" if resource is None else resource.canonical.rstrip("/")
    return hash_of(request.headers.get(hdrs.AUTHORIZATION, ""), route, key)


def hash_of(*parts: str | bytes) -> str:
    """Return a hash of texts and bytes, in this order and division."""
    digest = sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()


def stored_answer(answer: Answer) -> StoredAnswer:
    """Return what is kept of an answer."""
    kind = answer.kind
    return StoredAnswer(kind.status, kind.content_type, answer.etag, answer.headers, answer.body)


def _answer(stored: StoredAnswer) -> Answer:
    kind = _kind(stored.status, stored.content_type)
    return Answer(kind, stored.body, stored.etag, stored.headers)


def _replay(stored: StoredAnswer) -> Answer:
    return _answer(stored._replace(headers=stored.headers + REPLAYED))


@lru_cache(maxsize=64)
def _kind(status: int, content_type: str | None) -> AnswerKind:
    # What answers to POST vary by; they are never kept by caches, nor compressed.
    return AnswerKind(status, content_type, negotiated=True)
