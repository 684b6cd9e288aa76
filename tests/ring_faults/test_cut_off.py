"""The operator loses the network, or the new host's disk fills up: needs a network of its own."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from benchmarks.own_network import cut_off_marked, heal_marked, in_own_network
from tests.ring_faults.scene import Scene
from tests.ring_faults.test_nodes_fail import JOINING

pytestmark = [
    pytest.mark.ring_faults,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not in_own_network(), reason="needs a network of its own: make test-ring"),
]

MARK = 7
MARKED = Path(__file__).parent / "marked"
SHORT_SECONDS = 10.0
# Longer than the lease of the operator's lock.
LONG_SECONDS = 90.0
DISK_MIB = 160


@pytest.mark.parametrize("seconds", [SHORT_SECONDS, LONG_SECONDS])
def test_add_when_the_operator_is_cut_off_then_it_goes_on_or_says_so(
    scene: Scene, seconds: float
) -> None:
    """A node joins without an operator; with the network back, the command ends what it began."""
    members, spare = scene.settle(2), scene.spare()
    ends_with = members | {spare}
    marked = {
        "PYTHONPATH": os.pathsep.join([str(MARKED), os.environ.get("PYTHONPATH", "")]),
        "CATALOG_TEST_SOCKET_MARK": str(MARK),
    }
    name = f"the operator is cut off from the ring for {seconds:.0f} s"
    with scene.episode(name, ends_with=ends_with) as episode:
        adding = scene.begin("add", spare, **marked)
        adding.wait_for(JOINING)
        cut_off_marked(MARK)
        try:
            time.sleep(seconds)
        finally:
            heal_marked(MARK)
        done = adding.wait()
        episode.told.append("went on: done" if done.code == 0 else "said why and stopped")
        if done.code:
            assert done.says_what_to_do, done.output
            again = scene.run("add", spare)
            assert again.code == 0, again.output
            episode.told.append("run again: done")


def test_add_when_the_new_hosts_disk_fills_up_then_it_says_so(scene: Scene) -> None:
    """The node cannot keep what it streams; with room again, the same command adds it."""
    members, spare = scene.settle(2), scene.spare()
    ends_with = members | {spare}
    folder = scene.folder_of(spare)
    with scene.episode("the joining node's disk is full", ends_with=ends_with) as episode:
        folder.mkdir()
        size = f"size={DISK_MIB}m"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
        try:
            adding = scene.begin("add", spare)
            adding.wait_for(JOINING)
            fill(folder)
            done = adding.wait()
            assert done.says_what_to_do, done.output
            assert "disk" in done.output
            episode.told.append("said that the disk is full")
        finally:
            scene.end_node(spare)
            subprocess.run(["umount", str(folder)], check=True)
        again = scene.run("add", spare)
        assert again.code == 0, again.output
        episode.told.append("with room, run again: done")


def fill(folder: Path) -> None:
    """Leave nothing free on the disk of a folder."""
    with (folder / "ballast").open("wb") as file:
        free_bytes = shutil.disk_usage(folder).free
        os.posix_fallocate(file.fileno(), 0, free_bytes)
