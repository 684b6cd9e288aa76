"""A lock between processes on this machine, released by the kernel when its holder dies."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ring.nodes.errors import LockedError

POLL_SECONDS = 0.2


@contextmanager
def locked(path: Path, *, timeout_seconds: float, busy: str) -> Iterator[None]:
    """Hold the lock of a file for the block.

    Raises:
        LockedError: another process held it until the deadline; `busy` says what that one does.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout_seconds
    with path.open("a", encoding="ascii") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise LockedError(
                        f"{busy} (it has held {path} for {timeout_seconds:.0f} s)",
                        advice="Wait for it, or end it (lsof shows it), then try again.",
                    ) from error
                time.sleep(POLL_SECONDS)
        yield
