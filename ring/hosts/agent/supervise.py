"""The supervisor of one daemon: starts it, says how it ended, starts it again if it shall.

    agent.pyz supervise DIRECTORY NAME once|always

At SIGTERM it stops the daemon and ends. When the supervisor itself is killed, the daemon goes on;
its record is how it is found.
"""

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

from ring.hosts.agent.place import Place
from ring.hosts.agent.services import script_path
from ring.hosts.agent.supervised import SupervisedService
from ring.hosts.agent.wire import write_whole
from ring.nodes.process import ProcessRecord

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
# A daemon that ran this long had not just failed to start.
RAN_WELL_SECONDS: Final = 60.0
LOG_BYTES: Final = 64 * 1024**2
_STOP: Final = {signal.SIGTERM}


@dataclass(slots=True)
class Supervisor:
    """Keeps one daemon."""

    place: Place
    name: str
    restart: bool
    _stopping: bool = False
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def run(self) -> None:
        """Return once the daemon has ended for good."""
        service = SupervisedService(self.place, self.name)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        own = ProcessRecord.of(os.getpid())
        assert own is not None  # noqa: S101 -- this process runs
        own.write(service.supervisor_file)
        pause_seconds = FIRST_PAUSE_SECONDS
        while not self._stopping:
            started = time.monotonic()
            self._run_once(service)
            if not self.restart:
                return
            if time.monotonic() - started > RAN_WELL_SECONDS:
                pause_seconds = FIRST_PAUSE_SECONDS
            wake_at = time.monotonic() + pause_seconds
            while not self._stopping and time.monotonic() < wake_at:
                time.sleep(0.1)
            pause_seconds = min(LONGEST_PAUSE_SECONDS, 2 * pause_seconds)

    def _run_once(self, service: SupervisedService) -> None:
        _rotate(service.log_file)
        # A signal that came between the last look and the start would be lost on the child.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
        try:
            if self._stopping:
                return
            with service.log_file.open("ab") as log:
                self._child = subprocess.Popen(
                    [script_path(self.place, self.name)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    # Its record is there before it is: it is the same process, before and after.
                    preexec_fn=lambda: _prepare(service.process_file),  # noqa: PLW1509 -- one thread
                )
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP)
        code = self._child.wait()
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit status {code}"
        write_whole(service.ended_file, f"{how} at {time.strftime('%Y-%m-%d %H:%M:%S %z')}\n")
        self._child = None

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        if self._child is not None:
            # A frozen process gets no signal before it is let go on.
            self._child.send_signal(signal.SIGTERM)
            self._child.send_signal(signal.SIGCONT)


def _prepare(record_file: Path) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP)
    record = ProcessRecord.of(os.getpid())
    if record is not None:
        record.write(record_file)


def _rotate(log: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
