"""What CPU time this machine and its processes took, as the kernel counts it."""

import os
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
# Of /proc/stat: user nice system idle iowait irq softirq steal; the first two count guests.
_IDLE: Final = (3, 4)
_COUNTED: Final = 8


def machine_cpu_seconds() -> float:
    """Return the time that all cores were busy since the machine started, whatever with."""
    line = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0]
    ticks = [int(number) for number in line.split()[1 : 1 + _COUNTED]]
    return sum(count for at, count in enumerate(ticks) if at not in _IDLE) / _TICKS


def process_cpu_seconds(pid: int) -> float | None:
    """Return the CPU time of a process and its threads; None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The program's name stands in parentheses and may hold blanks and parentheses itself.
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
