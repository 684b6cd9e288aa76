"""Puts a picture of the ring into Prometheus' text format.

What is not known has no sample: of a node that is dead there are its state and
`catalog_node_answers` 0, and nothing that only it could have told.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ring.hosts.host import HostFacts
from ring.monitoring import names
from ring.monitoring.names import Name
from ring.monitoring.node_tables import timestamp
from ring.monitoring.past import Past
from ring.monitoring.picture import Lock, Nginx, NodeTables, RingPicture
from ring.operations.view import NodeView, RingView

STATES: Final = {
    up + membership: f"{word}_{state}"
    for up, word in (("U", "up"), ("D", "down"))
    for membership, state in (("N", "normal"), ("J", "joining"), ("L", "leaving"), ("M", "moving"))
}
"""nodetool's letters for the states of a node, and the words that figures have for them."""


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
    sheet.put(names.RING_SEEN, picture.view is not None)
    if picture.view is not None:
        _put_ring(sheet, picture.view, picture.keyspace)
        for node in picture.view.nodes:
            _put_node(sheet, node, picture)
            _put_debts(sheet, node, picture)
            if node.answers:
                _put_work(sheet, node, picture, picture.view)
    for address, is_open in picture.circuits.items():
        sheet.put(names.CIRCUIT, is_open, _label(picture, address))
    _put_lock(sheet, picture.lock)
    _put_nginx(sheet, picture.nginx)
    _put_past(sheet, picture.past)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(sheet)
    return generate_latest(registry)


def _label(picture: RingPicture, address: str) -> str:
    """Name a node as the app servers' figures do."""
    return f"{address}:{picture.cql_port}"


def _put_ring(sheet: Sheet, view: RingView, keyspace: str) -> None:
    states = [node.state for node in view.nodes]
    for letters, state in STATES.items():
        sheet.put(names.RING_NODES, states.count(letters), state)
    sheet.put(names.RING_MOVING, len(view.moving))
    sheet.put(names.RING_SCHEMAS, len(view.schema_versions))
    for datacenter, factor in view.replication.get(keyspace, {}).items():
        sheet.put(names.RING_REPLICATION, factor, datacenter)


def _put_node(sheet: Sheet, node: NodeView, picture: RingPicture) -> None:
    label = _label(picture, node.address)
    host = picture.hosts.get(node.address, "")
    place = (host, node.host_id, node.datacenter, node.rack, node.version, node.schema_version)
    sheet.put(names.NODE_INFO, 1, label, *place)
    for letters, state in STATES.items():
        sheet.put(names.NODE_STATE, node.state == letters, label, state)
    sheet.put(names.NODE_ANSWERS, node.answers, label)
    sheet.put(names.NODE_LOAD, node.load_bytes, label)
    sheet.put(names.NODE_COMPACTIONS, node.pending_compactions, label)
    tables = picture.tables.get(node.address)
    if tables is not None:
        _put_tables(sheet, label, tables)
    if node.address in picture.facts:
        _put_facts(sheet, picture.facts[node.address], label, host)


def _put_debts(sheet: Sheet, node: NodeView, picture: RingPicture) -> None:
    label = _label(picture, node.address)
    if picture.front is not None:
        sheet.put(names.NODE_IN_NGINX, node.address in picture.front, label)
    if picture.owed is not None:
        sheet.put(names.NODE_OWED, node.host_id in picture.owed, label)
    if picture.repaired_at is not None:
        sheet.put(names.NODE_REPAIRED, picture.repaired_at.get(node.host_id, 0.0), label)


def _put_work(sheet: Sheet, node: NodeView, picture: RingPicture, view: RingView) -> None:
    label = _label(picture, node.address)
    streams = [one for one in view.streams if one.node == node.address and one.under_way]
    sheet.put(names.NODE_STREAMS, len(streams), label)
    sheet.put(names.NODE_STREAM_DONE, sum(one.bytes_done for one in streams), label)
    sheet.put(names.NODE_STREAM_EXPECTED, sum(one.bytes_total for one in streams), label)
    left = sum(one.total - one.done for one in view.tasks if one.node == node.address)
    sheet.put(names.NODE_TASKS_LEFT, left, label)


def _put_tables(sheet: Sheet, label: str, tables: NodeTables) -> None:
    sheet.put(names.NODE_JOINED, tables.joined_at, label)
    sheet.put(names.NODE_CLIENTS, tables.clients, label)
    sheet.put(names.NODE_HINT_FILES, tables.hint_files, label)
    sheet.put(names.NODE_HINT_OLDEST, tables.oldest_hint_at, label)
    for pool, figures in tables.pools.items():
        sheet.put(names.POOL_ACTIVE, figures.active, label, pool)
        sheet.put(names.POOL_PENDING, figures.pending, label, pool)
        sheet.put(names.POOL_COMPLETED, figures.completed, label, pool)
        sheet.put(names.POOL_BLOCKED, figures.blocked, label, pool)


def _put_facts(sheet: Sheet, facts: HostFacts | None, *labels: str) -> None:
    sheet.put(names.HOST_REACHABLE, facts is not None, *labels)
    if facts is None:
        return
    sheet.put(names.HOST_DISK, facts.disk_bytes, *labels)
    sheet.put(names.HOST_DISK_FREE, facts.free_disk_bytes, *labels)
    sheet.put(names.HOST_CLOCK, facts.clock_offset_seconds, *labels)
    sheet.put(names.HOST_CPU, facts.cpu_seconds, *labels)
    sheet.put(names.HOST_CORES, facts.cpu_cores, *labels)
    sheet.put(names.HOST_NODE_CPU, facts.node_cpu_seconds, *labels)


def _put_lock(sheet: Sheet, lock: Lock | None) -> None:
    if lock is None:
        return
    sheet.put(names.LOCK_HELD, lock.holder is not None)
    if lock.holder is not None:
        sheet.put(names.LOCK_SINCE, timestamp(lock.holder.since), lock.holder.purpose)


def _put_nginx(sheet: Sheet, nginx: Nginx | None) -> None:
    sheet.put(names.NGINX_UP, nginx is not None)
    if nginx is None:
        return
    for state in ("reading", "writing", "waiting"):
        sheet.put(names.NGINX_CONNECTIONS, getattr(nginx, state), state)
    sheet.put(names.NGINX_ACCEPTED, nginx.accepted)
    sheet.put(names.NGINX_DROPPED, nginx.accepted - nginx.handled)
    sheet.put(names.NGINX_REQUESTS, nginx.requests)


def _put_past(sheet: Sheet, past: Past | None) -> None:
    if past is None:
        return
    sheet.put(names.BACKUP_AT, past.backup_at)
    for run in past.runs:
        sheet.put(names.OPERATION_AT, run.ended_at, run.operation, run.outcome)
        sheet.put(names.OPERATION_DURATION, run.seconds, run.operation, run.outcome)
    for step in past.steps:
        labels = (step.operation, step.on, step.step, step.outcome)
        sheet.put(names.STEP_AT, step.ended_at, *labels)
        sheet.put(names.STEP_DURATION, step.seconds, *labels)
        sheet.put(names.STEP_STREAMED, step.streamed_bytes, *labels)
