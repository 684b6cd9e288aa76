"""Every Prometheus name of the app server, and where its figures come from.

No object of prometheus_client is touched while requests are answered: the figures of all workers
are added up when somebody asks, and handed over by a collector made for that one answer.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from catalog_api.figures import Figures, Key
from catalog_api.repositories.rows import RowSource
from catalog_api.telemetry import LAG_BOUNDS_SECONDS, RequestTelemetry
from ring.client import RingClient
from ring.telemetry import BATCH_BOUNDS, LATENCY_BOUNDS_SECONDS, LatencyHistogram

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class _Name:
    """One metric: its name, what it says, its labels and, for histograms, its bounds."""

    name: str
    documentation: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


REQUESTS: Final = _Name(
    "catalog_requests", "Answered requests by route and status.", ("route", "status")
)
LOG_LINES_DROPPED: Final = _Name("catalog_log_lines_dropped", "Access log lines given up.")
READS: Final = _Name(
    "catalog_ring_reads",
    "Requests to Cassandra by node, attempt (first, retry, speculative) and outcome.",
    ("node", "attempt", "outcome"),
)
SPECULATIVE_WINS: Final = _Name(
    "catalog_ring_speculative_wins", "Second reads that answered first, by node.", ("node",)
)
CIRCUIT_OPENINGS: Final = _Name(
    "catalog_ring_circuit_openings", "Times a node was taken out of service.", ("node",)
)
CALLS: Final = _Name(
    "catalog_ring_calls",
    "Calls that did not go the plain way, by what happened to them.",
    ("event",),
)
COUNTERS: Final = (REQUESTS, LOG_LINES_DROPPED, READS, SPECULATIVE_WINS, CIRCUIT_OPENINGS, CALLS)

IN_FLIGHT: Final = _Name("catalog_requests_in_flight", "Requests being answered now.")
WORKERS: Final = _Name("catalog_workers", "Worker processes that answer.")
RING_IN_FLIGHT: Final = _Name(
    "catalog_ring_in_flight", "Requests outstanding at a node.", ("node",)
)
RING_OUT: Final = _Name(
    "catalog_ring_circuit_open", "Workers that hold the node out of service.", ("node",)
)
RING_QUEUED: Final = _Name("catalog_ring_queued", "Calls that wait for a place at any node.")
RING_CONNECTED: Final = _Name(
    "catalog_ring_connected", "Workers that are connected to the node.", ("node",)
)
GAUGES: Final = (IN_FLIGHT, WORKERS, RING_IN_FLIGHT, RING_OUT, RING_CONNECTED, RING_QUEUED)

DURATION: Final = _Name(
    "catalog_request_duration_seconds",
    "Time from a request's last byte to its answer's handing to the socket.",
    ("route", "status"),
    LATENCY_BOUNDS_SECONDS,
)
LOOP_LAG: Final = _Name(
    "catalog_event_loop_lag_seconds",
    "How late the event loop ran what was due.",
    (),
    LAG_BOUNDS_SECONDS,
)
READ_DURATION: Final = _Name(
    "catalog_ring_read_duration_seconds",
    "Time from a request to a node to its reply.",
    ("node",),
    LATENCY_BOUNDS_SECONDS,
)
FRAMES: Final = _Name(
    "catalog_ring_frames_by_write",
    "Frames that went to a node in one write.",
    ("node",),
    BATCH_BOUNDS,
)
KEYS: Final = _Name(
    "catalog_ring_keys_by_frame",
    "Keys that were read by one frame.",
    ("node",),
    BATCH_BOUNDS,
)
HISTOGRAMS: Final = (DURATION, LOOP_LAG, READ_DURATION, FRAMES, KEYS)


def gather(telemetry: RequestTelemetry, rows: RowSource) -> Figures:
    """Return this process's figures as they stand."""
    figures = Figures()
    for (route, status), latency in telemetry.latencies.items():
        labels = (route, str(status))
        figures.counters[REQUESTS.name, labels] = latency.count
        _put(figures, DURATION, labels, latency)
    _put(figures, LOOP_LAG, (), telemetry.loop_lag)
    figures.counters[LOG_LINES_DROPPED.name, ()] = telemetry.log_lines_dropped
    figures.gauges[IN_FLIGHT.name, ()] = telemetry.in_flight
    figures.gauges[WORKERS.name, ()] = 1
    if isinstance(rows, RingClient):
        _gather_ring(figures, rows)
    return figures


def _gather_ring(figures: Figures, ring: RingClient) -> None:
    for endpoint, node in ring.nodes.items():
        labels = (str(endpoint),)
        told = node.telemetry
        for attempt, count in told.ok.items():
            figures.counters[READS.name, (*labels, attempt, "ok")] = count
        for (attempt, outcome), count in told.failed.items():
            figures.counters[READS.name, (*labels, attempt, outcome)] = count
        figures.counters[SPECULATIVE_WINS.name, labels] = told.speculative_wins
        figures.counters[CIRCUIT_OPENINGS.name, labels] = told.circuit_openings
        figures.gauges[RING_IN_FLIGHT.name, labels] = node.in_flight
        figures.gauges[RING_OUT.name, labels] = int(node.circuit_open)
        figures.gauges[RING_CONNECTED.name, labels] = int(node.is_connected)
        _put(figures, READ_DURATION, labels, told.latency)
        _put(figures, FRAMES, labels, told.frames_by_write)
        _put(figures, KEYS, labels, told.keys_by_frame)
    for event, count in dataclasses.asdict(ring.telemetry).items():
        figures.counters[CALLS.name, (event,)] = count
    figures.gauges[RING_QUEUED.name, ()] = ring.queued


def _put(
    figures: Figures, metric: _Name, labels: tuple[str, ...], histogram: LatencyHistogram
) -> None:
    figures.histograms[metric.name, labels] = (list(histogram.counts), histogram.sum_seconds)


def render(figures: Figures) -> bytes:
    """Return the figures in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_FiguresCollector(figures))
    return generate_latest(registry)


class _FiguresCollector(Collector):
    """Hands figures to prometheus_client."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def describe(self) -> Iterable[Metric]:
        """Describe nothing: the registry of one answer has no clashes to look for."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, also those without figures yet."""
        for metric in COUNTERS:
            counter = CounterMetricFamily(metric.name, metric.documentation, labels=metric.labels)
            for labels, value in _of(self._figures.counters, metric):
                counter.add_metric(labels, value)
            yield counter
        for metric in GAUGES:
            gauge = GaugeMetricFamily(metric.name, metric.documentation, labels=metric.labels)
            for labels, value in _of(self._figures.gauges, metric):
                gauge.add_metric(labels, value)
            yield gauge
        for metric in HISTOGRAMS:
            family = HistogramMetricFamily(metric.name, metric.documentation, labels=metric.labels)
            for labels, (counts, total) in _of(self._figures.histograms, metric):
                bounds = [*(str(bound) for bound in metric.bounds), "+Inf"]
                cumulated = zip(bounds, accumulate(counts), strict=True)
                family.add_metric(labels, [*cumulated], sum_value=total)
            yield family


def _of(figures: Mapping[Key, _Value], metric: _Name) -> Iterator[tuple[tuple[str, ...], _Value]]:
    return ((labels, value) for (name, labels), value in figures.items() if name == metric.name)
