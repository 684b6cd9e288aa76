"""The page of figures, from pictures of rings that are well and are not."""

import dataclasses
from datetime import datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ring.hosts.host import HostFacts
from ring.monitoring import names
from ring.monitoring.exposition import render
from ring.monitoring.past import look_back
from ring.monitoring.picture import Lock, Nginx, NodeTables, Pool, RingPicture
from ring.operation_lock import Holder
from ring.operations.view import Membership, NodeView, RingView, Stream, Task

UP, DEAD = "10.0.0.1", "10.0.0.2"
NODE = NodeView(
    address=UP,
    host_id="id-1",
    datacenter="dc1",
    rack="r1",
    membership=Membership.NORMAL,
    answers=True,
    silent_seconds=0.0,
    version="5.0.9",
    schema_version="s",
    load_bytes=1000,
    tokens=(1,),
    pending_compactions=3,
)
GONE = dataclasses.replace(
    NODE, address=DEAD, host_id="id-2", answers=False, pending_compactions=None
)
VIEW = RingView(
    nodes=(NODE, GONE),
    replication={"catalog": {"dc1": 2}, "other": {"dc1": 1}},
    streams=(
        Stream("p", "Bootstrap", UP, ("10.0.0.9",), 40, 100, "start"),
        Stream("q", "Bootstrap", UP, ("10.0.0.9",), 7, 7, "success"),
    ),
    tasks=(Task(UP, "cleanup", "catalog", "t", 30, 100),),
)
FACTS = HostFacts(
    clock_offset_seconds=-0.25,
    free_disk_bytes=600,
    data_bytes=1,
    installed_version="5.0.9",
    cluster_name="catalog",
    node_runs=True,
    app_runs=True,
    disk_bytes=1000,
    cpu_seconds=12.5,
    cpu_cores=2,
    node_cpu_seconds=4.5,
)
PICTURE = RingPicture(
    keyspace="catalog",
    cql_port=9042,
    sources={"ring": True, "nodes": False},
    view=VIEW,
    tables={UP: NodeTables(99.0, {"ReadStage": Pool(1, 2, 3, 4)}, 5, 50.0, 6)},
    hosts={UP: "node1", DEAD: "node2"},
    facts={UP: FACTS, DEAD: None},
    repaired_at={"id-1": 77.0},
    lock=Lock(Holder("a:1", "add node3", datetime(2026, 11, 22))),  # noqa: DTZ001 - as CQL gives it
    owed=frozenset({"id-1"}),
    front=frozenset({UP}),
    circuits={UP: False, DEAD: True},
    past=look_back([], holder=""),
    nginx=Nginx(10, 9, 100, 1, 2, 3),
)


