"""A daemon of the local stack (an app server, nginx): started, found again, stopped."""

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ring.nodes.errors import StageError
from ring.nodes.process import ProcessRecord, stop_processes
from ring.nodes.start_failure import last_lines, log_tail

POLL_SECONDS = 0.1
STOP_TIMEOUT_SECONDS = 20.0
_SECRETS = frozenset({"CATALOG_PASSWORD", "CATALOG_SESSION_SECRET"})


@dataclass(frozen=True, slots=True)
class Service:
    """What is run, and where it leaves its traces.

    Attributes:
        name: in messages and file names.
        command: program and arguments.
        environ: the whole environment of the process.
        directory: where it runs.
        state: folder of all state; `run/NAME.pid.json` and `log/NAME.log` are below it.
        loose: settings that matter at the start only: one that runs with others runs as asked.
    """

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]
    directory: Path
    state: Path
    loose: frozenset[str] = frozenset()

    @property
    def pid_file(self) -> Path:
        """The record of the process, with a fingerprint of what it was started with."""
        return self.state / "run" / f"{self.name}.pid.json"

    @property
    def log_file(self) -> Path:
        """What the process writes on its standard output and error."""
        return self.state / "log" / f"{self.name}.log"

    def process(self) -> ProcessRecord | None:
        """Return the running process; None when it does not run."""
        record = ProcessRecord.read(self.pid_file)
        return record if record is not None and record.alive else None

    def runs_as_asked(self) -> bool:
        """Whether it runs with this very command and these very settings."""
        return self.process() is not None and self._read_fingerprint() == self._fingerprint()

    def start(self, *, answers: Callable[[], bool], timeout_seconds: float) -> None:
        """Start the process and wait until `answers` says that it does.

        Raises:
            StageError: it ended, or did not answer in time; it is stopped again.
        """
        for path in (self.pid_file, self.log_file):
            path.parent.mkdir(parents=True, exist_ok=True)
        log_bytes = self.log_file.stat().st_size if self.log_file.exists() else 0
        with self.log_file.open("ab") as log:
            child = subprocess.Popen(
                self.command,
                env=dict(self.environ),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            record = ProcessRecord.of(child.pid)
            if record is not None:
                record.write(self.pid_file)
                self._write_fingerprint()
            self._wait(child, answers, log_bytes, timeout_seconds)
        except BaseException:
            self.stop()
            child.wait(timeout=STOP_TIMEOUT_SECONDS)
            raise
        # It outlives this process on purpose: without this, Popen's destructor would warn.
        child.returncode = 0

    def stop(self, *, timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> bool:
        """Stop the process and wait until it is gone; return whether there was one."""
        record = self.process()
        if record is not None:
            stop_processes([record], timeout_seconds=timeout_seconds)
        self.pid_file.unlink(missing_ok=True)
        self._fingerprint_file.unlink(missing_ok=True)
        return record is not None

    def _wait(
        self,
        child: subprocess.Popen[bytes],
        answers: Callable[[], bool],
        log_bytes: int,
        timeout_seconds: float,
    ) -> None:
        deadline = time.monotonic() + timeout_seconds
        while not answers():
            ended = child.poll() is not None
            if ended or time.monotonic() > deadline:
                what = (
                    "ended while starting" if ended else f"is not up after {timeout_seconds:.0f} s"
                )
                tail = last_lines(log_tail(self.log_file, since_bytes=log_bytes))
                raise StageError(
                    f"{self.name} {what}\n{tail}".rstrip(), advice=f"Log: {self.log_file}"
                )
            time.sleep(POLL_SECONDS)
        if child.poll() is not None:
            raise StageError(
                f"{self.name} ended, yet something answers where it should",
                advice="Another process holds its port; stop that one, or choose another port.",
            )

    @property
    def _fingerprint_file(self) -> Path:
        return self.pid_file.with_suffix(".asked")

    def _read_fingerprint(self) -> str:
        try:
            return self._fingerprint_file.read_text(encoding="ascii")
        except OSError:
            return ""

    def _write_fingerprint(self) -> None:
        self._fingerprint_file.write_text(self._fingerprint(), encoding="ascii")

    def _fingerprint(self) -> str:
        """Digest the command and our settings, without secrets: a digest can be guessed."""
        ours = {
            name: value
            for name, value in self.environ.items()
            if name.startswith("CATALOG_") and name not in _SECRETS | self.loose
        }
        text = json.dumps([self.command, sorted(ours.items())])
        return hashlib.sha256(text.encode()).hexdigest()


def inherited_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what a child of ours inherits, with the folders where Debian keeps daemons on PATH."""
    folders = environ.get("PATH", "/usr/bin:/bin").split(":")
    daemons = (folder for folder in ("/usr/sbin", "/sbin") if folder not in folders)
    return {**environ, "PATH": ":".join([*folders, *daemons])}
