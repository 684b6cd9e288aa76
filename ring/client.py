"""RingClient: the one door to Cassandra."""

import asyncio
import dataclasses
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ring.call import FIRST, RETRY, SPECULATIVE, Attempt, Call, LiveRoute
from ring.control import ControlConnection
from ring.errors import (
    RingOverloadedError,
    RingRequestError,
    RingUnavailableError,
)
from ring.node import Node
from ring.policies import choose_node, slow_after_seconds, speculative_delay_seconds
from ring.settings import RingSettings
from ring.statements import Statement
from ring.telemetry import ClientTelemetry
from ring.token_ring import range_of_token, token_of_key
from ring.topology import RingNode, RingState
from ring.transport import (
    ConnectionOptions,
    CqlConnection,
    EncodeError,
    Endpoint,
    Page,
    Prepared,
    TransportError,
)

_LOG: Final = logging.getLogger("ring")
# Deadlines, speculation and silence are looked at this often while anything is outstanding: one
# pass over what is in flight costs less than a timer for every request.
_TICK_SECONDS: Final = 0.005
_TUNE_SECONDS: Final = 0.5
_FRESH_SECONDS: Final = 2.0
_SPECULATION_BURST: Final = 64.0


class _Bound:
    """A statement that has been prepared: the frame's body but for the values."""

    __slots__ = ("head", "is_read", "prepared", "statement", "tail")

    def __init__(self, statement: Statement, prepared: Prepared) -> None:
        self.statement = statement
        self.prepared = prepared
        self.is_read = statement.cql.lstrip()[:6].upper() == "SELECT"
        self.head, self.tail = prepared.body_parts(
            statement.consistency, serial_consistency=statement.serial_consistency
        )


