from pathlib import Path

import pytest

from ring.nodes.start_failure import TAIL_LINES, explain, last_lines, log_tail


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("There is insufficient memory for the Java Runtime Environment to continue.", "memory"),
        ("java.lang.OutOfMemoryError: Java heap space", "heap"),
        ("FSWriteError: java.io.IOException: No space left on device", "disk is full"),
        ("java.net.BindException: Address already in use", "ports is taken"),
        ("Unrecognized VM option 'UseX'", "Java"),
        (
            "ConfigurationException: This node was decommissioned and will not rejoin the ring",
            "has left its ring",
        ),
        ("ConfigurationException: Invalid yaml: file:/x.yaml", "configuration"),
    ],
)
def test_log_when_it_names_a_known_cause_then_explained(line: str, cause: str) -> None:
    """Each known cause is told in our words, with advice."""
    told, advice = explain(f"INFO something\n{line}\nERROR Exception encountered during startup\n")
    assert cause in told
    assert advice


def test_log_when_cause_is_unknown_then_said_so() -> None:
    """An unknown cause is not made up."""
    told, _ = explain("INFO all is well\n")
    assert "no cause that is known" in told


def test_log_tail_when_log_was_longer_before_then_only_what_came_since(tmp_path: Path) -> None:
    """Lines of earlier starts are left out, unless the log was begun anew since."""
    log = tmp_path / "system.log"
    log.write_text("before\nafter\n", encoding="utf-8")
    assert log_tail(log, since_bytes=7) == "after\n"
    assert log_tail(log, since_bytes=100) == "before\nafter\n"
    assert log_tail(tmp_path / "missing.log") == ""


def test_last_lines_when_there_is_a_stack_trace_then_without_its_frames() -> None:
    """The lines that say something are kept, the frames are not."""
    text = "ERROR it failed\n\tat a.b(C.java:1)\n\t... 3 more\nCaused by: x\n\n"
    assert last_lines(text) == "ERROR it failed\nCaused by: x"
    assert last_lines("\n".join(map(str, range(100)))).splitlines()[0] == str(100 - TAIL_LINES)
