"""Processes of ours on this machine, found again by more than a number.

The kernel hands a process id to a stranger as soon as its owner is gone. So a record on disk holds
the id together with the start time that the kernel gives for it, and nothing is signalled unless
both still match.
"""

import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ring.nodes.errors import ProcessStopError

POLL_SECONDS = 0.05
EXEC_POLLS = 20


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """One process: its id, and its start in clock ticks since boot `boot_id`."""

    pid: int
    start_ticks: int
    boot_id: str

    @classmethod
    def of(cls, pid: int) -> "ProcessRecord | None":
        """Return the record of a running process, or None when there is none (zombies are none)."""
        start_ticks = _start_ticks(pid)
        return None if start_ticks is None else cls(pid, start_ticks, _boot_id())

    @classmethod
    def read(cls, path: Path) -> "ProcessRecord | None":
        """Return the record in a file; None when the file is missing or not a record."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Write the record whole or not at all."""
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        partial.write_text(json.dumps(asdict(self)), encoding="utf-8")
        partial.replace(path)

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return _start_ticks(self.pid) == self.start_ticks and _boot_id() == self.boot_id

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal; False when the process is gone already."""
        if not self.alive:
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True


def stop_processes(records: list[ProcessRecord], *, timeout_seconds: float) -> None:
    """Stop all with SIGTERM at once, wait, and end what is left with SIGKILL.

    Raises:
        ProcessStopError: a process outlived even SIGKILL (stuck in the kernel) for ten seconds.
    """
    for record in records:
        record.signal(signal.SIGTERM)
        # A frozen process gets no signal before it is let go on.
        record.signal(signal.SIGCONT)
    if wait_until_gone(records, timeout_seconds=timeout_seconds):
        return
    for record in records:
        record.signal(signal.SIGKILL)
    if not wait_until_gone(records, timeout_seconds=10):
        left = ", ".join(str(record.pid) for record in records if record.alive)
        raise ProcessStopError(
            f"process {left} does not end", advice="See why with: ps -fp " + left
        )


def wait_until_gone(records: list[ProcessRecord], *, timeout_seconds: float) -> bool:
    """Wait until none of the processes runs; False when one still does at the deadline."""
    deadline = time.monotonic() + timeout_seconds
    while any(record.alive for record in records):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def command_line(pid: int) -> tuple[str, ...]:
    """Return the arguments a process was started with; empty when it is gone."""
    raw = b""
    # While a process turns into another program it has none for a moment.
    for _ in range(EXEC_POLLS):
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ()
        if raw or _start_ticks(pid) is None:
            break
        time.sleep(POLL_SECONDS)
    return tuple(part.decode("utf-8", "replace") for part in raw.split(b"\0") if part)


def proportional_bytes(pid: int) -> int:
    """Return the memory of a process and its children, shared pages counted once in all."""
    below = child_pids(pid)
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    sizes = [int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")]
    return sum(sizes) * 1024 + sum(proportional_bytes(child) for child in below)


def child_pids(pid: int) -> tuple[int, ...]:
    """Return the processes that a process has started and that are still there."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return ()
    return tuple(int(child) for child in text.split())


def _start_ticks(pid: int) -> int | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The program's name stands in parentheses and may hold blanks and parentheses itself.
    fields = text.rpartition(")")[2].split()
    state, start_ticks = fields[0], int(fields[19])
    return None if state in "ZX" and not _has_threads(pid) else start_ticks


def _has_threads(pid: int) -> bool:
    """Whether threads outlive the first one, and with them the ports that the process listens on.

    A JVM that ends is in this state for a moment.
    """
    try:
        return len(os.listdir(f"/proc/{pid}/task")) > 1  # noqa: PTH208 - only their number counts
    except OSError:
        return False


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
