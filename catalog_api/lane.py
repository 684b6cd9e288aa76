"""The fast lane: reads go from the parser to the ring and back without a detour.

aiohttp parses every request. For `GET` and `HEAD` of products, reviews and questions — anything
whose target has one of the plain shapes below — the connection then answers from one task, without
request and response objects, routing, middlewares or the wake-up of aiohttp's own loop over
requests. All else is handed to that loop as if the lane did not exist. A test compares the two,
header by header.

What the lane leans on in aiohttp's `RequestHandler`: `_waiter` is the future on which its loop
waits for a message; while the lane looks or works, the waiter is put aside, so that messages queue
in `_messages` and nobody is woken. `_request_in_progress` and `_handler_waiter` make a shutdown
wait for the lane's request as for any other.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final

from aiohttp import web
from aiohttp.http_parser import RawRequestMessage
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import RequestHandler
from multidict import CIMultiDictProxy

from catalog_api.answers import Answer
from catalog_api.domain.item_id import MAX_ID
from catalog_api.edge import Edge
from catalog_api.failures import answer_failure
from catalog_api.reception import REQUEST_ID, Reception

_METHODS: Final = frozenset({"GET", "HEAD"})
# No percent signs, no plus signs: what has to be decoded first goes the application's way.
_PLAIN_QUERY: Final = r"(?:\?([A-Za-z0-9_.~=&-]*))?"

Headers = CIMultiDictProxy[str]
Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LaneRead:
    """A read that the lane may take: `/reviews`, or `/products/{id}/styles`.

    Attributes:
        route: its path, as figures and logs name it; at most one segment is `{id}`.
        answer: gets the id (0 without one), query and headers; returns what a handler would.
    """

    route: str
    answer: Callable[[int, Query, Headers], Awaitable[Answer]]


LaneRequest = tuple[RawRequestMessage, LaneRead, int, Query]


class FastLane:
    """Finds and answers the requests of the lane; one for all connections of a process.

    Args:
        mount: second home of every path, as `<mount>/<any campus>/…`; empty for none.
        reads: what the lane takes.
        reception: shared with the edge.

    Attributes:
        deadline_seconds: longest that a head may take to arrive.
    """

    def __init__(self, *, mount: str, reads: tuple[LaneRead, ...], reception: Reception) -> None:
        campus = f"(?:{re.escape(mount)}/[^/?#%]+)?" if mount else ""
        self._target = re.compile(
            campus + r"((?:/[a-z]+)+?)(?:/([0-9]{1,16})(?![0-9.])[^/?#%]*)?((?:/[a-z]+)*)"
            "/?" + _PLAIN_QUERY
        ).fullmatch
        self._reads = {_shape(read.route): read for read in reads}
        self._reception = reception
        self.deadline_seconds = reception.deadline_seconds

    def find(self, message: object, payload: object) -> LaneRequest | None:
        """Return the request when it has a shape of the lane.

        Args:
            message: what the parser made; its `path` is the raw target of the request line.
            payload: the parser's body stream; the lane takes requests without a body only.
        """
        if type(message) is not RawRequestMessage or payload is not EMPTY_PAYLOAD:
            return None
        if message.method not in _METHODS or message.upgrade:
            return None
        match = self._target(message.path)
        if match is None:
            return None
        head, digits, tail, query = match.groups()
        read = self._reads.get((head, digits is not None, tail))
        if read is None:
            return None
        item_id = int(digits) if digits else 0
        if item_id > MAX_ID:
            return None
        return message, read, item_id, _read_query(query) if query else _NO_QUERY

    async def serve(
        self,
        connection: "LaneProtocol",
        message: RawRequestMessage,
        read: LaneRead,
        item_id: int,
        query: Query,
    ) -> None:
        """Answer one request on its connection; never raises but when cancelled."""
        started = perf_counter()
        reception, headers = self._reception, message.headers
        reception.telemetry.in_flight += 1
        keep_alive = False
        try:
            request_id = reception.request_ids.take(headers.get(REQUEST_ID))
            try:
                answer = await read.answer(item_id, query, headers)
            except Exception as error:  # noqa: BLE001 - the outermost place: each has its answer
                answer = answer_failure(error, request_id)
            transport = connection.transport
            if transport is None:
                return
            keep_alive = not (message.should_close or reception.heads.draining)
            transport.write(reception.wire(message, answer, request_id, keep_alive=keep_alive))
            reception.note(
                message,
                connection.peername,
                request_id,
                read.route,
                answer,
                perf_counter() - started,
            )
            if connection.writing_paused:
                await connection.drain(reception.deadline_seconds)
        finally:
            reception.telemetry.in_flight -= 1
            connection.leave_lane(keep_alive=keep_alive)


_NO_QUERY: Final[Query] = {}


def _read_query(text: str) -> Query:
    """Return the first value of each name, as the application reads a query."""
    query: dict[str, str] = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        query.setdefault(name, value)
    return query


def _shape(route: str) -> tuple[str, bool, str]:
    """Return how `find` takes a route apart: before an id, whether there is one, the rest."""
    before, found, after = route.partition("/{id}")
    if found:
        return before, True, after
    first, *others = route.strip("/").split("/")
    return f"/{first}", False, "".join(f"/{one}" for one in others)


class LaneProtocol(RequestHandler):
    """An aiohttp connection that takes the lane's requests out before its own loop sees them."""

    __slots__ = ("_edge", "_head_timer", "_lane", "_lane_task", "_parked_waiter")

    def __init__(self, manager: web.Server, *, lane: FastLane, edge: Edge, **options: Any) -> None:
        super().__init__(manager, **options)
        self._edge = edge
        self._lane = lane
        self._lane_task: asyncio.Task[None] | None = None
        self._head_timer: asyncio.TimerHandle | None = None
        self._parked_waiter: asyncio.Future[None] | None = None

    def data_received(self, data: bytes) -> None:
        """Parse as aiohttp does, then look whether the first message is the lane's.

        A head that has begun must be whole within the deadline, or the connection ends.
        """
        waiter = self._waiter
        if waiter is None or waiter.done():
            # aiohttp's loop or the lane is at work: messages queue until it is done.
            super().data_received(data)
            return
        self._waiter = None
        try:
            super().data_received(data)
        finally:
            self._waiter = waiter
        if self._messages:
            self._stop_head_timer()
            self._dispatch(waiter)
        elif self._head_timer is None:
            self._head_timer = self._loop.call_later(self._lane.deadline_seconds, self.force_close)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _dispatch(self, waiter: asyncio.Future[None]) -> None:
        message, payload = self._messages[0]
        found = self._lane.find(message, payload)
        if found is None:
            if not waiter.done():
                waiter.set_result(None)
            return
        self._waiter = None
        self._parked_waiter = waiter
        self._request_in_progress = True
        self._messages.popleft()
        if self._parser is not None:
            self._parser.message_consumed()
        if self._buffer_paused and len(self._messages) <= self._msg_queue_resume_size:
            self._resume_reading_if_drained()
        self._lane_task = self._loop.create_task(self._lane.serve(self, *found))

    def leave_lane(self, *, keep_alive: bool) -> None:
        """Give the connection back to aiohttp's loop; the lane's request is done or cancelled."""
        waiter = self._parked_waiter
        if waiter is None:
            return
        self._parked_waiter = self._lane_task = None
        self._request_in_progress = False
        if self._handler_waiter is not None and not self._handler_waiter.done():
            self._handler_waiter.set_result(None)
        if waiter.done():
            return
        self._waiter = waiter
        if not keep_alive or self._close or self._force_close:
            waiter.cancel()
            if self.transport is not None:
                self.transport.close()
            return
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(
                self._next_keepalive_close_time, self._process_keepalive
            )
        if self._messages:
            self._dispatch(waiter)

    async def drain(self, timeout_seconds: float) -> None:
        """Wait until the caller has read enough; one that does not is cut off."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._drain_helper()
        except TimeoutError:
            if self.transport is not None:
                self.transport.abort()
        except ConnectionError:
            pass

    def connection_lost(self, exc: BaseException | None) -> None:
        """Cancel the lane's read: nobody waits for it any more."""
        task = self._lane_task
        self._stop_head_timer()
        self.leave_lane(keep_alive=False)
        if task is not None:
            task.cancel()
        super().connection_lost(exc)

    def log_exception(self, *args: Any, **options: Any) -> None:
        """Log what surprised aiohttp, but not a body that broke: its sender has an answer."""
        if not isinstance(options.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **options)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is not HTTP, as problem JSON and without a trace in the log."""
        return self._edge.answer_unreadable(request, status, exc or message)
