"""What operations did, from journals as operations and their deaths leave them."""

from datetime import UTC, datetime, timedelta

from ring.monitoring.past import ENDS, OPERATIONS, OperationRun, look_back
from ring.operations.journal import JournalEntry

BEGAN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def _entry(
    minute: float,
    owner: str,
    operation: str,
    step: str,
    outcome: str,
    seconds: float = 0.0,
    streamed_bytes: int = 0,
) -> JournalEntry:
    at = BEGAN + timedelta(minutes=minute)
    return JournalEntry(at, owner, operation, step, outcome, seconds, "words", streamed_bytes)


def _run(past: tuple[OperationRun, ...], operation: str, outcome: str) -> OperationRun:
    return next(run for run in past if (run.operation, run.outcome) == (operation, outcome))


ADDED = [
    _entry(1, "a:1", "add node2 (127.0.0.2)", "start", "begun"),
    _entry(3, "a:1", "add node2 (127.0.0.2)", "start", "done", 120.0, 5000),
    _entry(4, "a:1", "add node2 (127.0.0.2)", "cleanup", "done", 50.0),
    _entry(5, "a:1", "add node2 (127.0.0.2)", "cleanup", "done", 70.0),
    _entry(6, "a:1", "add node2 (127.0.0.2)", "", "done", 300.0),
]


def test_look_back_when_nothing_was_done_then_every_operation_has_its_zeros() -> None:
    """A rule that compares two outcomes needs both, also of what was never run."""
    past = look_back([], holder="")
    assert {(run.operation, run.outcome) for run in past.runs} == {
        (operation, outcome) for operation in OPERATIONS for outcome in ENDS
    }
    assert all(run.ended_at == 0 for run in past.runs)
    assert past.backup_at == 0


def test_look_back_when_an_operation_is_done_then_its_steps_have_time_and_bytes() -> None:
    """Steps of one name are one: three nodes that are cleaned up are the step cleanup."""
    past = look_back(ADDED, holder="")
    done = _run(past.runs, "add", "done")
    assert (done.ended_at, done.seconds) == ((BEGAN + timedelta(minutes=6)).timestamp(), 300.0)
    assert _run(past.runs, "add", "interrupted").ended_at == 0
    figures = {(step.step, step.outcome): step for step in past.steps}
    assert figures.keys() == {("start", "done"), ("cleanup", "done")}
    start, cleanup = figures["start", "done"], figures["cleanup", "done"]
    assert (start.operation, start.on) == ("add", "node2 (127.0.0.2)")
    assert (start.seconds, start.streamed_bytes) == (120.0, 5000)
    assert cleanup.seconds == 120.0


def test_look_back_when_a_run_was_killed_then_it_was_interrupted() -> None:
    """A killed process writes no last word; the lock that it does not hold tells."""
    killed = _entry(10, "a:2", "add node3 (127.0.0.3)", "start", "begun")
    past = look_back([*ADDED, killed], holder="")
    interrupted = _run(past.runs, "add", "interrupted")
    assert interrupted.ended_at == killed.at.timestamp()
    assert interrupted.ended_at > _run(past.runs, "add", "done").ended_at


def test_look_back_when_a_run_still_has_the_lock_then_it_has_not_ended() -> None:
    """What is under way is no failure, and no success yet."""
    under_way = _entry(10, "a:2", "add node3 (127.0.0.3)", "start", "begun")
    past = look_back([*ADDED, under_way], holder="a:2")
    assert _run(past.runs, "add", "interrupted").ended_at == 0
    assert all(step.on == "node2 (127.0.0.2)" for step in past.steps)


def test_look_back_when_it_failed_and_was_run_again_then_both_are_told() -> None:
    """The later one wins a comparison; the steps are those of the last run."""
    failed = [
        _entry(0, "a:0", "add node2 (127.0.0.2)", "start", "failed", 9.0),
        *ADDED,
    ]
    past = look_back(failed, holder="")
    assert _run(past.runs, "add", "failed").seconds == 0.0
    assert 0 < _run(past.runs, "add", "failed").ended_at < _run(past.runs, "add", "done").ended_at
    assert {step.outcome for step in past.steps} == {"done"}


def test_look_back_when_a_backup_failed_later_then_the_whole_one_counts() -> None:
    """A backup that is not whole is none."""
    entries = [
        _entry(1, "a:1", "backup /backups", "", "done", 60.0),
        _entry(9, "a:2", "backup /backups", "snapshot", "failed", 1.0),
    ]
    assert look_back(entries, holder="").backup_at == (BEGAN + timedelta(minutes=1)).timestamp()


def test_look_back_when_an_operation_is_not_known_then_it_is_shown_all_the_same() -> None:
    """The journal is told from, not a list of names."""
    past = look_back([_entry(1, "a:1", "render", "", "done", 1.0)], holder="")
    assert _run(past.runs, "render", "done").ended_at > 0
