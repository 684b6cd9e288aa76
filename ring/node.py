"""One node as a client lives with it: its connection, its window, its circuit.

`Node.run` keeps the node connected and probed; everything else happens in callbacks of the loop.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from ring.bound import Bound
from ring.call import Attempt
from ring.coalesce import Frame, Outbox
from ring.policies import (
    INITIAL_WINDOW,
    WINDOW_DECREASE,
    WINDOW_DECREASE_PAUSE_SECONDS,
    hold_seconds,
)
from ring.telemetry import NodeTelemetry, quantile_seconds
from ring.transport import (
    ConnectionOptions,
    CqlConnection,
    Endpoint,
    Prepared,
    TransportError,
    connect,
    prepare,
    probe,
)

_LOG: Final = logging.getLogger("ring.node")
_RECENT_SECONDS: Final = 10.0
_TAIL_REPLIES: Final = 100
_FIRST_RECONNECT_SECONDS: Final = 0.1
_PREPARE_TIMEOUT_SECONDS: Final = 5.0


class Node:
    """A node that this client talks to.

    Attributes:
        window: requests that may be outstanding before other replicas are preferred. It grows by
            one with each good reply and shrinks when replies are slow, so a node that comes back
            ramps in, and one that slows down is left with what it can bear.
        latency_seconds: recent mean, `baseline_seconds`: its long memory.
        assigned: calls that are at this node, waiting in its outbox or sent.
        slow_seconds: from where on a reply counts as slow; set by the client now and then.
        tail_seconds: recent p99; None until there were enough replies to tell.
        speculative_seconds: how long a read waits for this node before a second one is asked.
        heard_at, quiet_ticks: when it was last heard of, and for how many ticks of the clock it
            was not since then.
        calls_wait: whether calls wait for a place; then a reply tells the client of the room.
        problem: why the node is not in service; empty while it is.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        options: ConnectionOptions,
        cql: Sequence[str],
        *,
        max_in_flight: int,
        read_slots: int,
        max_keys: int,
        connect_timeout_seconds: float,
        heartbeat_seconds: float,
        probe_seconds: float,
        reconnect_max_seconds: float,
        on_ready: Callable[["Node", dict[str, Prepared]], None],
        on_room: Callable[[], None],
        on_renewed: Callable[[Bound], None],
    ) -> None:
        self.endpoint = endpoint
        self.connection: CqlConnection | None = None
        self.is_connected = False
        self.circuit_open = False
        self.window = float(max_in_flight)
        self.latency_seconds = 0.0
        self.baseline_seconds = 0.0
        self.slow_seconds = float("inf")
        self.tail_seconds: float | None = None
        self.speculative_seconds = 0.2
        self.problem = "not connected yet"
        self.heard_at = 0.0
        self.quiet_ticks = 0
        self.calls_wait = False
        self.telemetry = NodeTelemetry()
        self.assigned = 0
        self.outbox = Outbox(
            self,
            slots=read_slots,
            max_keys=max_keys,
            clock=time.perf_counter,
            on_answered=self._count_frame,
            on_renewed=on_renewed,
        )
        self.take: Callable[[Attempt], None] = self.outbox.add
        self.last_reply_at = 0.0
        self._options = options
        self._cql = cql
        self._max_in_flight = max_in_flight
        self._connect_timeout_seconds = connect_timeout_seconds
        self._heartbeat_seconds = heartbeat_seconds
        self._probe_seconds = probe_seconds
        self._reconnect_max_seconds = reconnect_max_seconds
        self._on_ready = on_ready
        self._on_room = on_room
        self._openings: deque[float] = deque(maxlen=16)
        self._opened_at = 0.0
        self._decreased_at = 0.0
        self._counts_before: list[int] = [0] * len(self.telemetry.latency.counts)
        self._wake = asyncio.Event()

    def __repr__(self) -> str:
        circuit = "open" if self.circuit_open else "closed"
        return (
            f"<Node {self.endpoint} connected={self.is_connected} circuit={circuit}"
            f" in_flight={self.in_flight} window={self.window:.0f}>"
        )

    @property
    def in_flight(self) -> int:
        """Calls assigned to the node and not ended there, the expired and cancelled ones too."""
        return self.assigned

    # --- figures, from the hot path ------------------------------------------------------------

    def _count_frame(self, frame: Frame, received_at: float) -> None:
        """Take note of a frame's answer: histograms, means and window."""
        oldest: Attempt | None = None
        keys = len(frame.entries)
        telemetry = self.telemetry
        ok = telemetry.ok
        for attempt in frame.attempts():
            oldest = oldest or attempt
            ok[attempt.kind] += 1
        # From the assignment on: what a call waited for its slot is part of the node's latency.
        seconds = received_at - (oldest.assigned_at if oldest is not None else frame.sent_at)
        telemetry.keys_by_frame.observe(keys)
        self.last_reply_at = received_at
        if oldest is None or oldest.call.tells_pace:
            self._learn_pace(seconds, keys, received_at)
        else:
            self.window = min(self.window + keys, float(self._max_in_flight))
        if self.calls_wait:
            self._on_room()

    def _learn_pace(self, seconds: float, keys: int, received_at: float) -> None:
        """Take note of how long an answer took."""
        self.telemetry.latency.observe(seconds, keys)
        self.latency_seconds += 0.2 * (seconds - self.latency_seconds)
        # The first reply starts the long memory; it forgets over thousands of replies.
        self.baseline_seconds += (0.001 if self.baseline_seconds else 1.0) * (
            seconds - self.baseline_seconds
        )
        if seconds < self.slow_seconds:
            if self.window < self._max_in_flight:
                self.window = min(self.window + keys, float(self._max_in_flight))
        elif received_at - self._decreased_at > WINDOW_DECREASE_PAUSE_SECONDS:
            self._decreased_at = received_at
            self.window = max(1.0, min(self.window, self.in_flight + 1.0) * WINDOW_DECREASE)

    def learn_tail(self) -> None:
        """Take the p99 of the replies since the last call, unless they are too few to tell."""
        counts = self.telemetry.latency.counts
        delta = [now - before for now, before in zip(counts, self._counts_before, strict=True)]
        if sum(delta) >= _TAIL_REPLIES:
            self._counts_before = list(counts)
            self.tail_seconds = quantile_seconds(self.telemetry.latency.bounds_seconds, delta, 0.99)

    # --- the circuit ---------------------------------------------------------------------------

    def open_circuit(self, problem: str) -> None:
        """Take the node out of service until a probe is answered."""
        if self.circuit_open:
            return
        now = time.perf_counter()
        self.circuit_open = True
        self.problem = problem
        self.telemetry.circuit_openings += 1
        self._opened_at = now
        self._openings.append(now)
        self._wake.set()
        _LOG.warning("node %s out of service: %s", self.endpoint, problem)

    def _close_circuit(self) -> None:
        self.circuit_open = False
        self.problem = ""
        self.window = min(self.window, INITIAL_WINDOW)
        _LOG.info("node %s in service", self.endpoint)

    def _left_to_hold_seconds(self) -> float:
        now = time.perf_counter()
        recent = sum(1 for opened_at in self._openings if now - opened_at < _RECENT_SECONDS)
        return max(0.0, self._opened_at + hold_seconds(recent, self._probe_seconds) - now)

    # --- keeping it connected ------------------------------------------------------------------

    async def run(self) -> None:
        """Connect, prepare, probe; for ever, until cancelled."""
        pause_seconds = _FIRST_RECONNECT_SECONDS
        try:
            while True:
                try:
                    if self.is_connected:
                        pause_seconds = _FIRST_RECONNECT_SECONDS
                        await self._watch()
                    else:
                        self._adopt(await self._connect())
                    continue
                except TransportError as error:
                    self.problem = str(error)
                except Exception as error:  # noqa: BLE001 - nobody else would ever connect again
                    _LOG.exception("node %s", self.endpoint)
                    self.problem = repr(error)
                self.circuit_open = True
                # Jitter: the workers of a server must not knock in step.
                await asyncio.sleep(pause_seconds * random.uniform(0.8, 1.2))  # noqa: S311
                pause_seconds = min(2 * pause_seconds, self._reconnect_max_seconds)
        finally:
            await self.aclose()

    async def _connect(self) -> tuple[CqlConnection, dict[str, Prepared]]:
        connection = await connect(self.endpoint, self._options, self._connect_timeout_seconds)
        try:
            prepared = await asyncio.gather(
                *(
                    prepare(connection, cql, timeout_seconds=_PREPARE_TIMEOUT_SECONDS)
                    for cql in self._cql
                )
            )
        except BaseException:
            await connection.aclose()
            raise
        return connection, {one.cql: one for one in prepared}

    def _adopt(self, fresh: tuple[CqlConnection, dict[str, Prepared]]) -> None:
        connection, prepared = fresh
        old, self.connection = self.connection, connection
        if old is not None:
            old.on_closed = None
            old.abort(TransportError(f"{self.endpoint}: replaced by a fresh connection"))
        connection.on_closed = self._on_closed
        connection.frames_by_write = self.telemetry.frames_by_write.observe
        self.is_connected = True
        first_time = not self._openings and self.problem == "not connected yet"
        self.circuit_open = False
        self.problem = ""
        if not first_time:
            self.window = min(self.window, INITIAL_WINDOW)
        self._on_ready(self, prepared)

    def _on_closed(self, connection: CqlConnection) -> None:
        if connection is not self.connection:
            return
        self.is_connected = False
        self.connection = None
        self.open_circuit("the connection was lost")

    async def _watch(self) -> None:
        """One round of watching a connection: wait, then ask for a sign of life if it is due."""
        connection = self.connection
        if connection is None:
            return
        wait_seconds = self._probe_seconds if self.circuit_open else self._heartbeat_seconds
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                await self._wake.wait()
        if not self.is_connected or connection is not self.connection:
            return
        if self.circuit_open:
            await self._try_close(connection)
        elif time.perf_counter() - connection.received_at > self._heartbeat_seconds:
            try:
                await probe(connection, 1.0)
            except TransportError as error:
                self.open_circuit(f"no sign of life: {error}")

    async def _try_close(self, connection: CqlConnection) -> None:
        """Probe a node that is out of service, over the old connection and over a fresh one.

        A frozen node answers over the old one when it wakes. One that was cut off may not: TCP
        repeats its segments ever more rarely, and a fresh connection is there sooner.
        """
        old_way = asyncio.create_task(probe(connection, self._connect_timeout_seconds))
        new_way = asyncio.create_task(self._connect())
        try:
            await self._first_to_succeed(old_way, new_way)
            if _succeeded(old_way):
                await asyncio.sleep(self._left_to_hold_seconds())
                if connection is self.connection:
                    self._close_circuit()
            elif _succeeded(new_way):
                self._adopt(new_way.result())
        finally:
            await _discard(old_way, new_way, kept=self.connection)

    async def _first_to_succeed(self, *tasks: "asyncio.Task[Any]") -> None:
        """Wait for one; one that fails at once must not end the other's chance."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._connect_timeout_seconds):
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                if not any(_succeeded(task) for task in tasks):
                    await asyncio.wait(tasks)

    async def aclose(self) -> None:
        """Close the connection; outstanding requests learn it."""
        connection, self.connection = self.connection, None
        self.is_connected = False
        self.circuit_open = True
        if connection is not None:
            connection.on_closed = None
            await connection.aclose()
        await self.outbox.aclose()


def _succeeded(task: "asyncio.Task[Any]") -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _discard(
    old_way: "asyncio.Task[float]",
    new_way: "asyncio.Task[tuple[CqlConnection, dict[str, Prepared]]]",
    *,
    kept: CqlConnection | None,
) -> None:
    """End what a probe began and close the connection that was not needed."""
    for task in (old_way, new_way):
        task.cancel()
    await asyncio.gather(old_way, new_way, return_exceptions=True)
    if _succeeded(new_way):
        connection, _ = new_way.result()
        if connection is not kept:
            await connection.aclose()


NodeFactory = Callable[[Endpoint], Node]
