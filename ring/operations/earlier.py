"""What an earlier run of the same command noted in the journal before it was interrupted.

Only for operations whose end cannot be read from the ring: that a node was restarted, or repaired,
since when. What cannot be read is done again, which costs time and nothing else.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ring.errors import RingError
from ring.operations.context import Context
from ring.operations.errors import OperationError
from ring.operations.journal import Journal, JournalEntry, fetch_journal
from ring.operations.owner import own_name
from ring.operations.steps import Step

PLAN: Final = "plan"
_LOG: Final = logging.getLogger("ring.operations")
# Today and yesterday: who comes later wants the whole anew.
_DAYS: Final = 2


async def fetch_unfinished(context: Context, purpose: str) -> Mapping[str, Any] | None:
    """Return what the last run for a purpose noted with `plan_step`, if that run did not end.

    Consistency: LOCAL_QUORUM. None as well where the journal cannot be read.
    """
    try:
        entries = await fetch_journal(context.ring, days=_DAYS)
    except (RingError, OperationError) as error:
        _LOG.warning("the journal cannot be read, so nothing counts as done: %s", error)
        return None
    return unfinished(entries, purpose)


def unfinished(entries: Sequence[JournalEntry], purpose: str) -> Mapping[str, Any] | None:
    """Return the last note for a purpose, unless its run ended; entries are oldest first."""
    note: Mapping[str, Any] | None = None
    for entry in entries:
        if entry.operation != purpose:
            continue
        if entry.step == PLAN and entry.outcome == "noted":
            note = json.loads(entry.detail)
        elif not entry.step and entry.outcome == "done":
            note = None
    return note


def was_begun(entries: Iterable[JournalEntry], purpose: str) -> bool:
    """Whether a run for a purpose has done anything."""
    return any(entry.operation == purpose and entry.step for entry in entries)


def plan_step(context: Context, purpose: str, what: str, note: Mapping[str, Any] | None) -> Step:
    """Return the step that notes what a later run must know; without a note it is done already."""

    async def run() -> None:
        journal = Journal(context.ring, owner=own_name(), operation=purpose)
        await journal.write(PLAN, "noted", detail=json.dumps(note))

    return Step(PLAN, what, lambda _view: note is None, run)
