"""What may stand in a table after writes that were acknowledged, refused, or never answered."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self


class Table(StrEnum):
    """What is written: rows of the load's own at QUORUM, products through the API."""

    ROWS = "rows"
    PRODUCTS = "products"


class Outcome(StrEnum):
    """What the writer was told: done; certainly not done; nothing that it could rely on."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What is wrong with one key."""

    LOST = "lost: an acknowledged write is gone"
    RESURRECTED = "resurrected: it was deleted, and that was acknowledged"
    ALIEN = "alien: nobody wrote it"
    MANGLED = "mangled: not the bytes that were written"


@dataclass(frozen=True, slots=True)
class Write:
    """One write. Writes of a key follow one another; none begins before the last has ended.

    Attributes:
        version: greater than that of any write before; None for a deletion.
        began, ended: Unix seconds.
    """

    table: Table
    key: int
    version: int | None
    began: float
    ended: float
    outcome: Outcome


@dataclass(slots=True)
class Possible:
    """What one key may hold: a version, or None for nothing.

    Attributes:
        settled: what the last acknowledged write left.
        perhaps: what later writes of unknown outcome would have left.
    """

    settled: int | None = None
    perhaps: set[int | None] = field(default_factory=set)

    def note(self, version: int | None, outcome: Outcome) -> None:
        """Take one more write into account."""
        if outcome is Outcome.ACKNOWLEDGED:
            self.settled = version
            self.perhaps.clear()
        elif outcome is Outcome.UNKNOWN:
            self.perhaps.add(version)

    def judge(self, seen: int | None) -> Verdict | None:
        """Return what is wrong with what was seen; None when nothing is."""
        if seen == self.settled or seen in self.perhaps:
            return None
        if seen is not None and self.settled is None:
            return Verdict.RESURRECTED
        return Verdict.LOST


class Ledger:
    """Every key of one table that was ever written, with what it may hold."""

    def __init__(self) -> None:
        self._keys: dict[int, Possible] = {}

    def __repr__(self) -> str:
        """Number of keys, for messages."""
        return f"<Ledger of {len(self._keys)} keys>"

    def __len__(self) -> int:
        """How many keys were written."""
        return len(self._keys)

    def __contains__(self, key: int) -> bool:
        """Whether a key was ever written."""
        return key in self._keys

    def __iter__(self) -> Iterator[int]:
        """Iterate over the keys in the order of their first writes."""
        return iter(self._keys)

    @classmethod
    def of(cls, writes: Iterable[Write], table: Table, *, firm_until: float = math.inf) -> Self:
        """Enter the writes of a table.

        Args:
            writes: in the order of their ends.
            table: the others are left out.
            firm_until: what ended later (Unix seconds) counts as of unknown outcome: a backup that
                began then may hold it or not.
        """
        ledger = cls()
        for write in writes:
            if write.table is table:
                late = write.ended > firm_until and write.outcome is not Outcome.REFUSED
                ledger.note(write.key, write.version, Outcome.UNKNOWN if late else write.outcome)
        return ledger

    def note(self, key: int, version: int | None, outcome: Outcome) -> None:
        """Enter one write."""
        self._keys.setdefault(key, Possible()).note(version, outcome)

    def judge(self, key: int, seen: int | None) -> Verdict | None:
        """Return what is wrong with what a key was seen to hold; None when nothing is."""
        possible = self._keys.get(key)
        if possible is None:
            return None if seen is None else Verdict.ALIEN
        return possible.judge(seen)

    def expected(self, key: int) -> str:
        """Say what a key may hold."""
        possible = self._keys.get(key, Possible())
        states = [possible.settled, *possible.perhaps]
        return " or ".join("nothing" if state is None else str(state) for state in states)
