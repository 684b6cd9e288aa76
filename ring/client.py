"""RingClient: the one door to Cassandra."""

import asyncio
import dataclasses
import logging
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ring.batches import SHIPPED_LIMITS, BatchLimits, RowBatch, batch_body, gather
from ring.bound import Bound
from ring.call import FIRST, BatchCall, Call, ManyCall
from ring.catalogue import Catalogue
from ring.connection_options import connection_options
from ring.control import ControlConnection
from ring.dispatcher import Dispatcher
from ring.errors import RingRequestError, RingUnavailableError
from ring.many import group, many_statement
from ring.membership import Membership
from ring.node import Node
from ring.settings import RingSettings
from ring.statements import Statement
from ring.telemetry import ClientTelemetry
from ring.topology import RingState
from ring.transport import EncodeError, Endpoint, Page, Prepared

_LOG: Final = logging.getLogger("ring")


class RingClient:
    """The ring-aware client of one process, on the event loop that opened it.

    Statements are found by name and run at their own consistency level. A call goes to the local
    node when it is a replica, then to the other replicas, then to the next addresses in the ring;
    idempotent ones are retried and, when slow, sent to a second replica too.

    Attributes:
        telemetry: counts that concern no single node.
    """

    def __init__(self, settings: RingSettings, statements: Iterable[Statement]) -> None:
        self.settings = settings
        self.telemetry = ClientTelemetry()
        self._catalogue = Catalogue(statements)
        self._loop = asyncio.get_running_loop()
        self._options = connection_options(settings)
        self._membership = Membership(
            self._make_node,
            linger_seconds=settings.request_timeout_seconds,
            on_change=self._check_ready,
        )
        self._dispatcher = Dispatcher(settings, self._membership, self.telemetry)
        self._control: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    def __repr__(self) -> str:
        return f"<RingClient {list(self.nodes.values())} queued={self.queued}>"

    @property
    def state(self) -> RingState | None:
        """The immutable picture of the ring; None until a node has told it."""
        return self._membership.state

    @property
    def nodes(self) -> Mapping[Endpoint, Node]:
        """Live figures of each node, by endpoint."""
        return self._membership.nodes

    @property
    def queued(self) -> int:
        """Calls that wait for a place at a node."""
        return self._dispatcher.queued

    # --- opening and closing -------------------------------------------------------------------

    @classmethod
    async def open(cls, settings: RingSettings, statements: Iterable[Statement]) -> "RingClient":
        """Start connecting; returns at once, whether or not any node is up.

        Raises:
            RingSettingsError: a password or certificate file cannot be read.
        """
        client = cls(settings, statements)
        for address in settings.contact_points:
            client._membership.add(Endpoint(address, settings.cql_port))
        control = ControlConnection(
            settings,
            dataclasses.replace(client._options, keyspace=None),
            client._membership.replace_state,
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
                f"not ready after {timeout_seconds} s: {problems or self._why_no_nodes()}"
            ) from error

    def _why_no_nodes(self) -> str:
        if self.state is None:
            return "the ring is not known yet"
        known = sorted({node.datacenter for node in self.state.remote_nodes})
        return f"no node in datacenter {self.settings.local_datacenter!r}; the ring has {known}"

    async def aclose(self) -> None:
        """Close every connection. Outstanding calls fail with RingUnavailableError."""
        if self._control is not None:
            self._control.cancel()
            await asyncio.gather(self._control, return_exceptions=True)
        # First, so that what the closing connections leave behind is not sent again.
        self._dispatcher.close()
        await self._membership.aclose()

    def _make_node(self, endpoint: Endpoint) -> Node:
        settings = self.settings
        node = Node(
            endpoint,
            self._options,
            self._catalogue.cql,
            max_in_flight=settings.max_in_flight,
            read_slots=settings.read_slots,
            max_keys=settings.max_keys,
            connect_timeout_seconds=settings.connect_timeout_seconds,
            heartbeat_seconds=settings.heartbeat_seconds,
            probe_seconds=settings.probe_seconds,
            reconnect_max_seconds=settings.reconnect_max_seconds,
            on_ready=self._on_node_ready,
            on_room=self._dispatcher.drain,
            on_renewed=self._catalogue.renew,
        )
        node.speculative_seconds = settings.speculative_max_seconds
        return node

    def _on_node_ready(self, node: Node, prepared: Mapping[str, Prepared]) -> None:
        self._catalogue.take(prepared)
        _LOG.info("node %s connected", node.endpoint)
        self._check_ready()
        self._dispatcher.drain()

    def _check_ready(self) -> None:
        if self.state is not None:
            self._catalogue.read_at_quorum(wanted=self.state.is_filling)
            if any(node.is_connected for node in self.nodes.values()):
                self._ready.set()

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
        # A list of the caller's own: the rows of one read may go to several callers.
        return list((await self._start(name, values, timeout_seconds)).rows)

    async def fetch_one(
        self, name: str, values: Sequence[object] = (), *, timeout_seconds: float | None = None
    ) -> tuple[Any, ...] | None:
        """Run a read and return its first row, or None; errors as `execute`."""
        rows = (await self._start(name, values, timeout_seconds)).rows
        return rows[0] if rows else None

    async def fetch_many(
        self, name: str, keys: Iterable[object], *, timeout_seconds: float | None = None
    ) -> list[tuple[Any, ...]]:
        """Run a read of one row for many keys: one request to the first replica of each.

        Returns:
            Rows with their key in front, in no order; keys without a row are left out.

        Raises:
            RingError: as `execute`; also when the statement cannot be read for many keys.
        """
        bound = self._catalogue.find(name)
        if bound.many is None:
            raise RingRequestError(f"{name}: reads one key at a time")
        many = self._catalogue.find(many_statement(bound.statement).name)
        route = self._membership.routing.route
        reads = [
            self._send(many, b"", key, body, timeout_seconds, ManyCall)
            for key, body in group(bound, keys, route)
        ]
        return [row for page in await asyncio.gather(*reads) for row in page.rows]

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
        bound = self._catalogue.find(name)
        prepared = bound.prepared
        try:
            cells, key = prepared.encode(values)
        except EncodeError as error:
            raise RingRequestError(f"{name}: {error}") from error
        page_body = None
        if page_rows is not None:
            head, tail = prepared.body_parts(
                bound.statement.consistency, page_rows=page_rows, paging_state=paging_state
            )
            page_body = head + cells + tail
        return self._send(bound, cells, key, page_body, timeout_seconds)

    def gather(
        self, name: str, rows: Iterable[Sequence[object]], limits: BatchLimits = SHIPPED_LIMITS
    ) -> Iterator[RowBatch]:
        """Yield the rows of a statement in batches, each for one replica that has all of them.

        Raises:
            RingRequestError: values do not fit, or the statement may not be repeated.
            RingUnavailableError: no node has prepared it yet.
        """
        bound = self._catalogue.find(name)
        if bound.is_read or not bound.statement.idempotent:
            raise RingRequestError(f"{name}: only rows that may be written twice go in batches")
        return gather(bound, rows, self._membership.routing.route, limits)

    async def write(self, batch: RowBatch, *, timeout_seconds: float | None = None) -> None:
        """Write rows in one request; when it fails, some of them may have been written.

        Consistency: the statement's own, for each row. Retried at other nodes, as all that is
        idempotent; never sent to a second one for being slow, which would cost the ring each row
        twice and win nothing for who waits for the last of many.

        Raises:
            RingError: as `execute`; RingRequestError may be the fault of a single row.
        """
        bound = self._catalogue.find(batch.name)
        cells, *others = batch.cells
        body = batch_body(bound, batch.cells) if others else None
        await self._send(bound, cells, batch.key, body, timeout_seconds, BatchCall)

    def _send(
        self,
        bound: Bound,
        cells: bytes,
        key: bytes | None,
        whole_body: bytes | None,
        timeout_seconds: float | None,
        kind: type[Call] = Call,
    ) -> "asyncio.Future[Page]":
        if self._membership.state is None:
            raise RingUnavailableError("the ring is not known yet")
        if timeout_seconds is None:
            timeout_seconds = self.settings.request_timeout_seconds
        dispatch = self._dispatcher.dispatch
        call = kind(
            self._loop.create_future(),
            bound,
            cells,
            key,
            whole_body,
            self._membership.routing.route(key),
            time.perf_counter() + timeout_seconds,
            dispatch,
        )
        dispatch(call, FIRST)
        return call.future
