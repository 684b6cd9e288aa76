"""Figures that cost the hot path next to nothing: plain numbers, read by whoever exports them."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

# Finer than Prometheus' default around the milliseconds where reads of one partition live.
LATENCY_BOUNDS_SECONDS: Final = (
    *(0.00025, 0.0005, 0.00075, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.0075),
    *(0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
BATCH_BOUNDS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)


class LatencyHistogram:
    """Counts of observations by upper bound.

    Attributes:
        bounds_seconds: upper bounds, ascending; one more bucket takes what is above the last.
        counts: observations of each bucket, not cumulated.
        sum_seconds: of all observations.
    """

    __slots__ = ("bounds_seconds", "counts", "sum_seconds")

    def __init__(self, bounds_seconds: Iterable[float] = LATENCY_BOUNDS_SECONDS) -> None:
        self.bounds_seconds = tuple(bounds_seconds)
        self.counts = [0] * (len(self.bounds_seconds) + 1)
        self.sum_seconds = 0.0

    def observe(self, seconds: float, count: int = 1) -> None:
        """Count one observation, or several of the same value."""
        self.counts[bisect_left(self.bounds_seconds, seconds)] += count
        self.sum_seconds += seconds * count

    @property
    def count(self) -> int:
        """Observations in all."""
        return sum(self.counts)


def quantile_seconds(
    bounds_seconds: tuple[float, ...], counts: list[int], quantile: float
) -> float | None:
    """The upper bound of the bucket that holds the quantile; None without observations."""
    total = sum(counts)
    if not total:
        return None
    rank = quantile * total
    for bound, count in zip(bounds_seconds, counts, strict=False):
        rank -= count
        if rank <= 0:
            return bound
    return bounds_seconds[-1]


@dataclass(slots=True)
class NodeTelemetry:
    """What a client knows of its requests to one node.

    An attempt is `first`, `retry` or `speculative`. `ok` counts those that brought an answer,
    `failed` the others by (attempt, outcome): `lost`, `unreadable`, or the name of the server's
    error. `frames_by_write` and `keys_by_frame` show what went together.
    """

    latency: LatencyHistogram = field(default_factory=LatencyHistogram)
    frames_by_write: LatencyHistogram = field(
        default_factory=lambda: LatencyHistogram(BATCH_BOUNDS)
    )
    keys_by_frame: LatencyHistogram = field(default_factory=lambda: LatencyHistogram(BATCH_BOUNDS))
    ok: dict[str, int] = field(default_factory=lambda: {"first": 0, "retry": 0, "speculative": 0})
    failed: dict[tuple[str, str], int] = field(default_factory=dict)
    speculative_wins: int = 0
    circuit_openings: int = 0

    def count_failure(self, attempt: str, outcome: str) -> None:
        """Count an attempt that brought no rows."""
        key = (attempt, outcome)
        self.failed[key] = self.failed.get(key, 0) + 1


@dataclass(slots=True)
class ClientTelemetry:
    """What concerns no single node."""

    failovers: int = 0
    timeouts: int = 0
    refused: int = 0
    unavailable: int = 0
