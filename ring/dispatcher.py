"""Sends calls to nodes: the choice, the queue before them, and the clock that looks after both."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from ring.call import FIRST, RETRY, SPECULATIVE, Attempt, Call
from ring.coalesce import Frame
from ring.errors import RingOverloadedError, RingUnavailableError
from ring.membership import Membership
from ring.node import Node
from ring.policies import choose_node, slow_after_seconds, speculative_delay_seconds
from ring.settings import RingSettings
from ring.telemetry import ClientTelemetry
from ring.transport import CqlConnection, TransportError

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
        membership: Membership,
        telemetry: ClientTelemetry,
    ) -> None:
        self._settings = settings
        self._membership = membership
        self._nodes = membership.nodes
        self._telemetry = telemetry
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Call] = deque()
        self._ticker: asyncio.TimerHandle | None = None
        self._due_at = 0.0
        self._is_late = False
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
            self._end(self._queue.popleft())

    def dispatch(self, call: Call, kind: str) -> None:
        """Send a call to the next node, queue it when all are full, or end it."""
        if self._send(call, kind) or call.open_attempts:
            return
        if self._may_wait(call):
            self._enqueue(call)
        else:
            self._end(call)

    def _may_wait(self, call: Call) -> bool:
        """Whether there is a node left that could take the call once it has room."""
        if self._closing or len(call.tried) >= self._settings.max_attempts:
            return False
        replicas, others = call.route
        return any(node.is_connected and node not in call.tried for node in replicas + others)

    def _end(self, call: Call) -> None:
        self._telemetry.unavailable += 1
        asked = ", ".join(str(node.endpoint) for node in call.tried) or "none is connected"
        problem = "the client was closed" if self._closing else f"no node could serve it ({asked})"
        error = RingUnavailableError(f"{call.bound.statement.name}: {problem}")
        error.__cause__ = call.last_error
        call.fail(error)

    def _send(self, call: Call, kind: str) -> bool:
        if self._closing or len(call.tried) >= self._settings.max_attempts:
            return False
        replicas, others = call.route
        node = choose_node(replicas, others, call.tried, self._settings.max_in_flight)
        if node is None:
            return False
        node.take(Attempt(call, node, kind, time.perf_counter()))
        if kind is RETRY:
            self._telemetry.failovers += 1
        elif self._speculation_credit < _SPECULATION_BURST:
            self._speculation_credit += self._settings.speculative_share
        if self._ticker is None:
            self._start_clock()
        return True

    def _enqueue(self, call: Call) -> None:
        if len(self._queue) >= self._settings.queue_requests:
            self._telemetry.refused += 1
            call.fail(RingOverloadedError(f"{call.bound.statement.name}: the queue is full"))
            return
        self._queue.append(call)
        self._tell_waiting(waiting=True)
        if self._ticker is None:
            self._start_clock()

    def _tell_waiting(self, *, waiting: bool) -> None:
        for node in self._nodes.values():
            node.calls_wait = waiting

    def drain(self) -> None:
        """Send what waits, oldest first, as far as there is room."""
        queue = self._queue
        passed: list[Call] = []
        while queue:
            call = queue[0]
            if call.future.done() or self._send(call, RETRY if call.tried else FIRST):
                queue.popleft()
            elif not self._may_wait(call):
                queue.popleft()
                self._end(call)
            elif call.tried:
                # It waits for the nodes it has not tried; those behind it may try the others.
                passed.append(queue.popleft())
            else:
                break
        queue.extendleft(reversed(passed))
        if not queue:
            self._tell_waiting(waiting=False)

    # --- the clock -----------------------------------------------------------------------------

    def _start_clock(self) -> None:
        self._ticker = self._loop.call_later(_TICK_SECONDS, self._tick)
        self._due_at = time.perf_counter() + _TICK_SECONDS

    def _tick(self) -> None:
        """Look after everything outstanding: deadlines, silence, second reads."""
        now = time.perf_counter()
        # This process itself was kept from running: what nodes sent meanwhile waits to be read.
        self._is_late = now - self._due_at > _TICK_SECONDS
        self._ticker = None
        busy = False
        try:
            for node in (*self._nodes.values(), *self._membership.leaving):
                # What is assigned may not be on the wire yet, but its deadline counts already.
                if node.in_flight:
                    busy = True
                    self._look_after(node, now)
            self._expire_queued(now)
            self.drain()
            if now - self._tuned_at > _TUNE_SECONDS:
                self._tuned_at = now
                self._tune(now)
        finally:
            # Whatever happens: a clock that stands would leave callers without an answer.
            if (busy or self._queue) and self._ticker is None and not self._closing:
                self._start_clock()

    def _expire_queued(self, now: float) -> None:
        """End what has waited too long, and give the places of ended calls to others."""
        ended = 0
        for call in self._queue:
            if not call.future.done() and call.expire(now):
                self._telemetry.timeouts += 1
            ended += call.future.done()
        if ended:
            waiting = [call for call in self._queue if not call.future.done()]
            self._queue.clear()
            self._queue.extend(waiting)

    def _look_after(self, node: Node, now: float) -> None:
        connection = node.connection
        pending = connection.pending.values() if connection is not None else ()
        frames = [frame for frame in pending if isinstance(frame, Frame)]
        if frames and connection is not None:
            self._check_silence(node, connection, frames[0].sent_at, now)
            self._check_unanswered(node, connection, frames, now)
        attempts = [attempt for frame in frames for attempt in frame.attempts()]
        attempts += node.outbox.waiting()
        for attempt in attempts:
            call = attempt.call
            if call.future.done():
                continue
            if call.expire(now):
                self._telemetry.timeouts += 1
            elif call.may_repeat and len(self._nodes) > 1:
                self._hurry(attempt, node, now)

    def _hurry(self, attempt: Attempt, node: Node, now: float) -> None:
        """Ask a second node when the first is out of service, or slower than its own tail."""
        call = attempt.call
        if node.circuit_open:
            # Once for each node that is out, and again at the next tick when none had room.
            if call.tried[-1] is node:
                self._send(call, RETRY)
        elif (
            call.may_hurry
            and not call.speculated
            and not self._is_late
            and now - attempt.assigned_at > node.speculative_seconds
            and self._speculation_credit >= 1
            and self._send(call, SPECULATIVE)
        ):
            self._speculation_credit -= 1
            call.speculated = True

    def _check_silence(
        self, node: Node, connection: CqlConnection, oldest_sent_at: float, now: float
    ) -> None:
        limit_seconds = max(self._settings.silence_seconds, 2 * node.speculative_seconds)
        if len(self._nodes) == 1:
            # There is nowhere else to go: only a connection worth replacing counts as silent.
            limit_seconds = self._settings.connect_timeout_seconds
        heard_at = max(connection.received_at, oldest_sent_at)
        silent_seconds = now - heard_at
        # Counted in ticks too: while this process stands still, nobody is silent.
        node.quiet_ticks = node.quiet_ticks + 1 if heard_at == node.heard_at else 0
        node.heard_at = heard_at
        if min(silent_seconds, node.quiet_ticks * _TICK_SECONDS) > limit_seconds and (
            not node.circuit_open
        ):
            node.open_circuit(f"silent for {silent_seconds:.3f} s")
            for attempt in node.outbox.evict():
                if not attempt.call.future.done():
                    self.dispatch(attempt.call, attempt.kind)

    def _check_unanswered(
        self, node: Node, connection: CqlConnection, frames: Sequence[Frame], now: float
    ) -> None:
        """Requests that nobody waits for any more must not hold the places of others for ever."""
        settings = self._settings
        patience_seconds = max(settings.unanswered_seconds, 2 * settings.request_timeout_seconds)
        if now - frames[0].sent_at > patience_seconds:
            connection.abort(TransportError(f"{node.endpoint}: a request was never answered"))
            return
        for frame in frames:
            if now - frame.sent_at <= settings.request_timeout_seconds:
                break
            node.outbox.frame_ended(frame)

    def _tune(self, now: float) -> None:
        """Learn from the last half second: tails for speculation, references for slowness."""
        settings = self._settings
        nodes = tuple(self._nodes.values())
        for node in nodes:
            node.learn_tail()
        for node in nodes:
            others = [
                other
                for other in nodes
                if other is not node and now - other.last_reply_at < _FRESH_SECONDS
            ]
            node.speculative_seconds = speculative_delay_seconds(
                node.tail_seconds,
                [other.tail_seconds for other in others if other.tail_seconds is not None],
                settings.speculative_min_seconds,
                settings.speculative_max_seconds,
            )
            if len(nodes) > 1 and node.baseline_seconds:
                node.slow_seconds = slow_after_seconds(
                    node.baseline_seconds, [other.latency_seconds for other in others]
                )
