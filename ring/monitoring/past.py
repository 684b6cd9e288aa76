"""What operations did, as figures: the last runs and their steps, made from the journal.

A run is what one process (one owner of the lock) did for one purpose. It is done when it says so
itself; a run that neither says so nor still holds the lock was interrupted, however it ended.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ring.operations.journal import JournalEntry

OPERATIONS: Final = (
    "add",
    "remove",
    "replace",
    "restart",
    "repair",
    "cleanup",
    "backup",
    "restore",
    "upgrade",
    "replication",
)
"""Operations that figures are there for even when they were never run."""
ENDS: Final = ("done", "failed", "interrupted")
_BACKUP: Final = "backup"


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step of the last run of an operation; several steps of one name are counted as one.

    Attributes:
        operation, on: the purpose, taken apart: "add" and "node2 (127.0.0.2)".
        streamed_bytes: between nodes, meanwhile.
    """

    operation: str
    on: str
    step: str
    outcome: str
    ended_at: float
    seconds: float
    streamed_bytes: float


@dataclass(frozen=True, slots=True)
class OperationRun:
    """The last run of an operation that ended with one outcome; at 0, none did."""

    operation: str
    outcome: str
    ended_at: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Past:
    """What operations did.

    Attributes:
        runs: one for each operation and outcome.
        steps: of the last run of each purpose.
    """

    runs: tuple[OperationRun, ...]
    steps: tuple[StepRun, ...]

    @property
    def backup_at(self) -> float:
        """When the last whole backup was made; 0: never."""
        return max(
            run.ended_at for run in self.runs if (run.operation, run.outcome) == (_BACKUP, "done")
        )


def look_back(entries: Iterable[JournalEntry], *, holder: str) -> Past:
    """Make figures of the journal.

    Args:
        entries: oldest first.
        holder: owner of the lock now; its run is under way. Empty when nobody has it.
    """
    runs: dict[tuple[str, str], list[JournalEntry]] = {}
    for entry in entries:
        runs.setdefault((entry.owner, entry.operation), []).append(entry)
    ended = sorted(
        (run for (owner, _), run in runs.items() if owner != holder), key=lambda run: run[-1].at
    )
    last_ends: dict[tuple[str, str], OperationRun] = {}
    last_runs: dict[str, list[JournalEntry]] = {}
    for run in ended:
        operation, _ = _take_apart(run[-1].operation)
        end = OperationRun(operation, _outcome(run), run[-1].at.timestamp(), _seconds(run))
        last_ends[operation, end.outcome] = end
        last_runs[run[-1].operation] = run
    names = (*OPERATIONS, *sorted({operation for operation, _ in last_ends} - {*OPERATIONS}))
    return Past(
        runs=tuple(
            last_ends.get((name, outcome), OperationRun(name, outcome, 0.0, 0.0))
            for name in names
            for outcome in ENDS
        ),
        steps=tuple(step for run in last_runs.values() for step in _steps(run)),
    )


def _steps(run: Sequence[JournalEntry]) -> Iterable[StepRun]:
    operation, on = _take_apart(run[0].operation)
    found: dict[tuple[str, str], StepRun] = {}
    for entry in run:
        if not entry.step or entry.outcome not in ENDS:
            continue
        before = found.get((entry.step, entry.outcome))
        found[entry.step, entry.outcome] = StepRun(
            operation=operation,
            on=on,
            step=entry.step,
            outcome=entry.outcome,
            ended_at=entry.at.timestamp(),
            seconds=entry.seconds + (before.seconds if before else 0.0),
            streamed_bytes=entry.streamed_bytes + (before.streamed_bytes if before else 0),
        )
    return found.values()


def _outcome(run: Sequence[JournalEntry]) -> str:
    last = run[-1]
    if not last.step and last.outcome == "done":
        return "done"
    return "failed" if last.outcome == "failed" else "interrupted"


def _seconds(run: Sequence[JournalEntry]) -> float:
    last = run[-1]
    if not last.step:
        return last.seconds
    return (last.at - run[0].at).total_seconds()


def _take_apart(purpose: str) -> tuple[str, str]:
    """Split "add node2 (127.0.0.2)" into the operation and what it is about."""
    operation, _, on = purpose.partition(" ")
    return operation, on
