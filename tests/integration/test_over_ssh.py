"""Runs the tests of `over_ssh/` on a machine of their own, with hosts and sshds of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.cql_load import LoadError
from benchmarks.ssh_hosts import MARK, machine_command
from ring.nodes.settings import REPOSITORY
from tests.support.ccm import installed_cassandra

ROOM = Path(__file__).parent / "over_ssh"


@pytest.mark.ring
@pytest.mark.timeout(420)
@pytest.mark.parametrize("module", sorted(path.name for path in ROOM.glob("test_*.py")))
def test_hosts_when_they_are_reached_over_ssh_then_all_of_a_module_holds(
    module: str, tmp_path: Path
) -> None:
    """Each module says what; here it gets a network, mounts and processes of its own."""
    try:
        command = machine_command()
    except LoadError as error:
        pytest.skip(str(error))
    installed_cassandra(os.environ)
    tests = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", str(ROOM / module)]
    process = subprocess.Popen(
        [*command, *tests, "--basetemp", str(tmp_path / "tests")],
        cwd=REPOSITORY,
        env={**os.environ, MARK: "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        output, _ = process.communicate(timeout=400)
    finally:
        # The kernel ends all that it started.
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == 0, output
