"""How a count grew is kept in few points, and no row of it is lost."""

import pytest

from etl.timeline import POINTS_LIMIT, Point, Timeline, rows_at, rows_per_second


def test_timeline_when_marked_often_then_a_point_a_second() -> None:
    """A million small steps cost a point a second, the last of them included."""
    timeline = Timeline(100.0)
    for step in range(1, 1001):
        timeline.mark(100.0 + step / 100, step, step * 10)
    assert 10 <= len(timeline.points) <= 12
    assert timeline.points[0] == Point(100.0, 0, 0)
    assert timeline.points[-1] == Point(110.0, 1000, 10_000)


def test_timeline_when_long_then_few_points_and_the_same_curve() -> None:
    """A load of a day keeps its shape."""
    timeline = Timeline(0.0)
    for second in range(1, 86_401):
        timeline.mark(float(second), second * 3, 0)
    points = timeline.points
    assert POINTS_LIMIT / 4 < len(points) <= POINTS_LIMIT
    for moment in (1.0, 4_000.5, 43_200.0, 86_400.0):
        assert rows_at(points, moment) == pytest.approx(moment * 3)


def test_rows_when_counted_at_the_end_then_spread_over_the_time_before() -> None:
    """A statement whose rows are known when it ends has worked all the while."""
    points = (Point(10.0, 0, 0), Point(20.0, 500, 0), Point(20.0, 600, 0))
    assert rows_at(points, 9.0) == 0
    assert rows_at(points, 15.0) == 250
    assert rows_at(points, 20.0) == rows_at(points, 99.0) == 600


def test_rates_when_summed_then_all_rows() -> None:
    """Stages beside and after one another add up, and no span loses a row."""
    first = (Point(0.0, 0, 0), Point(2.0, 100, 0))
    second = (Point(1.0, 0, 0), Point(4.0, 300, 0))
    rates = rows_per_second([first, second], 0.0, 4.0, 4)
    assert rates == pytest.approx([50.0, 150.0, 100.0, 100.0])
    for bins in (1, 3, 7, 100):
        many = rows_per_second([first, second], 0.0, 4.0, bins)
        assert sum(many) * 4.0 / bins == pytest.approx(400)
    assert rows_per_second([first], 1.0, 1.0, 5) == []


def test_rates_when_rows_come_late_then_spread_since_the_last() -> None:
    """Bytes are told while a statement runs, its rows only when it has ended."""
    told = (Point(0.0, 0, 0), Point(1.0, 0, 50), Point(3.0, 0, 90), Point(4.0, 80, 100))
    assert rows_per_second([(*told, Point(9.0, 80, 100))], 0.0, 8.0, 4) == [20, 20, 0, 0]
