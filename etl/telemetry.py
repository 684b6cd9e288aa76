"""Prometheus figures of a load while it runs: every name, and the port they are asked at."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from etl.errors import UsageError
from etl.record import Done, LoadRecord, Work
from etl.settings import EtlSettings

ROWS_READ: Final = "catalog_load_rows_read"
BYTES_READ: Final = "catalog_load_bytes_read"
ROWS_LOADED: Final = "catalog_load_rows_loaded"
ROWS_REJECTED: Final = "catalog_load_rows_rejected"
ROWS_WRITTEN: Final = "catalog_load_rows_written"
STAGE_SECONDS: Final = "catalog_load_stage_seconds"
STAGE_RUNNING: Final = "catalog_load_stage_running"
WRITES_IN_FLIGHT: Final = "catalog_load_writes_in_flight"
IN_FLIGHT_LIMIT: Final = "catalog_load_in_flight_limit"
IN_FLIGHT_DECREASES: Final = "catalog_load_in_flight_decreases"
WRITE_RETRIES: Final = "catalog_load_write_retries"
ROWS_WAITING: Final = "catalog_load_rows_waiting"
PEAK_MEMORY: Final = "catalog_load_peak_memory_bytes"
START_TIME: Final = "catalog_load_start_time_seconds"


class LoadCollector(Collector):
    """Hands a record's figures over when somebody asks; the load itself only counts."""

    def __init__(self, record: LoadRecord) -> None:
        self._record = record

    def describe(self) -> Iterable[Metric]:
        """Describe nothing: the registry holds nothing else to clash with."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, also those without figures yet."""
        yield from self._files()
        yield from self._rejects()
        yield from self._stages()
        yield from self._writer()
        yield from self._process()

    def _files(self) -> Iterator[Metric]:
        rows = CounterMetricFamily(ROWS_READ, "Rows read from a file.", labels=("file",))
        read = CounterMetricFamily(BYTES_READ, "Bytes read from a file.", labels=("file",))
        counted: dict[str, Done] = {}
        for stage in list(self._record.stages):
            if stage.work is Work.READ:
                before, done = counted.get(stage.file, Done(0, 0)), stage.done
                counted[stage.file] = Done(before.rows + done.rows, before.bytes + done.bytes)
        for name, done in counted.items():
            rows.add_metric((name,), done.rows)
            read.add_metric((name,), done.bytes)
        loaded = CounterMetricFamily(
            ROWS_LOADED, "Rows of a file that passed, told once all are judged.", labels=("file",)
        )
        account = self._record.account
        for name, one in account.files.items() if account else ():
            loaded.add_metric((name,), one.loaded)
        yield from (rows, read, loaded)

    def _rejects(self) -> Iterator[Metric]:
        rejected = CounterMetricFamily(
            ROWS_REJECTED, "Rows refused, by file and kind.", labels=("file", "kind")
        )
        for labels, rows in dict(self._record.rejected).items():
            rejected.add_metric(labels, rows)
        yield rejected

    def _stages(self) -> Iterator[Metric]:
        seconds = CounterMetricFamily(
            STAGE_SECONDS, "Time that a stage has taken so far.", labels=("stage", "work")
        )
        running = GaugeMetricFamily(
            STAGE_RUNNING, "1 while a stage runs, then 0.", labels=("stage", "work")
        )
        took: dict[tuple[str, str], float] = {}
        runs: dict[tuple[str, str], int] = {}
        for stage in list(self._record.stages):
            labels = (stage.name, stage.work.value)
            took[labels] = took.get(labels, 0.0) + stage.seconds
            runs[labels] = int(stage.ended is None)
        for labels, told in took.items():
            seconds.add_metric(labels, told)
            running.add_metric(labels, runs[labels])
        yield from (seconds, running)

    def _writer(self) -> Iterator[Metric]:
        told = self._record.writer()
        written = CounterMetricFamily(ROWS_WRITTEN, "Rows handed to Cassandra and confirmed.")
        written.add_metric((), self._record.rows(Work.WRITE))
        in_flight = GaugeMetricFamily(WRITES_IN_FLIGHT, "Writes outstanding at Cassandra.")
        in_flight.add_metric((), _number(told.get("in_flight")))
        limit = GaugeMetricFamily(IN_FLIGHT_LIMIT, "Writes that may be outstanding, as it adapts.")
        limit.add_metric((), _number(told.get("in_flight_limit")))
        decreases = CounterMetricFamily(IN_FLIGHT_DECREASES, "How often that limit was lowered.")
        decreases.add_metric((), _number(told.get("in_flight_decreases")))
        retries = CounterMetricFamily(
            WRITE_RETRIES, "Attempts that failed and were made again.", labels=("cause",)
        )
        causes = told.get("retries")
        for cause, count in causes.items() if isinstance(causes, dict) else ():
            retries.add_metric((cause,), count)
        waiting = GaugeMetricFamily(ROWS_WAITING, "Rows rendered and not at Cassandra yet.")
        waiting.add_metric((), _number(told.get("rows_waiting")))
        yield from (written, in_flight, limit, decreases, retries, waiting)

    def _process(self) -> Iterator[Metric]:
        memory = GaugeMetricFamily(PEAK_MEMORY, "Most memory held, programs it started included.")
        memory.add_metric((), self._record.memory.peak_bytes)
        yield memory
        start = GaugeMetricFamily(START_TIME, "When the load began, in seconds since 1970.")
        start.add_metric((), self._record.started_at.timestamp())
        yield start


def _number(told: object) -> float:
    """What a writer tells; 0 where it has no such figure."""
    return told if isinstance(told, int | float) else 0.0


@contextmanager
def serve_figures(settings: EtlSettings, record: LoadRecord) -> Iterator[None]:
    """Answer at `load_metrics_host`:`load_metrics_port` meanwhile; port 0: nowhere.

    Raises:
        UsageError: the port cannot be listened on.
    """
    if not settings.load_metrics_port:
        yield
        return
    registry = CollectorRegistry(auto_describe=False)
    registry.register(LoadCollector(record))
    try:
        server, thread = start_http_server(
            settings.load_metrics_port, settings.load_metrics_host, registry
        )
    except OSError as error:
        raise UsageError(
            f"CATALOG_LOAD_METRICS_PORT={settings.load_metrics_port}: cannot listen at"
            f" {settings.load_metrics_host}: {error}"
        ) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
