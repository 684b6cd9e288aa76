import os
from pathlib import Path

import pytest

from ring.nodes.nodetool import NodetoolError, parse_status, run_nodetool

STATUS = """Datacenter: datacenter1
=======================
Status=Up/Down
|/ State=Normal/Leaving/Joining/Moving
--  Address    Load        Tokens  Owns (effective)  Host ID                               Rack
UN  127.0.0.1  104.34 KiB  16      100.0%            6a3f7a3e-0000-4000-8000-000000000001  rack1
DN  127.0.0.2  ?           16      100.0%            6a3f7a3e-0000-4000-8000-000000000002  rack1
UJ  ::1        104.34 KiB  16      ?                 6a3f7a3e-0000-4000-8000-000000000003  rack1

"""


def make_nodetool(tmp_path: Path, line: str) -> Path:
    """Make an installation whose nodetool runs one line of shell."""
    script = tmp_path / "bin" / "nodetool"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\n{line}\n")
    script.chmod(0o755)
    return tmp_path


def test_status_when_parsed_then_state_by_address() -> None:
    """Only the nodes' lines count, whatever their state."""
    assert parse_status(STATUS) == {"127.0.0.1": "UN", "127.0.0.2": "DN", "::1": "UJ"}


def test_nodetool_when_run_then_asked_on_loopback_with_the_nodes_port(tmp_path: Path) -> None:
    """JMX is asked on 127.0.0.1 with the port of this node."""
    directory = make_nodetool(tmp_path, 'echo "$@"')
    output = run_nodetool(directory, 7101, "status", "-r", environ=os.environ)
    assert output == "-h 127.0.0.1 -p 7101 status -r\n"


def test_nodetool_when_it_fails_then_error_with_its_words(tmp_path: Path) -> None:
    """Its last words are the error's."""
    directory = make_nodetool(tmp_path, "echo 'Connection refused' >&2; exit 1")
    with pytest.raises(NodetoolError, match="nodetool drain failed: Connection refused"):
        run_nodetool(directory, 7101, "drain", environ=os.environ)


def test_nodetool_when_it_refuses_then_error_with_the_reason(tmp_path: Path) -> None:
    """Reasons stand on its standard output, whatever it complains of on the other one."""
    line = "echo warning >&2; echo 'nodetool: Not enough live nodes'; echo \"See 'nodetool help'"
    line += " or 'nodetool help <command>'.\"; exit 1"
    directory = make_nodetool(tmp_path, line)
    with pytest.raises(NodetoolError, match=r"nodetool: Not enough live nodes$"):
        run_nodetool(directory, 7101, "decommission", environ=os.environ)


def test_nodetool_when_it_hangs_then_error_at_the_deadline(tmp_path: Path) -> None:
    """No command is waited for without end."""
    directory = make_nodetool(tmp_path, "exec sleep 30")
    with pytest.raises(NodetoolError, match="did not finish"):
        run_nodetool(directory, 7101, "info", environ=os.environ, timeout_seconds=0.3)