class RingClient:
    """The ring-aware client of one process, on the event loop that opened it.

    Statements are found by name and run at their own consistency level. A call goes to the local
    node when it is a replica, then to the other replicas, then to the next addresses in the ring;
    idempotent ones are retried and, when slow, sent to a second replica too.

    Attributes:
        state: the immutable picture of the ring; None until a node has told it.
        nodes: live figures of each node, by endpoint.
        telemetry: counts that concern no single node.
    """

    def __init__(self, settings: RingSettings, statements: Iterable[Statement]) -> None:
        self.settings = settings
        self.state: RingState | None = None
        self.nodes: dict[Endpoint, Node] = {}
        self.telemetry = ClientTelemetry()
        self._statements = tuple(statements)
        self._by_name = {statement.name: statement for statement in self._statements}
        self._bound: dict[str, _Bound] = {}
        self._loop = asyncio.get_running_loop()
        self._options = _connection_options(settings)
        self._routing = _Routing((), (), LiveRoute((), ()))
        self._tasks: dict[Endpoint, asyncio.Task[None]] = {}
        self._retiring: set[asyncio.Task[None]] = set()
        self._control: asyncio.Task[None] | None = None
        self._queue: deque[Call] = deque()
        self._unsent: dict[bytes, Call] = {}
        self._queued_reads: dict[bytes, Call] = {}
        self._ticker: asyncio.TimerHandle | None = None
        self._tuned_at = 0.0
        self._speculation_credit = _SPECULATION_BURST
        self._ready = asyncio.Event()
        self._closing = False

    def __repr__(self) -> str:
        return f"<RingClient {list(self.nodes.values())} queued={len(self._queue)}>"

    # --- opening and closing -------------------------------------------------------------------

    @classmethod
    async def open(cls, settings: RingSettings, statements: Iterable[Statement]) -> "RingClient":
        """Start connecting; returns at once, whether or not any node is up.

        Raises:
            RingSettingsError: a password or certificate file cannot be read.
        """
        client = cls(settings, statements)
        for address in settings.contact_points:
            client._add_node(Endpoint(address, settings.cql_port))
        control = ControlConnection(
            settings,
            dataclasses.replace(client._options, keyspace=None),
            client._on_state,
            lambda: list(client.nodes),
        )
        client._control = asyncio.create_task(control.run(), name="ring control connection")
        return client

    async def wait_ready(self, timeout_seconds: float) -> None:
        """Wait until the ring is known and one node has prepared every statement.

        Raises:
            RingUnavailableError: not within the time; the message says what each node lacks.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._ready.wait()
        except TimeoutError as error:
            problems = "; ".join(
                f"{node.endpoint}: {node.problem}" for node in self.nodes.values() if node.problem
            )
            raise RingUnavailableError(
                f"not ready after {timeout_seconds} s: {problems or 'the ring is not known yet'}"
            ) from error

    async def aclose(self) -> None:
        """Close every connection. Outstanding calls fail with RingUnavailableError."""
        self._closing = True
        if self._ticker is not None:
            self._ticker.cancel()
        tasks = [task for task in (self._control, *self._tasks.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._retiring, return_exceptions=True)
        while self._queue:
            self._queue.popleft().fail(RingUnavailableError("the client was closed"))

    # --- the ring ------------------------------------------------------------------------------

    def _on_state(self, state: RingState) -> None:
        if state == self.state or self._closing:
            return
        wanted = {Endpoint(node.address, node.port) for node in state.nodes}
        for endpoint in wanted - self.nodes.keys():
            self._add_node(endpoint)
        for endpoint in self.nodes.keys() - wanted:
            self._retire_node(endpoint)
        self.state = state
        self._routing = self._route_live(state)
        _LOG.info("ring: %s", ", ".join(node.address for node in state.nodes))
        self._check_ready()

    def _add_node(self, endpoint: Endpoint) -> None:
        settings = self.settings
        node = Node(
            endpoint,
            self._options,
            self._statements,
            max_in_flight=settings.max_in_flight,
            connect_timeout_seconds=settings.connect_timeout_seconds,
            heartbeat_seconds=settings.heartbeat_seconds,
            probe_seconds=settings.probe_seconds,
            reconnect_max_seconds=settings.reconnect_max_seconds,
            on_ready=self._on_node_ready,
            on_room=self._drain,
        )
        node.speculative_seconds = settings.speculative_max_seconds
        self.nodes[endpoint] = node
        self._tasks[endpoint] = asyncio.create_task(node.run(), name=f"ring node {endpoint}")

    def _retire_node(self, endpoint: Endpoint) -> None:
        """A node has left the ring: nothing new goes there, and what is outstanding may finish."""
        node = self.nodes.pop(endpoint)
        task = self._tasks.pop(endpoint)

        async def retire() -> None:
            gone_at = time.perf_counter() + self.settings.request_timeout_seconds
            while node.in_flight and time.perf_counter() < gone_at:  # noqa: ASYNC110 - no event
                await asyncio.sleep(_TICK_SECONDS)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        retiring = asyncio.create_task(retire())
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)

    def _on_node_ready(self, node: Node, prepared: Mapping[str, Prepared]) -> None:
        for name, one in prepared.items():
            known = self._bound.get(name)
            if known is None or known.prepared.statement_id != one.statement_id:
                self._bound[name] = _Bound(self._by_name[name], one)
        _LOG.info("node %s connected", node.endpoint)
        self._check_ready()
        self._drain()

    def _check_ready(self) -> None:
        if self.state is not None and any(node.is_connected for node in self.nodes.values()):
            self._ready.set()

    def _route_live(self, state: RingState) -> "_Routing":
        """The routes of a picture of the ring, with the live nodes in the place of descriptions."""
        known: dict[int, LiveRoute] = {}
        for route in (*state.routes, state.any_route):
            if id(route) not in known:
                known[id(route)] = LiveRoute(self._live(route.replicas), self._live(route.others))
        routes = tuple(known[id(route)] for route in state.routes)
        return _Routing(state.tokens, routes, known[id(state.any_route)])

    def _live(self, nodes: Sequence[RingNode]) -> tuple[Node, ...]:
        return tuple(self.nodes[Endpoint(node.address, node.port)] for node in nodes)

    # --- statements ----------------------------------------------------------------------------

    async def execute(
        self, name: str, values: Sequence[object] = (), *, timeout_seconds: float | None = None
    ) -> list[tuple[Any, ...]]:
        """Run a statement by its name and return its rows.

        Consistency: the statement's own.

        Raises:
            RingTimeoutError: the deadline passed (`request_timeout_seconds` unless given).
            RingOverloadedError: the queue is full; nothing was sent.
            RingUnavailableError: no node could serve it.
            RingRequestError: no such statement, values that do not fit, or Cassandra refused it.
        """
        return (await self._start(name, values, timeout_seconds)).rows

    async def fetch_one(
        self, name: str, values: Sequence[object] = (), *, timeout_seconds: float | None = None
    ) -> tuple[Any, ...] | None:
        """Run a read and return its first row, or None; errors as `execute`."""
        rows = (await self._start(name, values, timeout_seconds)).rows
        return rows[0] if rows else None

    async def pages(
        self,
        name: str,
        values: Sequence[object] = (),
        *,
        page_rows: int = 1000,
        timeout_seconds: float | None = None,
    ) -> AsyncIterator[list[tuple[Any, ...]]]:
        """Iterate over the pages of a read; each page has a deadline of its own."""
        paging_state: bytes | None = None
        while True:
            page = await self._start(
                name, values, timeout_seconds, page_rows=page_rows, paging_state=paging_state
            )
            yield page.rows
            paging_state = page.paging_state
            if paging_state is None:
                return

    def _start(
        self,
        name: str,
        values: Sequence[object],
        timeout_seconds: float | None,
        *,
        page_rows: int | None = None,
        paging_state: bytes | None = None,
    ) -> "asyncio.Future[Page]":
        bound = self._bound.get(name)
        if bound is None:
            raise self._why_not_bound(name)
        prepared = bound.prepared
        try:
            cells, key = prepared.encode(values)
        except EncodeError as error:
            raise RingRequestError(f"{name}: {error}") from error
        if page_rows is None:
            body = bound.head + cells + bound.tail
        else:
            head, tail = prepared.body_parts(
                bound.statement.consistency, page_rows=page_rows, paging_state=paging_state
            )
            body = head + cells + tail
        if self.state is None:
            raise RingUnavailableError("the ring is not known yet")
        if timeout_seconds is None:
            timeout_seconds = self.settings.request_timeout_seconds
        call = Call(
            self._loop.create_future(),
            bound.statement,
            prepared,
            body,
            self._routing.route(key),
            time.perf_counter() + timeout_seconds,
            self._dispatch,
        )
        if bound.is_read:
            leader = self._unsent.get(body) or self._queued_reads.get(body)
            if leader is not None and leader.is_wanted:
                self.telemetry.coalesced += 1
                if leader.followers is None:
                    leader.followers = []
                leader.followers.append(call)
                return call.future
            if not self._unsent:
                self._loop.call_soon(self._unsent.clear)
            self._unsent[body] = call
        self._dispatch(call, FIRST)
        return call.future

    def _why_not_bound(self, name: str) -> Exception:
        if name in self._by_name:
            return RingUnavailableError(f"{name}: no node has prepared it yet")
        return RingRequestError(f"{name}: no statement of this name was opened with the client")

    # --- attempts ------------------------------------------------------------------------------

    def _dispatch(self, call: Call, kind: str) -> None:
        """Send a call to the next node, queue it when all are full, or end it."""
        if len(call.tried) < self.settings.max_attempts and self._send(call, kind):
            return
        if call.open_attempts:
            return
        replicas, others = call.route
        if any(node.is_connected and node not in call.tried for node in replicas + others):
            self._enqueue(call)
            return
        self.telemetry.unavailable += 1
        asked = ", ".join(str(node.endpoint) for node in call.tried) or "none is connected"
        error = RingUnavailableError(f"{call.statement.name}: no node could serve it ({asked})")
        error.__cause__ = call.last_error
        call.fail(error)

    def _send(self, call: Call, kind: str) -> bool:
        replicas, others = call.route
        while True:
            node = choose_node(replicas, others, call.tried, self.settings.max_in_flight)
            if node is None or node.connection is None:
                return False
            try:
                Attempt(call, node, kind, time.perf_counter()).send(node.connection)
            except TransportError as error:
                call.last_error = error
                call.tried += (node,)
                continue
            break
        if kind is RETRY:
            self.telemetry.failovers += 1
        elif self._speculation_credit < _SPECULATION_BURST:
            self._speculation_credit += self.settings.speculative_share
        if self._ticker is None:
            self._ticker = self._loop.call_later(_TICK_SECONDS, self._tick)
        return True

    def _enqueue(self, call: Call) -> None:
        if len(self._queue) >= self.settings.queue_requests:
            self.telemetry.refused += 1
            call.fail(RingOverloadedError(f"{call.statement.name}: the queue is full"))
            return
        self._queue.append(call)
        if call.statement.idempotent:
            self._queued_reads[call.body] = call
        self._tell_waiting(waiting=True)
        if self._ticker is None:
            self._ticker = self._loop.call_later(_TICK_SECONDS, self._tick)

    def _tell_waiting(self, *, waiting: bool) -> None:
        for node in self.nodes.values():
            node.calls_wait = waiting

    def _drain(self) -> None:
        """Send what waits, oldest first, as far as there is room."""
        queue = self._queue
        while queue:
            call = queue[0]
            if call.is_wanted and not self._send(call, FIRST):
                return
            queue.popleft()
            self._queued_reads.pop(call.body, None)
        self._tell_waiting(waiting=False)

    # --- the clock -----------------------------------------------------------------------------

    def _tick(self) -> None:
        """Look after everything outstanding: deadlines, silence, second reads."""
        now = time.perf_counter()
        self._ticker = None
        busy = False
        for node in tuple(self.nodes.values()):
            connection = node.connection
            if connection is not None and connection.pending:
                busy = True
                self._look_after(node, connection, now)
        for call in tuple(self._queue):
            if call.expire(now):
                self.telemetry.timeouts += 1
        self._drain()
        if now - self._tuned_at > _TUNE_SECONDS:
            self._tuned_at = now
            self._tune(now)
        if (busy or self._queue) and self._ticker is None and not self._closing:
            self._ticker = self._loop.call_later(_TICK_SECONDS, self._tick)

    def _look_after(self, node: Node, connection: CqlConnection, now: float) -> None:
        handlers = tuple(connection.pending.values())
        silent_since = max(connection.received_at, handlers[0].sent_at)
        limit_seconds = max(self.settings.silence_seconds, 2 * node.speculative_seconds)
        if now - silent_since > limit_seconds:
            node.open_circuit(f"silent for {now - silent_since:.3f} s")
        for attempt in handlers:
            if not isinstance(attempt, Attempt) or not attempt.call.is_wanted:
                continue
            call = attempt.call
            if call.expire(now):
                self.telemetry.timeouts += 1
            elif call.speculated or not call.statement.idempotent or len(self.nodes) == 1:
                continue
            elif node.circuit_open:
                call.speculated = True
                self._dispatch(call, RETRY)
            elif now - attempt.sent_at > node.speculative_seconds and self._speculation_credit >= 1:
                self._speculation_credit -= 1
                call.speculated = True
                self._dispatch(call, SPECULATIVE)

    def _tune(self, now: float) -> None:
        """Learn from the last half second: tails for speculation, references for slowness."""
        nodes = tuple(self.nodes.values())
        for node in nodes:
            tail_seconds = node.tail_seconds()
            if tail_seconds is not None:
                node.speculative_seconds = speculative_delay_seconds(
                    tail_seconds,
                    self.settings.speculative_min_seconds,
                    self.settings.speculative_max_seconds,
                )
            others = [
                other.latency_seconds
                for other in nodes
                if other is not node and now - other.last_reply_at < _FRESH_SECONDS
            ]
            if len(nodes) > 1 and node.baseline_seconds:
                node.slow_seconds = slow_after_seconds(node.baseline_seconds, others)


class _Routing(NamedTuple):
    """Token → live nodes, made anew with every picture of the ring."""

    tokens: tuple[int, ...]
    routes: tuple[LiveRoute, ...]
    any_route: LiveRoute

    def route(self, partition_key: bytes | None) -> LiveRoute:
        if partition_key is None or not self.tokens:
            return self.any_route
        return self.routes[range_of_token(self.tokens, token_of_key(partition_key))]


def _connection_options(settings: RingSettings) -> ConnectionOptions:
    return ConnectionOptions(
        protocol_version=settings.protocol_version,
        keyspace=settings.keyspace,
        username=settings.username or None,
        password=settings.read_password() or None,
        tls=settings.tls_context(),
        tls_server_name=settings.tls_server_name or None,
        compression=settings.compression or None,
        # Cancelled and expired requests keep their stream ids until the node answers them.
        max_requests=min(32768, 4 * settings.max_in_flight),
        application_name="catalog",
    )
