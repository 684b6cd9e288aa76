"""Figures of a process's requests, as plain numbers: under a microsecond per request in all.

Nothing here knows Prometheus; `metrics` gives the names.
"""

from typing import Final

from ring.telemetry import LatencyHistogram

LAG_BOUNDS_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class RequestTelemetry:
    """What a process knows of its requests.

    Attributes:
        latencies: by route and status; the requests are counted by the histograms' own counts.
        in_flight: requests being answered now.
        loop_lag: how late the event loop ran what was due.
        log_lines_dropped: access log lines given up because writing them fell behind.
    """

    __slots__ = ("in_flight", "latencies", "log_lines_dropped", "loop_lag")

    def __init__(self) -> None:
        self.latencies: dict[tuple[str, int], LatencyHistogram] = {}
        self.in_flight = 0
        self.loop_lag = LatencyHistogram(LAG_BOUNDS_SECONDS)
        self.log_lines_dropped = 0

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        latency = self.latencies.get((route, status))
        if latency is None:
            latency = self.latencies[route, status] = LatencyHistogram()
        latency.observe(seconds)
