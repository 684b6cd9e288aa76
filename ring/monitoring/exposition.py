"""Puts a picture of the ring into Prometheus' text format.

What is not known has no sample: of a node that is dead there are its state and
`catalog_node_answers` 0, and nothing that only it could have told.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ring.monitoring import names
from ring.monitoring.names import Name
from ring.monitoring.picture import (
    STATES,
    HostPicture,
    Journal,
    Nginx,
    NodePicture,
    NodeTables,
    RingPicture,
)

_MOVING: Final = frozenset(letters for letters in STATES if letters[1] != "N")


class Sheet(Collector):
    """Samples by metric, in the order in which they were put."""

    def __init__(self) -> None:
        self._samples: dict[str, list[tuple[tuple[str, ...], float]]] = {}

    def put(self, name: Name, value: float | None, *labels: str) -> None:
        """Add a sample; none for what is not known."""
        if value is not None:
            self._samples.setdefault(name.name, []).append((labels, float(value)))

    def describe(self) -> Iterable[Metric]:
        """Describe nothing: the registry of one answer has no clashes to look for."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, also those without a sample."""
        for name in names.ALL:
            kind = CounterMetricFamily if name.is_counter else GaugeMetricFamily
            family = kind(name.name, name.documentation, labels=name.labels)
            for labels, value in self._samples.get(name.name, ()):
                family.add_metric(labels, value)
            yield family


def render(picture: RingPicture, *, read_seconds: float) -> bytes:
    """Return the picture in Prometheus' text format."""
    sheet = Sheet()
    sheet.put(names.READ_SECONDS, read_seconds)
    for source, ok in picture.sources.items():
        sheet.put(names.SOURCE_OK, ok, source)
    _put_ring(sheet, picture)
    for node in picture.nodes:
        _put_node(sheet, node)
        if node.tables is not None:
            _put_tables(sheet, node.node, node.tables)
    for host in picture.hosts:
        _put_host(sheet, host)
    _put_nginx(sheet, picture.nginx)
    if picture.journal is not None:
        _put_journal(sheet, picture.journal)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(sheet)
    return generate_latest(registry)


def _put_ring(sheet: Sheet, picture: RingPicture) -> None:
    sheet.put(names.RING_SEEN, bool(picture.nodes))
    if picture.nodes:
        for letters, state in STATES.items():
            sheet.put(names.RING_NODES, _count(picture, {letters}), state)
        sheet.put(names.RING_MOVING, _count(picture, _MOVING))
        up = {node.schema_version for node in picture.nodes if node.state.startswith("U")}
        sheet.put(names.RING_SCHEMAS, len(up))
    sheet.put(names.RING_PENDING, picture.pending_ranges)
    for datacenter, factor in picture.replication_factor.items():
        sheet.put(names.RING_REPLICATION, factor, datacenter)
    for node, is_open in picture.circuits.items():
        sheet.put(names.CIRCUIT, is_open, node)
    if picture.lock is not None:
        sheet.put(names.LOCK_HELD, picture.lock.held)
        if picture.lock.held:
            sheet.put(names.LOCK_SINCE, picture.lock.since, picture.lock.purpose)


def _count(picture: RingPicture, states: Iterable[str]) -> int:
    wanted = set(states)
    return sum(node.state in wanted for node in picture.nodes)


def _put_node(sheet: Sheet, node: NodePicture) -> None:
    sheet.put(
        names.NODE_INFO,
        1,
        node.node,
        node.host,
        node.host_id,
        node.datacenter,
        node.rack,
        node.version,
        node.schema_version,
    )
    for letters, state in STATES.items():
        sheet.put(names.NODE_STATE, node.state == letters, node.node, state)
    sheet.put(names.NODE_ANSWERS, node.tables is not None, node.node)
    sheet.put(names.NODE_LOAD, node.load_bytes, node.node)
    sheet.put(names.NODE_COMPACTIONS, node.pending_compactions, node.node)
    sheet.put(names.NODE_OWED, node.cleanup_owed, node.node)
    sheet.put(names.NODE_REPAIRED, node.repaired_at, node.node)
    sheet.put(names.NODE_IN_NGINX, node.app_in_nginx, node.node)


def _put_tables(sheet: Sheet, node: str, tables: NodeTables) -> None:
    sheet.put(names.NODE_JOINED, tables.joined_at, node)
    sheet.put(names.NODE_COMPACTION_LEFT, tables.compaction_left_bytes, node)
    sheet.put(names.NODE_CLIENTS, tables.clients, node)
    streams = tables.streams
    sheet.put(names.NODE_STREAMS, streams.count, node)
    sheet.put(names.NODE_STREAM_BYTES, streams.received_bytes, node, "in")
    sheet.put(names.NODE_STREAM_BYTES, streams.sent_bytes, node, "out")
    sheet.put(names.NODE_STREAM_WHOLE, streams.to_receive_bytes, node, "in")
    sheet.put(names.NODE_STREAM_WHOLE, streams.to_send_bytes, node, "out")
    for target, hints in tables.hints.items():
        sheet.put(names.NODE_HINT_FILES, hints.files, node, target)
        sheet.put(names.NODE_HINT_OLDEST, hints.oldest_at, node, target)
    for pool, figures in tables.pools.items():
        sheet.put(names.POOL_ACTIVE, figures.active, node, pool)
        sheet.put(names.POOL_PENDING, figures.pending, node, pool)
        sheet.put(names.POOL_COMPLETED, figures.completed, node, pool)
        sheet.put(names.POOL_BLOCKED, figures.blocked, node, pool)


def _put_host(sheet: Sheet, host: HostPicture) -> None:
    labels = (host.node, host.host)
    sheet.put(names.HOST_REACHABLE, host.reachable, *labels)
    sheet.put(names.HOST_DISK, host.disk_bytes, *labels)
    sheet.put(names.HOST_DISK_FREE, host.disk_free_bytes, *labels)
    sheet.put(names.HOST_CLOCK, host.clock_offset_seconds, *labels)
    sheet.put(names.HOST_CPU, host.cpu_seconds, *labels)
    sheet.put(names.HOST_CORES, host.cpu_cores, *labels)
    sheet.put(names.HOST_NODE_CPU, host.node_cpu_seconds, *labels)


def _put_nginx(sheet: Sheet, nginx: Nginx | None) -> None:
    sheet.put(names.NGINX_UP, nginx is not None)
    if nginx is None:
        return
    for state in ("reading", "writing", "waiting"):
        sheet.put(names.NGINX_CONNECTIONS, getattr(nginx, state), state)
    sheet.put(names.NGINX_ACCEPTED, nginx.accepted)
    sheet.put(names.NGINX_DROPPED, nginx.accepted - nginx.handled)
    sheet.put(names.NGINX_REQUESTS, nginx.requests)


def _put_journal(sheet: Sheet, journal: Journal) -> None:
    sheet.put(names.BACKUP_AT, journal.backup_at)
    sheet.put(names.OPERATION_UNFINISHED, len(journal.unfinished))
    for operation in journal.operations:
        labels = (operation.operation, operation.outcome)
        sheet.put(names.OPERATION_AT, operation.ended_at, *labels)
        sheet.put(names.OPERATION_DURATION, operation.duration_seconds, *labels)
    for step in journal.steps:
        which = (step.operation, step.step, step.host, step.outcome)
        sheet.put(names.STEP_AT, step.ended_at, *which)
        sheet.put(names.STEP_DURATION, step.duration_seconds, *which)
        sheet.put(names.STEP_STREAMED, step.streamed_bytes, *which)
