"""CPU time as the kernel counts it, of this machine and of processes that really work."""

import os
import subprocess
import sys
import time

from ring.nodes.usage import machine_cpu_seconds, process_cpu_seconds


def test_process_cpu_seconds_when_a_process_works_then_its_time_grows() -> None:
    """Threads of the process count; whoever waits takes none."""
    before = process_cpu_seconds(os.getpid())
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    after = process_cpu_seconds(os.getpid())
    assert before is not None
    assert after is not None
    assert 0.05 < after - before < 5


def test_process_cpu_seconds_when_the_process_is_gone_then_there_is_none() -> None:
    """A node that died has no figure, not a zero."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert process_cpu_seconds(child.pid) is None


def test_machine_cpu_seconds_when_time_passes_then_it_grows_by_no_more_than_all_cores() -> None:
    """A counter in seconds, of all cores together."""
    began, before = time.monotonic(), machine_cpu_seconds()
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    busy_seconds = machine_cpu_seconds() - before
    cores = os.cpu_count() or 1
    # The kernel counts in ticks of a hundredth, each core on its own.
    assert 0.05 < busy_seconds <= (time.monotonic() - began) * cores + 0.02 * cores
