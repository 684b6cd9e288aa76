"""The disk of a node is full: the load stops with the reason, and finishes once there is room."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cql_load import LoadError
from benchmarks.own_network import unshare_command
from etl.writers.choice import Via
from ring.nodes.settings import REPOSITORY
from tests.support.ccm import CONTACT_POINTS_VARIABLE, installed_cassandra

pytestmark = [pytest.mark.ring, pytest.mark.faults, pytest.mark.timeout(900)]


def _can_mount(directory: Path) -> bool:
    """Whether this user may mount a file system that only its own programs see."""
    mount = ["mount", "-t", "tmpfs", "tmpfs", str(directory)]
    try:
        command = [*unshare_command(), "--mount", *mount]
    except LoadError:
        return False
    return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0


@pytest.mark.skipif(
    CONTACT_POINTS_VARIABLE in os.environ, reason="nodes of somebody else's ring are not filled"
)
@pytest.mark.parametrize("via", [Via.SSTABLE, Via.DRIVER])
def test_load_when_the_nodes_disk_is_full_then_it_stops_and_finishes_once_there_is_room(
    via: Via, tmp_path: Path
) -> None:
    """The reason is told and no row is lost; see `tests.support.full_disk` for all it asserts."""
    if not _can_mount(tmp_path):
        pytest.skip("this user may not mount (unshare --mount)")
    installed_cassandra(os.environ)
    program = [sys.executable, "-m", "tests.support.full_disk", via, str(tmp_path)]
    done = subprocess.run(
        [*unshare_command(), "--mount", *program],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=840,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
