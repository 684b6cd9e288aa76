"""How a count grew over time, in as few points as a plot needs."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

POINTS_LIMIT: Final = 512
_FIRST_INTERVAL_SECONDS: Final = 1.0


class Point(NamedTuple):
    """What was done until a moment; `seconds` is of the clock that the load uses."""

    seconds: float
    rows: int
    bytes: int


class Timeline:
    """Cumulative rows and bytes, a point a second at first.

    Between two points work is taken to have gone on evenly, so a statement of a minute whose rows
    are counted at its end shows as a minute of steady work. Beyond `POINTS_LIMIT` points every
    second one is dropped and the interval doubles: a load of any length stays small.
    """

    def __init__(self, seconds: float) -> None:
        self._points = [Point(seconds, 0, 0)]
        self._interval_seconds = _FIRST_INTERVAL_SECONDS

    @property
    def points(self) -> tuple[Point, ...]:
        """All points, in the order of time."""
        return tuple(self._points)

    def mark(self, seconds: float, rows: int, done_bytes: int) -> None:
        """Say what is done by now; a count that goes back (a failed statement's) is held."""
        points = self._points
        point = Point(seconds, max(rows, points[-1].rows), max(done_bytes, points[-1].bytes))
        if len(points) > 1 and (
            seconds == points[-1].seconds or seconds - points[-2].seconds < self._interval_seconds
        ):
            points[-1] = point
            return
        points.append(point)
        if len(points) > POINTS_LIMIT:
            self._points = [*points[:-1:2], points[-1]]
            self._interval_seconds *= 2


def rows_at(points: Sequence[Point], seconds: float) -> float:
    """Return how many rows were done at a moment, between points by interpolation."""
    after = bisect_right(points, seconds, key=lambda point: point.seconds)
    if after == 0:
        return 0.0
    if after == len(points):
        return float(points[-1].rows)
    left, right = points[after - 1], points[after]
    share = (seconds - left.seconds) / (right.seconds - left.seconds)
    return left.rows + share * (right.rows - left.rows)


def rows_per_second(
    timelines: Iterable[Sequence[Point]], start_seconds: float, end_seconds: float, bins: int
) -> list[float]:
    """Return the mean rate of all timelines together in each of `bins` equal spans of time.

    The sum of the rates times the length of a span is the number of all rows. Rows that are counted
    after a while count as done evenly since the last that were.
    """
    span_seconds = (end_seconds - start_seconds) / bins
    if span_seconds <= 0:
        return []
    rates = [0.0] * bins
    for timeline in timelines:
        points = _growth(timeline)
        before = 0.0
        for place in range(bins):
            # The last edge is the end itself, whatever rounding makes of the product.
            last = place == bins - 1
            edge = end_seconds if last else start_seconds + (place + 1) * span_seconds
            done = rows_at(points, edge)
            rates[place] += (done - before) / span_seconds
            before = done
    return rates


def _growth(points: Sequence[Point]) -> list[Point]:
    """Return the first point and all at which there were more rows than before."""
    return [
        point
        for place, point in enumerate(points)
        if place == 0 or point.rows > points[place - 1].rows
    ]
