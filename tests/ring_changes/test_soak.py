"""A short soak: real app servers under load while nodes freeze, die and return."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cql_load import LoadError
from benchmarks.own_network import unshare_command
from ring.nodes.settings import REPOSITORY
from tests.support.ccm import CONTACT_POINTS_VARIABLE, installed_cassandra

MINUTES = 1.5
FAULT_SECONDS = 30
REQUESTS_PER_SECOND = 150

pytestmark = [pytest.mark.ring, pytest.mark.timeout(900)]


def can_have_own_network() -> bool:
    """Whether this user may make a network namespace."""
    try:
        command = [*unshare_command(), "true"]
    except LoadError:
        return False
    return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0


@pytest.mark.skipif(
    not can_have_own_network(), reason="this user may not make a network namespace (unshare --net)"
)
@pytest.mark.skipif(
    CONTACT_POINTS_VARIABLE in os.environ, reason="nodes of somebody else's ring are not killed"
)
def test_soak_when_nodes_freeze_and_die_then_nothing_fails_and_nothing_leaks() -> None:
    """No request fails; memory and file descriptors of the app servers stay where they were."""
    installed_cassandra(os.environ)
    arguments = ["--minutes", str(MINUTES), "--fault-seconds", str(FAULT_SECONDS)]
    arguments += ["--rate", str(REQUESTS_PER_SECOND), "--rows", "2000"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", *arguments],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=840,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kept = Path(done.stdout.rsplit("kept in ", 1)[1].strip())
    figures = json.loads(kept.read_text())
    seconds = FAULT_SECONDS * len(figures["faults"])
    assert figures["requests"] > REQUESTS_PER_SECOND * seconds * 0.9
    assert figures["failed"] == {}
    assert len(figures["faults"]) >= 2