def _samples(picture: RingPicture) -> dict[str, float]:
    """Return the samples of a page by name and labels, as one writes them."""
    text = render(picture, read_seconds=0.5).decode()
    return {
        sample.name
        + (
            "{" + ",".join(f'{name}="{value}"' for name, value in sample.labels.items()) + "}"
            if sample.labels
            else ""
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("sample", "value"),
    [
        ("catalog_exporter_read_duration_seconds", 0.5),
        ('catalog_exporter_source_ok{source="nodes"}', 0),
        ("catalog_ring_seen", 1),
        ('catalog_ring_nodes{state="up_normal"}', 1),
        ('catalog_ring_nodes{state="down_normal"}', 1),
        ('catalog_ring_nodes{state="up_joining"}', 0),
        ("catalog_ring_moving_nodes", 0),
        ("catalog_ring_schema_versions", 1),
        ('catalog_ring_replication_factor{datacenter="dc1"}', 2),
        ("catalog_ring_lock_held", 1),
        ('catalog_ring_lock_since_timestamp_seconds{purpose="add node3"}', 1795305600),
        ("catalog_ring_backup_timestamp_seconds", 0),
        ('catalog_node_state{node="10.0.0.2:9042",state="down_normal"}', 1),
        ('catalog_node_answers{node="10.0.0.1:9042"}', 1),
        ('catalog_node_answers{node="10.0.0.2:9042"}', 0),
        ('catalog_node_load_bytes{node="10.0.0.2:9042"}', 1000),
        ('catalog_node_pending_compactions{node="10.0.0.1:9042"}', 3),
        ('catalog_node_streams{node="10.0.0.1:9042"}', 1),
        ('catalog_node_stream_done_bytes{node="10.0.0.1:9042"}', 40),
        ('catalog_node_stream_expected_bytes{node="10.0.0.1:9042"}', 100),
        ('catalog_node_task_left_bytes{node="10.0.0.1:9042"}', 70),
        ('catalog_node_joined_timestamp_seconds{node="10.0.0.1:9042"}', 99),
        ('catalog_node_repair_timestamp_seconds{node="10.0.0.1:9042"}', 77),
        ('catalog_node_hint_files{node="10.0.0.1:9042"}', 5),
        ('catalog_node_hint_oldest_timestamp_seconds{node="10.0.0.1:9042"}', 50),
        ('catalog_node_clients{node="10.0.0.1:9042"}', 6),
        ('catalog_node_cleanup_owed{node="10.0.0.1:9042"}', 1),
        ('catalog_node_cleanup_owed{node="10.0.0.2:9042"}', 0),
        ('catalog_node_app_in_nginx{node="10.0.0.2:9042"}', 0),
        ('catalog_node_pool_active_tasks{node="10.0.0.1:9042",pool="ReadStage"}', 1),
        ('catalog_node_pool_pending_tasks{node="10.0.0.1:9042",pool="ReadStage"}', 2),
        ('catalog_node_pool_completed_tasks_total{node="10.0.0.1:9042",pool="ReadStage"}', 3),
        ('catalog_node_pool_blocked_tasks_total{node="10.0.0.1:9042",pool="ReadStage"}', 4),
        ('catalog_host_reachable{host="node2",node="10.0.0.2:9042"}', 0),
        ('catalog_host_disk_bytes{host="node1",node="10.0.0.1:9042"}', 1000),
        ('catalog_host_disk_free_bytes{host="node1",node="10.0.0.1:9042"}', 600),
        ('catalog_host_clock_offset_seconds{host="node1",node="10.0.0.1:9042"}', -0.25),
        ('catalog_host_cpu_seconds_total{host="node1",node="10.0.0.1:9042"}', 12.5),
        ('catalog_host_cpu_cores{host="node1",node="10.0.0.1:9042"}', 2),
        ('catalog_host_node_cpu_seconds_total{host="node1",node="10.0.0.1:9042"}', 4.5),
        ('catalog_exporter_circuit_open{node="10.0.0.2:9042"}', 1),
        ("catalog_nginx_up", 1),
        ('catalog_nginx_connections{state="waiting"}', 3),
        ("catalog_nginx_dropped_connections_total", 1),
        ("catalog_nginx_requests_total", 100),
        ('catalog_operation_timestamp_seconds{operation="add",outcome="done"}', 0),
    ],
)
def test_render_when_the_ring_is_known_then_each_figure_has_its_name(
    sample: str, value: float
) -> None:
    """Names and labels as the alert rules and the dashboard ask for them."""
    assert _samples(PICTURE)[sample] == value


def test_render_when_a_node_is_dead_then_only_what_others_know_of_it_is_told() -> None:
    """Nothing that it said before is repeated."""
    told = {name.partition("{")[0] for name in _samples(PICTURE) if DEAD in name}
    assert told == {
        "catalog_node_info",
        "catalog_node_state",
        "catalog_node_answers",
        "catalog_node_load_bytes",
        "catalog_node_repair_timestamp_seconds",
        "catalog_node_cleanup_owed",
        "catalog_node_app_in_nginx",
        "catalog_host_reachable",
        "catalog_exporter_circuit_open",
    }


def test_render_when_nothing_is_known_then_that_is_told() -> None:
    """The page comes, and says that no source answered."""
    blind = RingPicture(keyspace="catalog", cql_port=9042, sources={"ring": False})
    assert _samples(blind) == {
        "catalog_exporter_read_duration_seconds": 0.5,
        'catalog_exporter_source_ok{source="ring"}': 0,
        "catalog_ring_seen": 0,
        "catalog_nginx_up": 0,
    }


def test_names_when_listed_then_each_is_told_of_by_a_ring_that_is_known() -> None:
    """No name is declared and never used; steps have a test of their own."""
    told = {name.partition("{")[0] for name in _samples(PICTURE)}
    declared = {f"{name.name}_total" if name.is_counter else name.name for name in names.ALL}
    steps = {name.name for name in (names.STEP_AT, names.STEP_DURATION, names.STEP_STREAMED)}
    assert declared - told == steps


def test_names_when_listed_then_they_end_in_base_units() -> None:
    """Prometheus' conventions: seconds and bytes, counters with _total, one prefix."""
    for name in names.ALL:
        assert name.name.startswith("catalog_")
        assert not name.name.endswith("_total"), "prometheus_client writes it"
        assert not any(unit in name.name for unit in ("_ms", "milli", "_mb", "mib", "percent"))
        assert name.documentation.endswith(".")
