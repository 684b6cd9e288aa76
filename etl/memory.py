"""Memory and processor time that a load takes: its own and that of the programs it starts."""

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_RUSAGE_UNIT_BYTES: Final = 1 if sys.platform == "darwin" else 1024
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


class MemoryWatch:
    """The most resident memory that this process and its descendants held.

    Found by looking now and then, so a peak between two looks may be missed. That of this process
    alone is exact: the kernel keeps it.
    """

    def __init__(self) -> None:
        self.peak_bytes = 0
        self.children_peak_bytes = 0

    def look(self) -> None:
        """Take a sample; where there is no /proc, nothing is seen."""
        own, *others = (_own_resident_bytes(pid) for pid in _family(os.getpid()))
        children_bytes = sum(others)
        self.children_peak_bytes = max(self.children_peak_bytes, children_bytes)
        self.peak_bytes = max(self.peak_bytes, own + children_bytes)

    def as_json(self) -> dict[str, int]:
        """Return the peaks in bytes: of all together, of this process, of the others together."""
        own_bytes = _own_peak_bytes()
        return {
            "peak_bytes": max(self.peak_bytes, own_bytes),
            "own_peak_bytes": own_bytes,
            "children_peak_bytes": self.children_peak_bytes,
        }


def cpu_seconds() -> dict[str, float]:
    """Return the processor time of this process and of its programs that have ended."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "own": own.ru_utime + own.ru_stime,
        "children": children.ru_utime + children.ru_stime,
    }


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process and all its descendants; 0 when it is gone."""
    return sum(_own_resident_bytes(one) for one in _family(pid))


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        tasks = list((_PROC / str(pid) / "task").iterdir())
    except OSError:
        return
    for task in tasks:
        try:
            children = (task / "children").read_text(encoding="ascii").split()
        except OSError:
            continue
        for child in children:
            yield from _family(int(child))


def _own_resident_bytes(pid: int) -> int:
    try:
        pages = (_PROC / str(pid) / "statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * _PAGE_BYTES


def _own_peak_bytes() -> int:
    """Return the most that this process held.

    `getrusage` counts also what the process shared with its parent before it became this program,
    so it is asked only where there is nothing else.
    """
    try:
        status = (_PROC / "self" / "status").read_text(encoding="utf-8")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RUSAGE_UNIT_BYTES
    lines = (line.split() for line in status.splitlines() if line.startswith("VmHWM:"))
    return next((int(kibibytes) * 1024 for _name, kibibytes, *_unit in lines), 0)
