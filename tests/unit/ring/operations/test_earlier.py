"""What the journal tells of an earlier run of the same command."""

import datetime as dt
import json

import pytest

from ring.operations.earlier import PLAN, unfinished, was_begun
from ring.operations.journal import JournalEntry

_NOTE = {"generations": {"a": 1}}


def _entry(
    step: str, outcome: str, *, purpose: str = "restart all", detail: str = ""
) -> JournalEntry:
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return JournalEntry(at, "host/1", purpose, step, outcome, 0.0, detail, streamed_bytes=0)


_NOTED = _entry(PLAN, "noted", detail=json.dumps(_NOTE))


@pytest.mark.parametrize(
    ("entries", "note"),
    [
        ([], None),
        ([_NOTED], _NOTE),
        # Killed, failed, taken up again and killed again.
        ([_NOTED, _entry("stop", "begun")], _NOTE),
        ([_NOTED, _entry("settle", "failed"), _entry("drain", "done")], _NOTE),
        # It ended; another began.
        ([_NOTED, _entry("", "done")], None),
        ([_entry(PLAN, "noted", detail="{}"), _entry("", "done"), _NOTED], _NOTE),
        # Others do not count.
        ([_NOTED, _entry("", "done", purpose="restart node1")], _NOTE),
        ([_entry(PLAN, "noted", purpose="restart node1", detail="{}")], None),
        # The engine's own words about that step hold no note.
        ([_entry(PLAN, "done", detail="note which node runs since when")], None),
    ],
)
def test_note_when_its_run_did_not_end_then_it_counts(
    entries: list[JournalEntry], note: dict[str, object] | None
) -> None:
    """A run that ended is over, whatever the next one finds."""
    assert unfinished(entries, "restart all") == note


def test_run_when_any_step_was_noted_then_it_was_begun() -> None:
    """What was refused has noted nothing."""
    assert was_begun([_entry("join", "begun")], "restart all")
    assert not was_begun([_entry("join", "begun")], "replace a by b")
    assert not was_begun([], "restart all")
