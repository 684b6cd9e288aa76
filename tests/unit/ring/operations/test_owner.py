"""Names of owners, and whether they still live."""

import os
import socket
import subprocess
import sys

from ring.operations.owner import describe, has_ended, own_name

_NAME_OF_A_PROCESS = "from ring.operations.owner import own_name; print(own_name())"


def test_owner_when_it_runs_then_not_ended() -> None:
    """This very process, by the same name each time."""
    assert own_name() == own_name()
    assert not has_ended(own_name())
    assert describe(own_name()) == f"process {os.getpid()} on {socket.gethostname()}"


def test_owner_when_its_process_is_gone_then_ended() -> None:
    """A real process that has ended."""
    done = subprocess.run(
        [sys.executable, "-c", _NAME_OF_A_PROCESS], capture_output=True, text=True, check=True
    )
    assert has_ended(done.stdout.strip())


def test_owner_when_its_number_has_gone_to_another_process_then_ended() -> None:
    """A process id alone proves nothing."""
    host, _, rest = own_name().rpartition("/")
    pid, start, boot = rest.split("-")
    assert has_ended(f"{host}/{pid}-{int(start) + 1}-{boot}")
    assert has_ended(f"{host}/{pid}-{start}-00000000")


def test_owner_when_it_is_elsewhere_or_not_of_our_making_then_not_known_to_have_ended() -> None:
    """A load names itself otherwise."""
    rest = own_name().rpartition("/")[2]
    for owner in (f"elsewhere/{rest}", "a-load", "", "host/no-number"):
        assert not has_ended(owner)
    assert describe("a-load") == "a-load"
