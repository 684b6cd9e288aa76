"""A replica that has lost its rows: the check sees it there alone, and repair mends it."""

import time

import pytest

from benchmarks.ring_load.rows import TABLE
from tests.ring_faults.scene import KEYSPACE, Scene

pytestmark = [pytest.mark.ring_faults, pytest.mark.timeout(1800)]

LOAD_SECONDS = 10.0
REFUSED = 3


def test_check_when_one_replica_of_three_lost_its_files_then_found_there_and_repaired(
    scene: Scene,
) -> None:
    """A quorum still knows every row, asked over the two others; the third knows none of them."""
    scene.settle(3)
    load = scene.load()
    with load.running():
        time.sleep(LOAD_SECONDS)
    rows = sum(load.check_replicas().keys.values()) - sum(load.check_quorum().keys.values())
    assert rows > 0
    lose_rows(scene, "node2")
    found = load.check_replicas()
    assert {one.where for one in found.findings} == {scene.address_of("node2")}
    assert {one.table for one in found.findings} == {"rows"}
    assert found.lost > 0
    assert load.check_quorum().findings == []
    done = scene.run("repair")
    assert done.code == 0, done.output
    assert load.check_replicas().findings == []


def lose_rows(scene: Scene, name: str) -> None:
    """Remove the files of the load's table from one node, which does not run meanwhile."""
    scene.nodetool(name, "flush", KEYSPACE, TABLE)
    scene.kill_node(name)
    folders = scene.folder_of(name).glob(f"data0/{KEYSPACE}/{TABLE}-*")
    files = [file for folder in folders for file in folder.iterdir() if file.is_file()]
    assert files
    for file in files:
        file.unlink()
    scene.bring_back(name)


def test_remove_when_an_addition_was_not_cleaned_up_then_refused(scene: Scene) -> None:
    """What was deleted since could come back from a node that was not cleaned up."""
    members, spare = scene.settle(2), scene.spare()
    with scene.episode("remove before cleanup", ends_with=members | {spare}) as episode:
        assert scene.run("add", spare, fault_point="add.cleanup").code < 0
        assert scene.run("unlock").code == 0
        refused = scene.run("remove", spare)
        assert refused.code == REFUSED, refused.output
        assert "cleanup" in refused.output
        assert "What to do:" in refused.output
        episode.told.append("refused: cleanup is owed")
        assert scene.run("cleanup").code == 0
        again = scene.run("add", spare)
        assert again.code == 0, again.output
