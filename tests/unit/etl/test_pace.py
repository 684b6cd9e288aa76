"""Rates are recent ones, and the time left is never better than what was shown so far."""

import pytest

from etl.pace import Pace, clock_time, describe, share_of, summarise
from etl.record import Stage
from tests.support.hand_clock import HandClock


def _run(
    stage: Stage, clock: HandClock, pace: Pace, *, seconds: int, rows: int = 0, size: int = 0
) -> None:
    """Do so many rows and bytes in each second."""
    for _ in range(seconds):
        clock.go(1)
        stage.add(rows=rows, bytes=size)
        pace.sample()


def test_left_when_it_slows_down_then_the_recent_rate_counts() -> None:
    """1,000 rows/s for a minute, then 10: the mean would promise far too much."""
    clock = HandClock()
    stage = Stage("s", clock, total_rows=100_000)
    pace = Pace(stage)
    _run(stage, clock, pace, seconds=60, rows=1000)
    assert pace.left_seconds() == pytest.approx(40)
    _run(stage, clock, pace, seconds=30, rows=10)
    assert pace.recent()[0] == pytest.approx(10)
    assert pace.left_seconds() == pytest.approx((100_000 - 60_300) / 10)


def test_left_when_it_speeds_up_then_the_mean_counts() -> None:
    """A burst promises nothing."""
    clock = HandClock()
    stage = Stage("s", clock, total_rows=100_000)
    pace = Pace(stage)
    _run(stage, clock, pace, seconds=50, rows=10)
    _run(stage, clock, pace, seconds=20, rows=1000)
    mean = (500 + 20_000) / 70
    assert pace.recent()[0] == pytest.approx(1000)
    assert pace.left_seconds() == pytest.approx((100_000 - 20_500) / mean)


def test_left_when_just_begun_stalled_or_without_a_total_then_unknown() -> None:
    """What cannot be told is not made up."""
    clock = HandClock()
    stage = Stage("s", clock, total_rows=1000)
    pace = Pace(stage)
    assert pace.left_seconds() is None
    _run(stage, clock, pace, seconds=2, rows=5)
    assert pace.left_seconds() is None
    _run(stage, clock, pace, seconds=2, rows=5)
    assert pace.left_seconds() is not None
    _run(stage, clock, pace, seconds=30)
    assert pace.left_seconds() is None
    assert "time left unknown" in describe(pace)

    endless = Stage("s", clock)
    pace = Pace(endless)
    _run(endless, clock, pace, seconds=9, rows=1234)
    assert pace.left_seconds() is None
    assert describe(pace) == "11,106 rows, 1,234 rows/s, 0:09 so far, total unknown"
    assert share_of(endless) is None


def test_left_when_nothing_happens_near_the_end_then_no_second_is_promised() -> None:
    """`0:01 left` for half a minute would be a lie."""
    clock = HandClock()
    stage = Stage("s", clock, total_rows=1000)
    pace = Pace(stage)
    _run(stage, clock, pace, seconds=10, rows=95)
    assert pace.left_seconds() == pytest.approx(50 / 95)
    _run(stage, clock, pace, seconds=3)
    assert pace.left_seconds() is not None
    _run(stage, clock, pace, seconds=1)
    assert pace.left_seconds() is None


def test_words_when_totals_are_known_then_share_rates_and_time_left() -> None:
    """Bytes where there is no count of rows; 100 % is said of nothing that goes on."""
    clock = HandClock()
    stage = Stage("read x", clock, total_bytes=20_000_000)
    pace = Pace(stage)
    _run(stage, clock, pace, seconds=10, size=1_999_999)
    assert describe(pace) == "20.0 MB of 20.0 MB, 99 %, 2.0 MB/s, 0:01 left"
    _run(stage, clock, pace, seconds=1, size=10)
    assert describe(pace).endswith("0:11 so far, finishing")
    stage.statement_percent = 7.0
    assert describe(pace).endswith("0:11 so far, finishing, this statement 7 %")

    rows = Stage("write", clock, total_rows=100_000)
    pace = Pace(rows)
    _run(rows, clock, pace, seconds=4, rows=3000)
    assert describe(pace) == "12,000 of 100,000 rows, 12 %, 3,000 rows/s, 0:30 left"


def test_words_when_a_statement_runs_then_its_share_is_called_its_own() -> None:
    """How far one of many statements is says nothing of the stage."""
    clock = HandClock()
    stage = Stage("relate and merge", clock)
    clock.go(65)
    stage.statement_percent = 41.9
    assert describe(Pace(stage)) == "1:05 so far, this statement 41 %"


def test_summary_when_ended_then_what_was_done_and_how_fast() -> None:
    """Only what was counted is told."""
    clock = HandClock()
    stage = Stage("s", clock)
    clock.go(2)
    stage.add(rows=3000, bytes=5_000_000)
    stage.end()
    assert summarise(stage) == "3,000 rows, 5.0 MB in 2.0 s (1,500 rows/s, 2.5 MB/s)"
    empty = Stage("s", clock)
    empty.end()
    assert summarise(empty) == "0.0 s"
    assert [clock_time(one) for one in (0, 59.1, 3600)] == ["0:00", "1:00", "1:00:00"]
