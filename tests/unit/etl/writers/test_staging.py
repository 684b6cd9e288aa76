from collections.abc import Sequence
from pathlib import Path

import pytest

from etl.writers.staging import (
    EVERYWHERE,
    Staged,
    StagedTable,
    StagingError,
    StagingPlan,
    TargetPlan,
    create_table,
    java_specification,
)
from etl.writers.writer_process import prepare_folder
from ring import RingNode, RingState
from ring.token_ring import Replication, range_of_token
from ring.topology import build_state

ITEMS = StagedTable("items", "CREATE TABLE items (id bigint PRIMARY KEY)", (("id", "bigint"),), 7)
MORE = StagedTable("more", "CREATE TABLE more (id bigint PRIMARY KEY)", (("id", "bigint"),))


def ring_of(tokens: Sequence[Sequence[int]], factor: int) -> RingState:
    """A ring of one datacenter whose nodes have these tokens."""
    nodes = [
        RingNode(f"127.0.9.{n}", 9042, f"host{n}", "dc1", "rack1", "5.0.9", "v", tuple(own))
        for n, own in enumerate(tokens, 1)
    ]
    return build_state(
        nodes, Replication({"dc1": factor}), local_datacenter="dc1", local_address=""
    )


def test_target_plan_when_every_node_has_all_rows_then_one_target_serves_them() -> None:
    """As many copies as nodes, or fewer nodes than copies."""
    for factor in (3, 5):
        plan = TargetPlan.of_ring(ring_of([[-10, 50], [0], [10]], factor))
        assert plan.targets == {EVERYWHERE: ("host1", "host2", "host3")}
        assert plan.ranges == ()


def test_target_plan_when_nodes_share_the_rows_then_each_range_names_its_replicas() -> None:
    """More nodes than copies: a node's own target gets exactly what the ring says is the node's."""
    state = ring_of([[-100, 50], [-50, 80], [0, 90], [20, 95]], 2)
    plan = TargetPlan.of_ring(state)
    hosts = list(plan.targets)
    assert plan.targets == {host: (host,) for host in ("host1", "host2", "host3", "host4")}
    ends = [end for end, _ in plan.ranges]
    for token in (-(2**63), -101, -100, -99, 0, 1, 50, 94, 95, 96, 2**63 - 1):
        replicas = {node.host_id for node in state.route(token).replicas}
        indexes = plan.ranges[range_of_token(ends, token)][1]
        assert {hosts[index] for index in indexes} == replicas
        assert len(replicas) == 2


def test_target_plan_when_the_ring_changes_then_it_fits_no_more() -> None:
    """A token, a node or a number of copies more; the same ring told by another node fits."""
    plan = TargetPlan.of_ring(ring_of([[-10], [0], [10]], 3))
    assert plan.fits(ring_of([[-10], [0], [10]], 3))
    assert not plan.fits(ring_of([[-10, 5], [0], [10]], 3))
    assert not plan.fits(ring_of([[-10], [0], [10], [20]], 3))
    assert not plan.fits(ring_of([[-10], [0], [10]], 2))


def test_target_plan_when_a_range_has_no_replica_then_refused() -> None:
    """A keyspace of another datacenter, or none at all."""
    state = build_state(
        ring_of([[1]], 1).nodes, Replication({}), local_datacenter="dc1", local_address=""
    )
    with pytest.raises(StagingError, match="without a replica"):
        TargetPlan.of_ring(state)


def test_plan_when_written_then_read_the_same(tmp_path: Path) -> None:
    """What a later `resume` finds is what was planned."""
    target_plan = TargetPlan.of_ring(ring_of([[-100, 50], [0, 90], [20, 95]], 2))
    plan = StagingPlan("shop", (ITEMS, MORE), target_plan, 123)
    plan.write(tmp_path)
    assert StagingPlan.read(tmp_path) == plan
    (tmp_path / "plan.json").write_text('{"keyspace": "shop"}', encoding="utf-8")
    with pytest.raises(StagingError, match=r"plan\.json"):
        StagingPlan.read(tmp_path)


def test_specification_when_made_then_tables_have_tags_of_their_own(tmp_path: Path) -> None:
    """And the statement of a schema file comes without its comments."""
    cql = "-- GET /x; PRIMARY\nCREATE TABLE items ( -- why\n id bigint PRIMARY KEY\n);\n"
    assert create_table(cql) == "CREATE TABLE items ( \n id bigint PRIMARY KEY\n)"
    plan = StagingPlan("shop", (ITEMS, MORE), TargetPlan({EVERYWHERE: ("a",)}, (), (), {}), 123)
    made = java_specification(
        plan, tmp_path, [tmp_path / "p"], workers=2, bucket_bytes=1024, row_bytes_limit=99
    )
    assert [(one["tag"], one["table"], one["expected_bytes"]) for one in made["tables"]] == [
        ("A", "items", 7),
        ("B", "more", 0),
    ]
    assert plan.tag("more") == "B"
    assert made["targets"] == [EVERYWHERE]
    with pytest.raises(StagingError, match="no table other"):
        plan.table("other")


def test_staged_when_the_manifest_is_missing_or_cut_then_it_is_not_whole(tmp_path: Path) -> None:
    """Whatever else lies in the folder."""
    StagingPlan("shop", (ITEMS,), TargetPlan({EVERYWHERE: ("a",)}, (), (), {}), 1).write(tmp_path)
    with pytest.raises(StagingError, match="no whole staging"):
        Staged.read(tmp_path)
    (tmp_path / "manifest.json").write_text('{"tables": [', encoding="utf-8")
    with pytest.raises(StagingError, match="no whole staging"):
        Staged.read(tmp_path)


def test_folder_when_it_holds_something_else_then_left_alone(tmp_path: Path) -> None:
    """A setting may name the wrong folder; what a stopped staging left is another matter."""
    plan = StagingPlan("shop", (ITEMS,), TargetPlan({EVERYWHERE: ("a",)}, (), (), {}), 1)
    (tmp_path / "photos").mkdir()
    with pytest.raises(StagingError, match="left alone"):
        prepare_folder(tmp_path, plan, 1)
    assert (tmp_path / "photos").is_dir()
    plan.write(tmp_path)
    assert prepare_folder(tmp_path, plan, 2) == tmp_path
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"plan.json", "temporary", "rows-0.pipe", "rows-1.pipe"}
