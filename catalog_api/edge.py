"""The edge of the application: everything that is not the fast lane's enters and leaves here.

It stands around aiohttp's application instead of among its middlewares, because some answers are
made outside those: 417 for a strange Expect, 400 for what is not HTTP.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.http_writer import HttpVersion10
from aiohttp.web_urldispatcher import UrlMappingMatchInfo

from catalog_api.answers import NO_CONTENT, Answer, StreamedAnswer, problem
from catalog_api.failures import answer_failure
from catalog_api.reception import ORIGIN, REQUEST_ID, Reception
from catalog_api.responses import AnswerResponse, StreamedResponse

RequestHandler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

UNMATCHED: Final = "unmatched"
UNREADABLE: Final = "unreadable"
_ALLOWED_HEADERS: Final = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Legacy-Profile,"
    " X-Request-Id"
)
_PREFLIGHT_SECONDS: Final = 600


class Edge:
    """Gives each request its id, deadline, errors, figures and log line.

    Args:
        routes: names the routes by the canonical paths of the application's resources.
        reception: shared with the fast lane.
        max_body_bytes: requests that announce more are refused unread.
        streams: paths that read bodies of any length.
    """

    def __init__(
        self,
        routes: Mapping[str, str],
        *,
        reception: Reception,
        max_body_bytes: int,
        streams: frozenset[str] = frozenset(),
    ) -> None:
        self._routes = routes
        self._streams = streams
        self._reception = reception
        self._max_body_bytes = max_body_bytes

    def around(self, handle: RequestHandler) -> RequestHandler:
        """Return the application's handler with the edge around it; raises only when cancelled."""

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return await self._pass(handle, request)

        return answer

    async def _pass(self, handle: RequestHandler, request: web.BaseRequest) -> AnswerResponse:
        started = perf_counter()
        reception = self._reception
        reception.telemetry.in_flight += 1
        try:
            request_id = reception.request_ids.take(request.headers.get(REQUEST_ID))
            if self._is_too_large(request):
                answer = problem(413, f"A body may have {self._max_body_bytes} bytes at most.")
            else:
                answer = await self._answer(handle, request, request_id)
            # The next request would begin behind the rest of a body that nobody wants to wait for.
            # A streamed answer may yet read it; whether it has, is seen at its end.
            reads_on = isinstance(answer, StreamedAnswer)
            keep_alive = request.keep_alive and (reads_on or request.content.is_eof())
            return self._seal(request, answer, request_id, started, keep_alive=keep_alive)
        finally:
            reception.telemetry.in_flight -= 1

    def _is_too_large(self, request: web.BaseRequest) -> bool:
        return (request.content_length or 0) > self._max_body_bytes and (
            request.path.rstrip("/") not in self._streams
        )

    def answer_unreadable(
        self, request: web.BaseRequest, status: int, cause: object
    ) -> web.StreamResponse:
        """Answer what the parser refused, and close: what follows on the connection is unclear."""
        if isinstance(cause, LineTooLong):
            answer = problem(400, "The request line or a header is too long.")
        elif status < 500:
            answer = problem(400, "This is not a well-formed HTTP request.")
        else:
            answer = problem(500, "This failed on our side.")
        request_id = self._reception.request_ids.take(None)
        return self._seal(
            request, answer, request_id, perf_counter(), keep_alive=False, route=UNREADABLE
        )

    async def _answer(
        self, handle: RequestHandler, request: web.BaseRequest, request_id: str
    ) -> Answer:
        try:
            async with asyncio.timeout(self._reception.deadline_seconds):
                response = await handle(request)
        except web.HTTPMethodNotAllowed as error:
            return self._answer_method(request, error.allowed_methods)
        except Exception as error:  # noqa: BLE001 - the outermost place: each has its answer
            return _answer_error(request, error, request_id)
        if not isinstance(response, AnswerResponse):
            wrong = TypeError(f"the handler returned {type(response).__name__}")
            return answer_failure(wrong, request_id)
        return response.answer

    def _answer_method(self, request: web.BaseRequest, methods: set[str]) -> Answer:
        """Answer OPTIONS of a known path, preflights among them, and 405 for other methods."""
        allowed = ", ".join(sorted(methods | {hdrs.METH_OPTIONS}))
        headers = f"Allow: {allowed}\r\n"
        if request.method != hdrs.METH_OPTIONS:
            return problem(405, f"{request.method} is not allowed here.", headers=headers)
        origin = request.headers.get(ORIGIN)
        asks = hdrs.ACCESS_CONTROL_REQUEST_METHOD in request.headers
        if origin is not None and asks and self._reception.heads.allows(origin):
            headers += (
                f"Access-Control-Allow-Methods: {allowed}\r\n"
                f"Access-Control-Allow-Headers: {_ALLOWED_HEADERS}\r\n"
                f"Access-Control-Max-Age: {_PREFLIGHT_SECONDS}\r\n"
            )
        return Answer(NO_CONTENT, headers=headers)

    def _seal(
        self,
        request: web.BaseRequest,
        answer: Answer,
        request_id: str,
        started: float,
        *,
        keep_alive: bool,
        route: str = "",
    ) -> AnswerResponse:
        reception, message = self._reception, request._message  # noqa: SLF001 - the raw request
        streamed = isinstance(answer, StreamedAnswer)
        may_stay = not streamed or message.version != HttpVersion10
        keep_alive = keep_alive and may_stay and not reception.heads.draining
        route = route or self._route_of(request)

        def note() -> None:
            seconds = perf_counter() - started
            reception.note(message, request.protocol.peername, request_id, route, answer, seconds)

        def end() -> None:
            reception.telemetry.in_flight -= 1
            note()

        drain_seconds = reception.deadline_seconds
        if isinstance(answer, StreamedAnswer):
            drain_seconds = answer.stall_seconds or drain_seconds
            reception.telemetry.in_flight += 1
            response: AnswerResponse = StreamedResponse(answer, end)
        else:
            response = AnswerResponse(answer)
        response.seal(
            reception.wire(message, answer, request_id, keep_alive=keep_alive),
            keep_alive=keep_alive,
            drain_seconds=drain_seconds,
        )
        if not streamed:
            note()
        return response

    def _route_of(self, request: web.BaseRequest) -> str:
        # Unset when the application was not asked, and for what the parser refused.
        match_info: UrlMappingMatchInfo | None = getattr(request, "_match_info", None)
        resource = None if match_info is None else match_info.route.resource
        return UNMATCHED if resource is None else self._routes[resource.canonical]


def _answer_error(request: web.BaseRequest, error: Exception, request_id: str) -> Answer:
    if isinstance(error, web.HTTPException):
        return _answer_http_exception(error)
    if isinstance(error, (ConnectionError, web.RequestPayloadError)):
        return problem(400, "The body did not arrive as it was announced.")
    if isinstance(error, TimeoutError) and not request.content.is_eof():
        return problem(408, "The body took too long to arrive.")
    return answer_failure(error, request_id)


def _answer_http_exception(error: web.HTTPException) -> Answer:
    if error.status == 404:
        return problem(404, "There is nothing at this path.")
    if error.status == 413:
        return problem(413, "The body is too large.")
    if error.status == 417:
        return problem(417, "Only 100-continue can be expected.")
    return problem(error.status, error.reason)
