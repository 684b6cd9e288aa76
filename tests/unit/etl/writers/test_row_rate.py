"""The hard limit of rows a second holds whichever second is looked at."""

import asyncio
import time
from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etl.writers.row_rate import RowRate
from tests.support.hand_clock import HandClock

# Seconds that pass before a request, and its rows as a share of the largest.
REQUESTS = st.lists(st.tuples(st.floats(0, 1.5), st.floats(0, 1)), min_size=1, max_size=150)


def _most_in_a_second(sent: Sequence[tuple[float, int]]) -> int:
    """The most rows of any second that begins with a request."""
    sums = [0, *accumulate(rows for _, rows in sent)]
    most = 0
    end = 0
    for begin, (at, _) in enumerate(sent):
        while end < len(sent) and sent[end][0] < at + 1:
            end += 1
        most = max(most, sums[end] - sums[begin])
    return most


@given(st.integers(1, 2_000), REQUESTS)
async def test_rows_when_asked_for_at_any_time_then_no_second_has_more(
    rows_per_second: int, requests: list[tuple[float, float]]
) -> None:
    """Also after pauses, which are not made up for beyond 50 ms."""
    clock = HandClock(0.0)

    async def sleep(seconds: float) -> None:
        clock.go(seconds)

    rate = RowRate(rows_per_second, clock, sleep)
    sent: list[tuple[float, int]] = []
    for pause_seconds, share in requests:
        clock.go(pause_seconds * (pause_seconds > 1))
        rows = max(1, round(share * rate.burst_rows))
        await rate.take(rows)
        sent.append((clock.now, rows))
    assert _most_in_a_second(sent) <= rows_per_second


async def test_rows_when_many_wait_then_nearly_as_many_pass_as_may() -> None:
    """The limit costs a twentieth of itself, and nobody overtakes."""
    clock = HandClock(0.0)

    async def sleep(seconds: float) -> None:
        clock.go(seconds)
        await asyncio.sleep(0)

    rate = RowRate(1_000, clock, sleep)
    order: list[int] = []

    async def take(number: int) -> None:
        await rate.take(10)
        order.append(number)

    await asyncio.gather(*(take(number) for number in range(1_000)))
    assert order == list(range(1_000))
    assert 10.0 <= clock.now <= 10.0 / 0.94


async def test_rows_when_more_than_the_bucket_holds_then_a_bug() -> None:
    """They would never pass."""
    rate = RowRate(100)
    assert rate.burst_rows == 5
    with pytest.raises(ValueError, match="6 rows"):
        await rate.take(6)


async def test_rows_when_real_time_passes_then_the_limit_holds() -> None:
    """With the loop's own timers, and with standstills of this process."""
    rate = RowRate(400)
    sent: list[tuple[float, int]] = []

    async def take() -> None:
        while time.monotonic() < begun + 2.5:
            await rate.take(5)
            sent.append((time.monotonic(), 5))

    begun = time.monotonic()
    takers = [asyncio.create_task(take()) for _ in range(20)]
    await asyncio.sleep(0.5)
    time.sleep(0.3)  # noqa: ASYNC251 - the standstill
    await asyncio.gather(*takers)
    # The clock was read a little after the rows were let go.
    assert _most_in_a_second(sent) <= 400 + rate.burst_rows
    assert sum(rows for _, rows in sent) > 0.75 * 400 * 2.2
