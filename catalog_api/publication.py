"""Where the workers of one port leave their figures, so that any of them can tell those of all.

Each worker owns one file, replaced whole. When a worker has died, the supervisor adds its last
figures to `retired.json` and removes its file; that file names what it holds, so that a reader who
saw both counts it once. Counters therefore never go back while the supervisor lives.
"""

import os
import threading
from pathlib import Path
from typing import Final

from catalog_api.figures import Figures, decode, encode

_RETIRED: Final = "retired.json"
# Readers are done within seconds; older names need not be remembered.
_NAMES_REMEMBERED: Final = 64


class Publication:
    """One run directory.

    Args:
        directory: exists and belongs to the supervisor.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        # A scrape and the once-a-second publication are two threads with one draft.
        self._writing = threading.Lock()

    def __repr__(self) -> str:
        return f"<Publication {self._directory}>"

    def publish(self, name: str, figures: Figures) -> None:
        """Replace the figures of the worker of this name. Blocks on the disk."""
        self._replace(f"{name}.json", encode(figures))

    def total(self) -> Figures:
        """Return the figures of all workers, dead ones included. Blocks on the disk."""
        living: dict[str, Figures] = {}
        for path in self._directory.glob("worker-*.json"):
            try:
                living[path.stem], _ = decode(path.read_bytes())
            except FileNotFoundError:
                continue  # retired meanwhile: read below
        # Read last: a worker that retired since then is counted here and only here.
        total, names = self._retired()
        for name in names:
            living.pop(name, None)
        for figures in living.values():
            total.add(figures)
        return total

    def retire(self, name: str) -> None:
        """Keep a dead worker's counters and forget the worker. Blocks on the disk."""
        path = self._directory / f"{name}.json"
        try:
            last, _ = decode(path.read_bytes())
        except FileNotFoundError:
            return  # it died before it had published anything
        total, names = self._retired()
        total.add_lasting(last)
        self._replace(_RETIRED, encode(total, names=[*names, name][-_NAMES_REMEMBERED:]))
        path.unlink()

    def _retired(self) -> tuple[Figures, list[str]]:
        try:
            return decode((self._directory / _RETIRED).read_bytes())
        except FileNotFoundError:
            return Figures(), []

    def _replace(self, name: str, data: bytes) -> None:
        draft = self._directory / f"{name}.{os.getpid()}.draft"
        with self._writing:
            draft.write_bytes(data)
            draft.replace(self._directory / name)
