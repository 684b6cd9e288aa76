"""Commands of `catalog-ring` that are run, watched, frozen and killed."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

COMMAND_SECONDS = 1200.0
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Done:
    """A command that has ended: its exit code (minus the signal that ended it) and its output."""

    code: int
    output: str

    @property
    def says_what_to_do(self) -> bool:
        """Whether it did not succeed, and says why and what to do, without a traceback."""
        told = "What to do:" in self.output and "Traceback" not in self.output
        return self.code in {1, 3, 4} and told


class Running:
    """A `catalog-ring` command that goes on."""

    def __init__(
        self, popen: "subprocess.Popen[bytes]", arguments: Sequence[str], log: Path
    ) -> None:
        self._popen = popen
        self._arguments = " ".join(arguments)
        self._log = log

    def __repr__(self) -> str:
        return f"<Running {self._arguments} pid {self._popen.pid}>"

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait(self, timeout_seconds: float = COMMAND_SECONDS) -> Done:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it goes on; it is killed.
        """
        try:
            return Done(self._popen.wait(timeout_seconds), self.output)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self._popen.wait()
            raise

    def wait_for(self, words: str, timeout_seconds: float = COMMAND_SECONDS) -> None:
        """Wait until it has printed something that a pattern matches."""
        deadline = time.monotonic() + timeout_seconds
        while not re.search(words, self.output):
            assert self._popen.poll() is None, f"ended before {words!r}:\n{self.output}"
            assert time.monotonic() < deadline, f"does not print {words!r}:\n{self.output}"
            time.sleep(POLL_SECONDS)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self._popen.pid, number)
