"""Memory is that of the process and of the programs it started."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from etl.memory import cpu_seconds, resident_bytes

# In a process of its own, because this one may have programs of other tests.
_SCRIPT = """
import json, os, subprocess, sys
from etl.memory import MemoryWatch, resident_bytes

watch = MemoryWatch()
watch.look()
told = [watch.as_json() | {"now": resident_bytes(os.getpid())}]
holding = "import sys; held = b'x' * 60_000_000; print('held', flush=True); sys.stdin.read()"
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
with subprocess.Popen([sys.executable, "-c", holding], **pipes) as child:
    child.stdout.readline()
    watch.look()
    told.append(watch.as_json() | {"now": resident_bytes(os.getpid())})
    child.communicate()
watch.look()
told.append(watch.as_json() | {"now": resident_bytes(os.getpid())})
print(json.dumps(told))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system has no /proc")
def test_memory_when_a_program_was_started_then_its_memory_counts() -> None:
    """A writer's JVM is part of what a load takes; what was held at most is kept."""
    output = subprocess.run([sys.executable, "-c", _SCRIPT], check=True, stdout=subprocess.PIPE)
    before, meanwhile, after = json.loads(output.stdout)
    assert before["children_peak_bytes"] == 0
    assert meanwhile["now"] > before["now"] + 60_000_000
    assert after["now"] < meanwhile["now"] - 60_000_000
    assert 60_000_000 < after["children_peak_bytes"] < after["peak_bytes"]
    assert after["peak_bytes"] > after["own_peak_bytes"] + 60_000_000


def test_memory_when_a_process_is_gone_then_it_holds_nothing() -> None:
    """It may end between two looks."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert resident_bytes(child.pid) == 0


def test_processor_time_when_work_was_done_then_it_grew() -> None:
    """Both halves are told."""
    before = cpu_seconds()
    sum(range(2_000_000))
    after = cpu_seconds()
    assert after["own"] > before["own"]
    assert after["children"] >= before["children"]
