"""Sends calls to nodes: the choice, the queue before them, and the clock that looks after both."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from typing import Final

from ring.call import FIRST, RETRY, SPECULATIVE, Attempt, Call
from ring.coalesce import Frame
from ring.errors import RingOverloadedError, RingUnavailableError
from ring.node import Node
from ring.policies import choose_node, slow_after_seconds, speculative_delay_seconds
from ring.settings import RingSettings
from ring.telemetry import ClientTelemetry
from ring.transport import CqlConnection, Endpoint

# Deadlines, speculation and silence are looked at this often while anything is outstanding: one
# pass over what is in flight costs less than a timer for every request.
_TICK_SECONDS: Final = 0.005
_TUNE_SECONDS: Final = 0.5
_FRESH_SECONDS: Final = 2.0
_SPECULATION_BURST: Final = 64.0


class Dispatcher:
    """Brings calls to nodes and keeps watch until each has its one answer."""

    def __init__(
        self,
        settings: RingSettings,
        nodes: Mapping[Endpoint, Node],
        telemetry: ClientTelemetry,
    ) -> None:
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
        error = RingUnavailableError(
            f"{call.bound.statement.name}: no node could serve it ({asked})"
        )
        error.__cause__ = call.last_error
        call.fail(error)

    def _send(self, call: Call, kind: str) -> bool:
        replicas, others = call.route
        node = choose_node(replicas, others, call.tried, self._settings.max_in_flight)
        if node is None:
            return False
        node.outbox.add(Attempt(call, node, kind, time.perf_counter()))
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
            call.fail(RingOverloadedError(f"{call.bound.statement.name}: the queue is full"))
            return
        self._queue.append(call)
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
            if not call.future.done() and not self._send(call, FIRST):
                return
            queue.popleft()
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
        frames = [frame for frame in connection.pending.values() if isinstance(frame, Frame)]
        if frames:
            self._check_silence(node, connection, frames[0].sent_at, now)
        attempts = [attempt for frame in frames for attempt in frame.attempts()]
        attempts += node.outbox.waiting()
        for attempt in attempts:
            call = attempt.call
            if call.future.done():
                continue
            if call.expire(now):
                self._telemetry.timeouts += 1
            elif call.may_repeat and not call.speculated and len(self._nodes) > 1:
                self._hurry(attempt, node, now)

    def _hurry(self, attempt: Attempt, node: Node, now: float) -> None:
        """Ask a second node when the first is out of service, or slower than its own tail."""
        if node.circuit_open:
            attempt.call.speculated = True
            self.dispatch(attempt.call, RETRY)
        elif now - attempt.assigned_at > node.speculative_seconds and self._speculation_credit >= 1:
            self._speculation_credit -= 1
            attempt.call.speculated = True
            self.dispatch(attempt.call, SPECULATIVE)

    def _check_silence(
        self, node: Node, connection: CqlConnection, oldest_sent_at: float, now: float
    ) -> None:
        limit_seconds = max(self._settings.silence_seconds, 2 * node.speculative_seconds)
        if len(self._nodes) == 1:
            # There is nowhere else to go: only a connection worth replacing counts as silent.
            limit_seconds = self._settings.connect_timeout_seconds
        silent_seconds = now - max(connection.received_at, oldest_sent_at)
        if silent_seconds > limit_seconds and not node.circuit_open:
            node.open_circuit(f"silent for {silent_seconds:.3f} s")
            for attempt in node.outbox.evict():
                if not attempt.call.future.done():
                    self.dispatch(attempt.call, attempt.kind)

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
