"""The record of a load: reads with their latency, writes with their outcome, what was wrong."""

import struct
import time
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from benchmarks.ring_load.ledger import Outcome, Table, Write

_READ: Final = struct.Struct("<dfBB")
_MOST_PROBLEMS: Final = 10_000


class ReadKind(IntEnum):
    """A product through nginx and an app server; a row of the load's own at QUORUM."""

    PRODUCT = 0
    ROW = 1


class ReadOutcome(IntEnum):
    """What was stored; something else; no answer, or an error."""

    GOOD = 0
    WRONG = 1
    FAILED = 2


@dataclass(frozen=True, slots=True)
class Read:
    """One read: when it was due (Unix seconds), how long it took from then, how it ended."""

    due_at: float
    seconds: float
    kind: ReadKind
    outcome: ReadOutcome


class Recorder:
    """Appends to the record's files; `flush` makes what was appended visible to others."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._reads = (directory / "reads.bin").open("ab")
        self._writes = (directory / "writes.tsv").open("a", encoding="ascii")
        self._problems = (directory / "problems.txt").open("a", encoding="utf-8")
        self._problems_left = _MOST_PROBLEMS

    def __repr__(self) -> str:
        """Where it writes, for messages."""
        return f"<Recorder {self._reads.name}>"

    def add_read(self, read: Read) -> None:
        """Append a read."""
        self._reads.write(_READ.pack(read.due_at, read.seconds, read.kind, read.outcome))

    def add_write(self, write: Write) -> None:
        """Append a write."""
        version = "" if write.version is None else write.version
        line = f"{write.table}\t{write.key}\t{version}\t{write.began:.6f}\t{write.ended:.6f}"
        self._writes.write(f"{line}\t{write.outcome}\n")

    def add_problem(self, text: str) -> None:
        """Note what a person would want to know, in a line."""
        if self._problems_left:
            self._problems_left -= 1
            moment = time.strftime("%H:%M:%S", time.gmtime())
            self._problems.write(f"{moment} {' '.join(text.split())[:400]}\n")

    def flush(self) -> None:
        """Hand everything to the operating system."""
        for file in (self._reads, self._writes, self._problems):
            file.flush()

    def close(self) -> None:
        """Flush and close."""
        for file in (self._reads, self._writes, self._problems):
            file.close()


def recorded_reads(directory: Path) -> list[Read]:
    """Return the reads recorded so far, in the order of their ends."""
    content = (directory / "reads.bin").read_bytes()
    whole = len(content) // _READ.size * _READ.size
    return [
        Read(due_at, seconds, ReadKind(kind), ReadOutcome(outcome))
        for due_at, seconds, kind, outcome in _READ.iter_unpack(content[:whole])
    ]


def recorded_writes(directory: Path) -> list[Write]:
    """Return the writes recorded so far, in the order of their ends."""
    text = (directory / "writes.tsv").read_text(encoding="ascii")
    lines = text[: text.rfind("\n") + 1].splitlines()
    return [_write(line) for line in lines]


def recorded_problems(directory: Path) -> list[str]:
    """Return what was noted so far."""
    return (directory / "problems.txt").read_text(encoding="utf-8").splitlines()


def _write(line: str) -> Write:
    table, key, version, began, ended, outcome = line.split("\t")
    return Write(
        Table(table),
        int(key),
        int(version) if version else None,
        float(began),
        float(ended),
        Outcome(outcome),
    )
