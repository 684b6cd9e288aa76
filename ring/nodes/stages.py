"""The stages of a long command: each says what it does and how long it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from ring.nodes.errors import NodesError, StageError


class Stage:
    """One stage while it runs; it ends with the words given to `done`, if any."""

    def __init__(self) -> None:
        self.outcome = "done"

    def done(self, outcome: str) -> None:
        """Say what came of it, in a few words."""
        self.outcome = outcome


class Stages:
    """Prints the stages of one command as they come and go."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._started = time.monotonic()

    @contextmanager
    def stage(self, name: str, what: str) -> Iterator[Stage]:
        """Run one stage: print what it does, then what came of it and the seconds it took.

        Raises:
            NodesError: as the block does, with the stage's name before the message.
        """
        stage = Stage()
        started = time.monotonic()
        self.say(f"{name:<10} {what}")
        try:
            yield stage
        except NodesError as error:
            raise StageError(f"{name}: {error}", advice=error.advice) from error
        except OSError as error:
            raise StageError(
                f"{name}: {error}", advice="Check free disk space and permissions."
            ) from error
        self.say(f"{'':<10} {stage.outcome} ({time.monotonic() - started:.1f} s)")

    def say(self, line: str) -> None:
        """Print one line at once, even into a pipe."""
        print(line, file=self._out, flush=True)

    @property
    def seconds(self) -> float:
        """How long the command has taken until now."""
        return time.monotonic() - self._started
