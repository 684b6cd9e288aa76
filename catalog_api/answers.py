"""Answers: what goes back for a request, and the one place that turns it into bytes.

An answer is made by a handler and knows nothing of connections. `HeadWriter` joins status line,
headers and body into the bytes of the wire; both the fast lane and the application write these
bytes, so the two cannot differ.
"""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Final, Protocol

import orjson

JSON_TYPE: Final = "application/json; charset=utf-8"
TEXT_TYPE: Final = "text/html; charset=utf-8"
MSGPACK_TYPE: Final = "application/msgpack"
NDJSON_TYPE: Final = "application/x-ndjson"
PROBLEM_TYPE: Final = "application/problem+json"
PROMETHEUS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

NO_STORE: Final = "no-store"
_EXPOSED: Final = "ETag, Location, X-Request-Id, Retry-After, RateLimit, RateLimit-Policy"


@dataclass(frozen=True, slots=True, eq=False)
class AnswerKind:
    """The part of a head that many answers share; made once, found by identity.

    Attributes:
        content_type: None for answers without a body.
        cacheable: carries the Cache-Control of the settings, else `no-store`.
        negotiated: product answers, which vary by what the client accepts.
    """

    status: int
    content_type: str | None = None
    cacheable: bool = False
    negotiated: bool = False
    gzip: bool = False


@dataclass(slots=True)
class Answer:
    """One answer.

    Attributes:
        etag: without quotes; empty when there is none.
        headers: further header lines, each ended by CRLF.
    """

    kind: AnswerKind
    body: bytes = b""
    etag: str = ""
    headers: str = ""


class Chunks(Protocol):
    """A body in pieces; an asynchronous generator is one."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over them."""
        ...

    async def aclose(self) -> None:
        """End, whether or not all were taken."""
        ...


@dataclass(slots=True)
class StreamedAnswer(Answer):
    """One answer whose body is made while it is sent.

    Attributes:
        chunks: of the body; closed when the caller has gone. What goes wrong must be told in the
            chunks: an error that they raise cuts the connection.
        sent_bytes: of the body, so far.
        stall_seconds: longest that the caller may read nothing; None: as for all answers.
    """

    chunks: Chunks = field(kw_only=True)
    sent_bytes: int = 0
    stall_seconds: float | None = None


JSON_OK: Final = AnswerKind(200, JSON_TYPE)
METRICS_OK: Final = AnswerKind(200, PROMETHEUS_TYPE)
NO_CONTENT: Final = AnswerKind(204)
_PROBLEM_KINDS: dict[int, AnswerKind] = {}


def problem(status: int, detail: str, *, headers: str = "") -> Answer:
    """Return an error outside the legacy contract, as RFC 9457 problem JSON."""
    kind = _PROBLEM_KINDS.get(status)
    if kind is None:
        kind = _PROBLEM_KINDS[status] = AnswerKind(status, PROBLEM_TYPE)
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return Answer(kind, orjson.dumps(body), headers=headers)


def unavailable(detail: str, retry_after_seconds: int) -> Answer:
    """Return a 503 that says when to come back."""
    return problem(503, detail, headers=f"Retry-After: {retry_after_seconds}\r\n")


class HeadWriter:
    """Writes heads; remembers the constant part of each kind until the clock's next second.

    Attributes:
        draining: the process is about to stop: every answer asks for a new connection.
    """

    def __init__(self, *, cache_control: str, allowed_origins: frozenset[str] | None) -> None:
        self._cache_control = cache_control
        self._allowed_origins = allowed_origins
        self._prefixes: dict[AnswerKind, str] = {}
        self._second = 0
        self.draining = False

    @property
    def reads_origin(self) -> bool:
        """Whether answers depend on the Origin header."""
        return self._allowed_origins is not None

    def tick(self) -> None:
        """Let the next heads carry the current second; called at least once a second."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._prefixes.clear()

    def drain(self) -> None:
        """Ask every caller for a new connection from now on."""
        self.draining = True

    def allows(self, origin: str) -> bool:
        """Whether a browser page of this origin may read."""
        return self._allowed_origins is None or origin in self._allowed_origins

    def origin_headers(self, origin: str | None) -> str:
        """Return the line that lets this one origin read; empty when all may, or it may not."""
        if self._allowed_origins is None or origin not in self._allowed_origins:
            return ""
        return f"Access-Control-Allow-Origin: {origin}\r\n"

    def wire(
        self,
        answer: Answer,
        request_id: str,
        *,
        connection: str = "",
        origin: str | None = None,
        with_body: bool = True,
    ) -> bytes:
        """Return the whole answer as bytes.

        Args:
            answer: what to say.
            request_id: echoed to the caller.
            connection: the Connection header line, if one is needed.
            origin: the caller's Origin header; looked at when only some origins may read.
            with_body: False for HEAD, whose head is that of the GET.
        """
        kind = answer.kind
        prefix = self._prefixes.get(kind) or self._prefix(kind)
        etag = f'ETag: "{answer.etag}"\r\n' if answer.etag else ""
        has_length = kind.content_type and not isinstance(answer, StreamedAnswer)
        length = f"Content-Length: {len(answer.body)}\r\n" if has_length else ""
        allow_origin = self.origin_headers(origin) if origin is not None else ""
        head = (
            f"{prefix}{etag}{answer.headers}{allow_origin}{connection}{length}"
            f"X-Request-Id: {request_id}\r\n\r\n"
        ).encode("latin-1")
        return head + answer.body if with_body else head

    def _prefix(self, kind: AnswerKind) -> str:
        vary = ["Accept", "Accept-Encoding", "X-Legacy-Profile"] if kind.negotiated else []
        if self._allowed_origins is not None:
            vary.append("Origin")
        lines = [
            f"HTTP/1.1 {kind.status} {HTTPStatus(kind.status).phrase}",
            "Server: catalog",
            f"Date: {formatdate(self._second or time.time(), usegmt=True)}",
            f"Cache-Control: {self._cache_control if kind.cacheable else NO_STORE}",
        ]
        if kind.content_type:
            lines.append(f"Content-Type: {kind.content_type}")
            lines.append("X-Content-Type-Options: nosniff")
        if kind.gzip:
            lines.append("Content-Encoding: gzip")
        if vary:
            lines.append(f"Vary: {', '.join(vary)}")
        if self._allowed_origins is None:
            lines.append("Access-Control-Allow-Origin: *")
        lines.append(f"Access-Control-Expose-Headers: {_EXPOSED}")
        prefix = "".join(f"{line}\r\n" for line in lines)
        self._prefixes[kind] = prefix
        return prefix
