"""What a result carries besides its figures, and where it is kept."""

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from benchmarks.paths import NODE_STATE, REPOSITORY, RESULTS
from ring.nodes.install import VERSION


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of repeated measurements with the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Summarise at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def text(self, digits: int = 0) -> str:
        """Return `median (low to high)`."""
        return f"{self.median:,.{digits}f} ({self.low:,.{digits}f} to {self.high:,.{digits}f})"


def surroundings() -> dict[str, object]:
    """Return commit, machine and versions: what a figure means nothing without."""
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": _command(),
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "cores": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2,
        "processor": _processor(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "cassandra": VERSION,
    }


def write_result(name: str, content: Mapping[str, object], *, quick: bool = False) -> Path:
    """Write `<name>.json` and return its path; the surroundings come first."""
    whole = {"surroundings": surroundings(), **content}
    text = json.dumps(whole, indent=1, default=_jsonable) + "\n"
    return write_text(f"{name}.json", text, quick=quick)


def write_text(name: str, text: str, *, quick: bool = False) -> Path:
    """Write one file of results and return its path; quick runs never replace kept figures."""
    directory = NODE_STATE / "quick_results" if quick else RESULTS
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def _jsonable(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table whose columns line up in a terminal as well."""
    table = [list(header), *[list(row) for row in rows]]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    lines = [_table_line(row, widths) for row in table]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _table_line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.ljust(width) if index == 0 else cell.rjust(width)
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "| " + " | ".join(cells) + " |"


def machine_line() -> str:
    """Return one sentence on machine and versions, for the head of a table."""
    about = surroundings()
    changed = " with uncommitted changes" if about["uncommitted_changes"] else ""
    return (
        f"{about['cores']} cores ({about['processor']}), {about['memory_mib']} MiB, Linux "
        f"{about['kernel']}, Cassandra {about['cassandra']}, Python {about['python']}, "
        f"commit {str(about['commit'])[:12]}{changed}, {about['taken_at']}"
    )


def _command() -> str:
    name = Path(sys.argv[0]).stem
    return " ".join(["python -m", f"benchmarks.{name}", *sys.argv[1:]])


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=False
    )
    return done.stdout.strip()


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
