"""Processes under measurement: started in a session of their own, counted whole, ended whole."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, Self

TCP_LISTEN: Final = "0A"
TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
POLL_SECONDS: Final = 0.05


def stop_on_sigterm() -> None:
    """Let SIGTERM end this program as Ctrl-C does, so that what it started is stopped too."""

    def end(_number: int, _frame: FrameType | None) -> None:
        # A second one must not interrupt the stopping.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise SystemExit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)


class StartError(Exception):
    """A process ended, or stayed silent, before it was ready."""


class Process:
    """One program with all its children (its session), its output in a file.

    Used as a context manager: leaving it ends every process of the session.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        environ: Mapping[str, str] | None = None,
        directory: Path | None = None,
        stop_seconds: float = 20.0,
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.log = log
        self._environ = {**os.environ, **(environ or {})}
        self._directory = directory
        self._stop_seconds = stop_seconds
        self._popen: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        """Name and state, for messages."""
        state = "not started" if self._popen is None else f"pid {self._popen.pid}"
        return f"<Process {self.name} {state}>"

    @property
    def pid(self) -> int:
        """The id of the program, which is also the id of its session."""
        if self._popen is None:
            raise StartError(f"{self.name} was not started")
        return self._popen.pid

    def start(self) -> Self:
        """Start the program; `wait_for_port` tells when it is ready."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._popen = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environ,
                cwd=self._directory,
                start_new_session=True,
            )
        return self

    def check_alive(self) -> None:
        """Raise StartError with the end of the log when the program has ended."""
        if self._popen is not None and self._popen.poll() is not None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])
            raise StartError(f"{self.name} ended with {self._popen.returncode}:\n{tail}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to every process of the session."""
        for pid in session_pids(self.pid):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue

    def stop(self) -> None:
        """End the whole session: SIGTERM to the program, SIGKILL to what is left."""
        if self._popen is None:
            return
        if self._popen.poll() is None:
            self._popen.send_signal(signal.SIGCONT)
            self._popen.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(self._stop_seconds)
        self.kill()

    def kill(self) -> None:
        """End every process of the session at once, as a crash would."""
        if self._popen is None:
            return
        self.signal(signal.SIGKILL)
        self._popen.wait()
        while session_pids(self._popen.pid):
            time.sleep(POLL_SECONDS)
        self._popen = None

    def cpu_seconds(self) -> float:
        """CPU time used so far by all running processes of the session."""
        return sum(process_cpu_seconds(pid) for pid in session_pids(self.pid))

    def __enter__(self) -> Self:
        """Start, unless it runs already."""
        return self if self._popen is not None else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()


def session_pids(session: int) -> list[int]:
    """Return the ids of all processes of a session, zombies left out."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _in_session(entry, session)
    ]


def _in_session(entry: Path, session: int) -> bool:
    fields = _stat_fields(entry)
    return fields is not None and fields[0] != "Z" and int(fields[3]) == session


def _stat_fields(entry: Path) -> list[str] | None:
    """Return the fields of /proc/<pid>/stat from the third (state) on, None when it is gone."""
    try:
        text = (entry / "stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def process_cpu_seconds(pid: int) -> float:
    """Return user and system time of one process, threads included; 0 when it is gone."""
    fields = _stat_fields(Path(f"/proc/{pid}"))
    return 0.0 if fields is None else (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def machine_cpu_seconds() -> float:
    """Return what all cores did since the machine started, stolen time included."""
    fields = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]
    user, nice, system, _idle, _waiting, irq, softirq, steal = map(int, fields)
    return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND


def resident_bytes(session: int) -> int:
    """Return the memory of a session, shared pages counted by their share."""
    total = 0
    for pid in session_pids(session):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        for line in text.splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def open_files(session: int) -> int:
    """Return how many file descriptors the processes of a session hold."""
    total = 0
    for pid in session_pids(session):
        try:
            total += sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        except OSError:
            continue
    return total


def accepted_connections(port: int) -> int:
    """Return how many TCP connections servers of this network hold that came in at a port."""
    held = 0
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, _, state, *_, inode = line.split()[:10]
        at_port = int(local.rpartition(":")[2], 16) == port
        # One in TIME_WAIT has no inode: nobody holds it any more.
        held += at_port and state != TCP_LISTEN and inode != "0"
    return held


def listens(address: str, port: int, *, timeout_seconds: float = 1.0) -> bool:
    """Return whether something accepts TCP connections there."""
    try:
        with socket.create_connection((address, port), timeout=timeout_seconds):
            return True
    except OSError:
        return False
