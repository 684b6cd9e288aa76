"""Sends calls to nodes: the choice, the queue before them, and the clock that looks after both."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from typing import Final

from ring.call import FIRST, RETRY, SPECULATIVE, Attempt, Call
from ring.errors import RingOverloadedError, RingUnavailableError
from ring.node import Node
from ring.policies import choose_node, slow_after_seconds, speculative_delay_seconds
from ring.settings import RingSettings
from ring.telemetry import ClientTelemetry
from ring.transport import CqlConnection, Endpoint, TransportError

# Deadlines, speculation and silence are looked at this often while anything is outstanding: one
# pass over what is in flight costs less than a timer for every request.
_TICK_SECONDS: Final = 0.005
_TUNE_SECONDS: Final = 0.5
_FRESH_SECONDS: Final = 2.0
_SPECULATION_BURST: Final = 64.0


class Dispatcher:
    """Brings calls to nodes and keeps watch until each has its one answer.

    Attributes:
        queued_reads: calls that wait for a place, by body; an equal read may join them.
    """

    def __init__(
        self,
        settings: RingSettings,
        nodes: Mapping[Endpoint, Node],
        telemetry: ClientTelemetry,
    ) -> None:
        self.queued_reads: dict[bytes, Call] = {}
        self._settings = settings
        self._nodes = nodes
        self._telemetry = telemetry
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Call] = deque()
        self._ticker: asyncio.TimerHandle | None = None
        self._tuned_at = 0.0
        self._speculation_credit = _SPECULATION_BURST
        self._closing = False

    @property
    def queued(self) -> int:
        """Calls that wait for a place."""
        return len(self._queue)

    def close(self) -> None:
        """Stop the clock and end what waits."""
        self._closing = True
        if self._ticker is not None:
            self._ticker.cancel()
        while self._queue:
            self._queue.popleft().fail(RingUnavailableError("the client was closed"))

    def dispatch(self, call: Call, kind: str) -> None:
        """Send a call to the next node, queue it when all are full, or end it."""
        if len(call.tried) < self._settings.max_attempts and self._send(call, kind):
            return
        if call.open_attempts:
            return
        replicas, others = call.route
        if any(node.is_connected and node not in call.tried for node in replicas + others):
            self._enqueue(call)
            return
        self._telemetry.unavailable += 1
        asked = ", ".join(str(node.endpoint) for node in call.tried) or "none is connected"
        error = RingUnavailableError(f"{call.statement.name}: no node could serve it ({asked})")
        error.__cause__ = call.last_error
        call.fail(error)

    def _send(self, call: Call, kind: str) -> bool:
        replicas, others = call.route
        while True:
            node = choose_node(replicas, others, call.tried, self._settings.max_in_flight)
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
            self._telemetry.failovers += 1
        elif self._speculation_credit < _SPECULATION_BURST:
            self._speculation_credit += self._settings.speculative_share
        if self._ticker is None:
            self._ticker = self._loop.call_later(_TICK_SECONDS, self._tick)
        return True

    def _enqueue(self, call: Call) -> None:
        if len(self._queue) >= self._settings.queue_requests:
            self._telemetry.refused += 1
            call.fail(RingOverloadedError(f"{call.statement.name}: the queue is full"))
            return
        self._queue.append(call)
        if call.statement.idempotent:
            self.queued_reads[call.body] = call
        self._tell_waiting(waiting=True)
        if self._ticker is None:
            self._ticker = self._loop.call_later(_TICK_SECONDS, self._tick)

    def _tell_waiting(self, *, waiting: bool) -> None:
        for node in self._nodes.values():
            node.calls_wait = waiting

    def drain(self) -> None:
        """Send what waits, oldest first, as far as there is room."""
        queue = self._queue
        while queue:
            call = queue[0]
            if call.is_wanted and not self._send(call, FIRST):
                return
            queue.popleft()
            self.queued_reads.pop(call.body, None)
        self._tell_waiting(waiting=False)

    # --- the clock -----------------------------------------------------------------------------

    def _tick(self) -> None:
        """Look after everything outstanding: deadlines, silence, second reads."""
        now = time.perf_counter()
        self._ticker = None
        busy = False
        for node in tuple(self._nodes.values()):
            connection = node.connection
            if connection is not None and connection.pending:
                busy = True
                self._look_after(node, connection, now)
        for call in tuple(self._queue):
            if call.expire(now):
                self._telemetry.timeouts += 1
        self.drain()
        if now - self._tuned_at > _TUNE_SECONDS:
            self._tuned_at = now
            self._tune(now)
        if (busy or self._queue) and self._ticker is None and not self._closing:
            self._ticker = self._loop.call_later(_TICK_SECONDS, self._tick)

    def _look_after(self, node: Node, connection: CqlConnection, now: float) -> None:
        handlers = tuple(connection.pending.values())
        silent_since = max(connection.received_at, handlers[0].sent_at)
        limit_seconds = max(self._settings.silence_seconds, 2 * node.speculative_seconds)
        if len(self._nodes) == 1:
            # There is nowhere else to go: only a connection worth replacing counts as silent.
            limit_seconds = self._settings.connect_timeout_seconds
        if now - silent_since > limit_seconds:
            node.open_circuit(f"silent for {now - silent_since:.3f} s")
        for attempt in handlers:
            if not isinstance(attempt, Attempt) or not attempt.call.is_wanted:
                continue
            call = attempt.call
            if call.expire(now):
                self._telemetry.timeouts += 1
            elif call.speculated or not call.statement.idempotent or len(self._nodes) == 1:
                continue
            elif node.circuit_open:
                call.speculated = True
                self.dispatch(call, RETRY)
            elif now - attempt.sent_at > node.speculative_seconds and self._speculation_credit >= 1:
                self._speculation_credit -= 1
                call.speculated = True
                self.dispatch(call, SPECULATIVE)

    def _tune(self, now: float) -> None:
        """Learn from the last half second: tails for speculation, references for slowness."""
        nodes = tuple(self._nodes.values())
        for node in nodes:
            tail_seconds = node.tail_seconds()
            if tail_seconds is not None:
                node.speculative_seconds = speculative_delay_seconds(
                    tail_seconds,
                    self._settings.speculative_min_seconds,
                    self._settings.speculative_max_seconds,
                )
            others = [
                other.latency_seconds
                for other in nodes
                if other is not node and now - other.last_reply_at < _FRESH_SECONDS
            ]
            if len(nodes) > 1 and node.baseline_seconds:
                node.slow_seconds = slow_after_seconds(node.baseline_seconds, others)
