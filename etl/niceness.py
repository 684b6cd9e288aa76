"""Lets whoever serves customers go first: a load takes of the cores what they leave."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def nice(niceness: int) -> Iterator[None]:
    """Run a block, and the threads and programs that it starts, at a niceness from 0 to 19.

    Linux shares the cores between sessions before it looks at processes (autogroup), so the session
    is made as nice, and is again what it was after the block. The process is not: only root may
    take that back.
    """
    own = os.getpriority(os.PRIO_PROCESS, 0)
    if niceness > own:
        os.setpriority(os.PRIO_PROCESS, 0, niceness)
    session = _session_niceness()
    if session is None or session >= niceness:
        yield
        return
    _set_session_niceness("self", niceness)
    try:
        yield
    finally:
        _set_session_niceness("self", session)


def pass_on_niceness(pid: int) -> None:
    """Make the session of a program as nice as this process, for one that leads its own."""
    _set_session_niceness(str(pid), os.getpriority(os.PRIO_PROCESS, 0))


def _session_niceness() -> int | None:
    """Return the niceness of this process' session; None where Linux does not share by sessions."""
    try:
        text = Path("/proc/self/autogroup").read_text(encoding="ascii")
    except OSError:
        return None
    found = re.search(r"nice (-?\d+)", text)
    return int(found[1]) if found else None


def _set_session_niceness(process: str, niceness: int) -> None:
    # Not there, not ours, or changed a moment ago: the load is no worse for it.
    with contextlib.suppress(OSError):
        Path(f"/proc/{process}/autogroup").write_text(str(niceness), encoding="ascii")
