"""A load stands back, and its terminal does not stay so."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ring.nodes.settings import REPOSITORY

# What a process sees of itself, of a program in its session and of one in a session of its own.
_PROGRAM = """
import json, os, subprocess, sys
from pathlib import Path
from etl.niceness import nice, pass_on_niceness

SHOW = "import os; from pathlib import Path; input(); print(os.getpriority(os.PRIO_PROCESS, 0),"
SHOW += " Path('/proc/self/autogroup').read_text().split()[-1])"

def own():
    return [os.getpriority(os.PRIO_PROCESS, 0), session()]

def session():
    return int(Path("/proc/self/autogroup").read_text().split()[-1])

def child(**more):
    command = [sys.executable, "-c", SHOW]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, **pipes, **more)
    if more:
        pass_on_niceness(process.pid)
    return [int(word) for word in process.communicate("go\\n")[0].split()]

told = {"before": own()}
with nice(int(sys.argv[1])):
    told |= {"within": own(), "child": child(), "apart": child(start_new_session=True)}
told["after"] = own()
print(json.dumps(told))
"""


@pytest.mark.skipif(
    not Path("/proc/self/autogroup").exists(), reason="this kernel does not share by sessions"
)
@pytest.mark.parametrize("niceness", [0, 7])
def test_nice_when_a_block_runs_then_it_and_its_programs_stand_back(niceness: int) -> None:
    """Process and session, also those of programs; the session is what it was afterwards."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(niceness)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    own, session = told["before"]
    assert session == 0
    assert own == os.getpriority(os.PRIO_PROCESS, 0)
    nicer = max(own, niceness)
    assert told["within"] == told["child"] == [nicer, niceness]
    assert told["apart"] == [nicer, nicer]
    assert told["after"] == [nicer, 0]
