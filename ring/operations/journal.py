"""The journal: what was done to the ring's nodes, when and by whom, kept in the ring itself."""

import datetime as dt
import logging
import uuid
from dataclasses import dataclass
from typing import Final

from ring.client import RingClient
from ring.errors import RingError
from ring.statements import Consistency, Statement

_LOG: Final = logging.getLogger("ring.operations")
_WRITE_SECONDS: Final = 3.0
_READ_SECONDS: Final = 10.0
# Of a version-1 UUID: 100 ns since 1582-10-15.
_UUID_EPOCH: Final = dt.datetime(1582, 10, 15, tzinfo=dt.UTC)

_WRITE: Final = Statement(
    "write_ring_journal",
    "INSERT INTO ring_journal (day, at, owner, operation, step, outcome, seconds, detail,"
    " streamed_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    Consistency.LOCAL_QUORUM,
    idempotent=True,
)
_SELECT: Final = Statement(
    "select_ring_journal",
    "SELECT at, owner, operation, step, outcome, seconds, detail, streamed_bytes"
    " FROM ring_journal WHERE day = ?",
    Consistency.LOCAL_QUORUM,
    idempotent=True,
)
JOURNAL_STATEMENTS: Final = (_WRITE, _SELECT)
"""What a client that reads or writes the journal must be opened with."""
JOURNAL_TABLE: Final = "ring_journal"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One step, or the whole of an operation (`step` is empty).

    Attributes:
        at: when it ended (UTC).
        owner: of the lock; host and process.
        operation: with its arguments: "add node2 (127.0.0.2)".
        outcome: "begun", "done", "failed", "interrupted".
        seconds: that it took.
        streamed_bytes: between nodes, meanwhile.
    """

    at: dt.datetime
    owner: str
    operation: str
    step: str
    outcome: str
    seconds: float
    detail: str
    streamed_bytes: int


class Journal:
    """Writes what one operation does. It never fails: an operation must not stop for its diary."""

    def __init__(self, ring: RingClient, *, owner: str, operation: str) -> None:
        self._ring = ring
        self._owner = owner
        self._operation = operation

    async def write(
        self,
        step: str,
        outcome: str,
        *,
        seconds: float = 0.0,
        detail: str = "",
        streamed_bytes: int = 0,
    ) -> None:
        """Note what came of a step: within three seconds or not. Consistency: LOCAL_QUORUM."""
        today = dt.datetime.now(dt.UTC).date()
        values = (
            today,
            uuid.uuid1(),
            self._owner,
            self._operation,
            step,
            outcome,
            seconds,
            detail,
            streamed_bytes,
        )
        try:
            await self._ring.execute(_WRITE.name, values, timeout_seconds=_WRITE_SECONDS)
        except RingError as error:
            _LOG.warning("journal: %s %s not noted: %s", step, outcome, error)


async def fetch_journal(ring: RingClient, *, days: int) -> list[JournalEntry]:
    """Return what was done in the last days, oldest first. Consistency: LOCAL_QUORUM.

    Raises:
        RingError: too few nodes answered.
    """
    today = dt.datetime.now(dt.UTC).date()
    entries: list[JournalEntry] = []
    for back in reversed(range(days)):
        day = today - dt.timedelta(days=back)
        rows = await ring.execute(_SELECT.name, (day,), timeout_seconds=_READ_SECONDS)
        entries += [JournalEntry(_moment(row[0]), *row[1:]) for row in reversed(rows)]
    return entries


def _moment(at: uuid.UUID) -> dt.datetime:
    return _UUID_EPOCH + dt.timedelta(microseconds=at.time // 10)
