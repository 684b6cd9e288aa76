"""How many writes may be outstanding: as many as the ring answers promptly, and no more.

Additive increase and multiplicative decrease as in TCP (RFC 5681), judged once a round trip as in
TCP Vegas by how far the latency lies above that of an idle ring, with a fresh look at the latter
now and then as in BBR's PROBE_RTT; Netflix's concurrency-limits do the like for requests. DSBulk
bounds what is outstanding by a fixed figure, and a Cassandra that is slow for a while then fails
good rows by time-outs.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

# A round trip that takes so many times the baseline, and more than the floor, is queueing. The
# floor is what a load may add to the latency of others; below it a queue only keeps the node busy.
TOLERANCE: Final = 4.0
FLOOR_SECONDS: Final = 0.02
# A reply this late counts as lost, as in TCP (RFC 6298): the node, or its machine, stood still.
LOST_SECONDS: Final = 1.0
# Of the limit, after replies that were late (the later the more) and after a failure.
SLIGHT_DECREASE: Final = 0.9
FULL_DECREASE: Final = 0.5
# Replies to judge by: two round trips' worth, and not so few that one of them decides.
_ROUND_TRIPS: Final = 2
_LEAST_REPLIES: Final = 8
# Judged is the quickest quarter. A queue delays every reply; a pause of the collector, or of a core
# that others use, only those that were under way, and is over when it is noticed.
_QUARTER: Final = 4
# The limit grows only where at least this share of it was in use.
_USED_SHARE: Final = 0.5
# A node may become slower or quicker for good: the baseline is measured anew after this long.
BASELINE_SECONDS: Final = 30.0

Clock = Callable[[], float]


class InFlightLimit:
    """The decision, without waiting: replies and failures in, a limit out.

    Attributes:
        limit: writes that may be outstanding, between `least` and `most`.
        baseline_seconds: latency of the best round trip of late; 0 before the first.
        decreases: how often the limit was lowered.
    """

    def __init__(self, least: int, most: int, clock: Clock = time.monotonic) -> None:
        self.limit = float(min(least, most))
        self.baseline_seconds = 0.0
        self.decreases = 0
        self._least = self.limit
        self._most = float(most)
        self._clock = clock
        self._baseline_at = clock()
        self._decreased_at = self._baseline_at
        self._limit_before_probe = 0.0
        self._begin_round(self._baseline_at)

    def __repr__(self) -> str:
        return (
            f"<InFlightLimit {self.limit:.1f} baseline_seconds={self.baseline_seconds:.4f}"
            f" decreases={self.decreases}>"
        )

    def answered(self, sent_at: float) -> None:
        """A write that was sent then has been confirmed."""
        now = self._clock()
        if now - sent_at > LOST_SECONDS:
            self.failed(sent_at)
            return
        # What was sent until the round began tells of the limit before it.
        if sent_at <= self._round_began:
            return
        self._latencies.append(now - sent_at)
        if len(self._latencies) >= max(_LEAST_REPLIES, _ROUND_TRIPS * self.limit):
            quick_seconds = sorted(self._latencies)[len(self._latencies) // _QUARTER]
            self._judge(quick_seconds, now)
            self._begin_round(now)

    def failed(self, sent_at: float) -> None:
        """A write that was sent then timed out, was refused for overload, or found no node."""
        # Once for all that were on their way together.
        if sent_at < self._decreased_at:
            return
        now = self._clock()
        self._limit_before_probe = 0.0
        self._decrease(FULL_DECREASE, now)
        self._begin_round(now)

    def _judge(self, quick_seconds: float, now: float) -> None:
        if self._limit_before_probe or not self.baseline_seconds:
            self._take_baseline(quick_seconds, now)
            self.limit = max(self.limit, self._limit_before_probe)
            self._limit_before_probe = 0.0
            return
        if quick_seconds <= self.baseline_seconds:
            self._take_baseline(quick_seconds, now)
        elif now - self._baseline_at > BASELINE_SECONDS:
            # For one round trip: what few writes take is what the ring takes without a queue.
            self._limit_before_probe = self.limit
            self.limit = self._least
            return
        bearable_seconds = max(FLOOR_SECONDS, TOLERANCE * self.baseline_seconds)
        if quick_seconds > bearable_seconds:
            share = bearable_seconds / quick_seconds
            self._decrease(min(SLIGHT_DECREASE, max(FULL_DECREASE, share)), now)
        elif sum(self._latencies) > _USED_SHARE * self.limit * (now - self._round_began):
            # Little's law: seconds of waiting in a second are the writes outstanding.
            # Until it was too much for the first time, doubled as in TCP's slow start.
            self.limit = min(self.limit + (1 if self.decreases else self.limit), self._most)

    def _take_baseline(self, quick_seconds: float, now: float) -> None:
        self.baseline_seconds = quick_seconds
        self._baseline_at = now

    def _decrease(self, share: float, now: float) -> None:
        self.limit = max(self._least, self.limit * share)
        self.decreases += 1
        self._decreased_at = now

    def _begin_round(self, now: float) -> None:
        self._round_began = now
        self._latencies: list[float] = []


class Gate:
    """Lets as many in as a limit says at the time; who waits is let in by turns.

    Attributes:
        inside: who came in and has not left.
    """

    def __init__(self, limit: InFlightLimit) -> None:
        self.inside = 0
        self._limit = limit
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Wait for a place; `leave` gives it back."""
        if self.inside < int(self._limit.limit) and not self._waiting:
            self.inside += 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            # It may have been given in the very turn that ended the wait.
            if place.done() and not place.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Give a place back."""
        self.inside -= 1
        while self._waiting and self.inside < int(self._limit.limit):
            place = self._waiting.popleft()
            # Who was cancelled waits no more.
            if not place.done():
                self.inside += 1
                place.set_result(None)
