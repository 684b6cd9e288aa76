"""In-flight writes grow while the ring is prompt and shrink at once when it is not."""

import asyncio
import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.writers.flow import BASELINE_SECONDS, FLOOR_SECONDS, TOLERANCE, Gate, InFlightLimit
from tests.support.hand_clock import HandClock

LEAST, MOST = 4, 128


class Simulation:
    """Writers who always have more, and a ring of so many servers; time goes on by hand.

    Attributes:
        seconds: what one write takes a server.
        frozen_until: nothing is served before.
    """

    def __init__(self, *, servers: int, seconds: float) -> None:
        self.clock = HandClock(0.0)
        self.limit = InFlightLimit(LEAST, MOST, self.clock)
        self.seconds = seconds
        self.frozen_until = 0.0
        self.answered = 0
        self._free_at = [0.0] * servers
        self._out: list[tuple[float, float]] = []

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            while len(self._out) < int(self.limit.limit):
                self._send()
            done_at, sent_at = heapq.heappop(self._out)
            self.clock.now = max(self.clock.now, done_at)
            self.limit.answered(sent_at)
            self.answered += 1

    def _send(self) -> None:
        start = max(heapq.heappop(self._free_at), self.clock.now, self.frozen_until)
        heapq.heappush(self._free_at, start + self.seconds)
        heapq.heappush(self._out, (start + self.seconds, self.clock.now))


def test_limit_when_replies_are_prompt_then_it_grows_to_the_maximum_and_no_further() -> None:
    """Doubled at first; after the first decrease by one each two round trips."""
    ring = Simulation(servers=1_000, seconds=0.01)
    ring.run(0.3)
    assert ring.limit.limit == MOST
    ring.limit.failed(ring.clock.now)
    ring.run(0.1)
    assert MOST / 2 + 3 <= ring.limit.limit <= MOST / 2 + 6
    ring.run(20)
    assert (ring.limit.limit, ring.limit.decreases) == (MOST, 1)


def test_limit_when_writes_queue_at_the_ring_then_it_settles_where_they_are_served() -> None:
    """A full queue brings no throughput: latency stays bounded, and all servers stay busy."""
    ring = Simulation(servers=8, seconds=0.01)
    ring.run(20)
    assert ring.limit.decreases > 0
    assert 8 <= ring.limit.limit <= 8 * TOLERANCE * 1.5
    before = ring.answered
    ring.run(10)
    assert ring.answered - before > 0.95 * 8 / 0.01 * 10


def test_limit_when_the_ring_freezes_then_it_halves_once_and_grows_again() -> None:
    """What was under way together is one piece of news."""
    ring = Simulation(servers=1_000, seconds=0.01)
    ring.run(20)
    ring.frozen_until = ring.clock.now + 3
    ring.run(3.011)
    assert (ring.limit.limit, ring.limit.decreases) == (MOST / 2, 1)
    ring.run(20)
    assert ring.limit.limit == MOST


def test_limit_when_the_ring_pauses_for_a_moment_then_it_stays() -> None:
    """The collector's pauses are over when they are noticed, and say nothing about the queue."""
    ring = Simulation(servers=1_000, seconds=0.01)
    ring.run(20)
    for _ in range(10):
        ring.frozen_until = ring.clock.now + 0.2
        ring.run(1)
    assert (ring.limit.limit, ring.limit.decreases) == (MOST, 0)


def test_limit_when_writes_fail_then_it_halves_once_for_all_that_were_out_together() -> None:
    """Down to the minimum, if what is sent after also fails."""
    clock = HandClock()
    limit = InFlightLimit(LEAST, MOST, clock)
    limit.limit = 100.0
    for _ in range(3):
        sent_at = clock.now
        clock.go(10)
        for _ in range(100):
            limit.failed(sent_at)
    assert limit.decreases == 3
    assert limit.limit == 12.5
    for _ in range(5):
        clock.go(10)
        limit.failed(clock.now)
    assert limit.limit == LEAST


def test_limit_when_few_writes_are_made_then_it_does_not_grow() -> None:
    """That few writes are answered promptly says nothing about many."""
    clock = HandClock()
    limit = InFlightLimit(LEAST, MOST, clock)
    for _ in range(1_000):
        clock.go(0.05)
        limit.answered(clock.now - 0.01)
    assert limit.limit == LEAST


def test_limit_when_the_ring_gets_slower_for_good_then_the_baseline_follows() -> None:
    """Measured anew with few writes out, so that a queue is never taken for the ring's pace."""
    ring = Simulation(servers=8, seconds=0.01)
    ring.run(20)
    ring.seconds = 0.05
    ring.run(5)
    assert ring.limit.baseline_seconds == pytest.approx(0.01)
    ring.run(BASELINE_SECONDS)
    assert ring.limit.baseline_seconds == pytest.approx(0.05)
    ring.run(4 * BASELINE_SECONDS)
    assert ring.limit.baseline_seconds == pytest.approx(0.05)
    assert ring.limit.limit <= 8 * TOLERANCE * 1.5


def test_limit_when_latencies_are_below_the_floor_then_they_are_not_told_apart() -> None:
    """Ten times next to nothing is still prompt."""
    ring = Simulation(servers=2, seconds=FLOOR_SECONDS / 100)
    ring.run(5)
    assert ring.limit.limit > 2 * TOLERANCE * 1.5


@given(
    st.lists(
        st.tuples(st.booleans(), st.floats(0, 60), st.floats(0, 60)), min_size=1, max_size=300
    ),
    st.integers(1, 300),
)
def test_limit_when_anything_happens_then_within_its_bounds(
    news: list[tuple[bool, float, float]], most: int
) -> None:
    """Whatever the order of replies and failures, and however late they come."""
    clock = HandClock()
    limit = InFlightLimit(LEAST, most, clock)
    for failed, pause_seconds, latency_seconds in news:
        clock.go(pause_seconds)
        (limit.failed if failed else limit.answered)(clock.now - latency_seconds)
        assert min(LEAST, most) <= limit.limit <= most


async def _turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_gate_when_the_limit_changes_then_as_many_are_inside() -> None:
    """Those who wait come in by turns; nobody who is inside is put out."""
    limit = InFlightLimit(2, MOST, HandClock())
    gate = Gate(limit)
    inside: list[int] = []

    async def enter(number: int) -> None:
        await gate.enter()
        inside.append(number)

    tasks = [asyncio.create_task(enter(number)) for number in range(10)]
    await _turn()
    assert inside == [0, 1]
    limit.limit = 4.9
    gate.leave()
    await _turn()
    assert inside == [0, 1, 2, 3, 4]
    limit.limit = 2.0
    gate.leave()
    gate.leave()
    await _turn()
    assert (gate.inside, len(inside)) == (2, 5)
    limit.limit = 100.0
    gate.leave()
    await asyncio.gather(*tasks)
    assert inside == list(range(10))
    for _ in range(gate.inside):
        gate.leave()
    assert gate.inside == 0


async def test_gate_when_who_waits_is_cancelled_then_no_place_is_lost() -> None:
    """Before a place was given, and in the turn in which it was."""
    gate = Gate(InFlightLimit(1, 1, HandClock()))
    await gate.enter()
    early, late, last = (asyncio.create_task(gate.enter()) for _ in range(3))
    await _turn()
    early.cancel()
    gate.leave()
    late.cancel()
    await asyncio.gather(early, late, return_exceptions=True)
    assert early.cancelled()
    assert late.cancelled()
    await asyncio.wait_for(last, 1)
    assert gate.inside == 1
