"""A daemon under our own supervisor, where no systemd runs."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ring.hosts.agent.place import Place
from ring.hosts.agent.services import (
    EARLY_END_SECONDS,
    ServiceError,
    ServicePlan,
    ServiceState,
    asked_path,
    read_asked,
    script_path,
)
from ring.hosts.agent.wire import write_whole
from ring.nodes.process import ProcessRecord, stop_processes
from ring.nodes.start_failure import last_lines, log_tail

POLL_SECONDS: Final = 0.02
APPEARS_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class SupervisedService:
    """A child of `supervise.py`; both leave records that no other process can be taken for."""

    place: Place
    name: str

    def state(self) -> ServiceState:
        """Look at the daemon's own process; its supervisor may be dead."""
        try:
            ended = self.ended_file.read_text(encoding="utf-8").strip()
        except OSError:
            ended = ""
        return ServiceState(_running(self.process_file), read_asked(self.place, self.name), ended)

    def start(self, plan: ServicePlan, asked: str) -> None:
        """Start supervisor and daemon, which both outlive this program and its connection."""
        if self.state().process is not None:
            return
        # A supervisor between two attempts would start what is no longer wanted.
        self.stop(timeout_seconds=5.0)
        write_whole(script_path(self.place, self.name), plan.script(self.place), mode=0o755)
        self.place.log.mkdir(parents=True, exist_ok=True)
        log = self.log_file
        log_bytes = log.stat().st_size if log.exists() else 0
        how = "always" if plan.restart else "once"
        command = [sys.executable, "-IS", sys.argv[0], "supervise"]
        command += [str(self.place.directory), self.name]
        with log.open("ab") as out:
            subprocess.Popen(
                [*command, how],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            ).returncode = 0
        asked_path(self.place, self.name).write_text(asked, encoding="ascii")
        if not self._appears():
            words = last_lines(log_tail(log, since_bytes=log_bytes))
            self.stop(timeout_seconds=5.0)
            raise ServiceError(
                f"{self.name} ended while starting: {self.state().ended}\n{words}".rstrip(),
                advice=f"Log: {log}",
            )

    def stop(self, *, timeout_seconds: float) -> None:
        """Let the supervisor stop its child; without one, stop the child."""
        supervisor = _running(self.supervisor_file)
        if supervisor is not None:
            stop_processes([supervisor], timeout_seconds=timeout_seconds)
        child = _running(self.process_file)
        if child is not None:
            # It had its time, if its supervisor still lived.
            patience = 0.0 if supervisor is not None else timeout_seconds
            stop_processes([child], timeout_seconds=patience)
        for file in (self.supervisor_file, self.process_file, asked_path(self.place, self.name)):
            file.unlink(missing_ok=True)

    @property
    def process_file(self) -> Path:
        """The record of the daemon."""
        return self.place.run / f"{self.name}.pid.json"

    @property
    def supervisor_file(self) -> Path:
        """The record of its supervisor."""
        return self.place.run / f"{self.name}.supervisor.json"

    @property
    def ended_file(self) -> Path:
        """How the daemon last ended."""
        return self.place.run / f"{self.name}.ended"

    @property
    def log_file(self) -> Path:
        """What the daemon writes on its standard output and error."""
        return self.place.log / f"{self.name}.log"

    def _appears(self) -> bool:
        """Wait until the daemon is there, and a moment more for one that ends at once."""
        give_up_at = time.monotonic() + APPEARS_SECONDS
        process = None
        while process is None and time.monotonic() < give_up_at:
            time.sleep(POLL_SECONDS)
            process = self.state().process
        if process is None:
            return False
        settled_at = time.monotonic() + EARLY_END_SECONDS
        while time.monotonic() < settled_at:
            if not process.alive:
                return False
            time.sleep(POLL_SECONDS)
        return True


def _running(file: Path) -> ProcessRecord | None:
    record = ProcessRecord.read(file)
    return record if record is not None and record.alive else None
