"""Chooses what to write next: new keys, newer versions of known ones, deletions."""

import random
from dataclasses import dataclass
from typing import Final

from benchmarks.ring_load.ledger import Ledger, Outcome

# Of all writes; the rest are newer versions of keys that were written before.
NEW_SHARE: Final = 0.5
DELETED_SHARE: Final = 0.2
_TRIES: Final = 20


@dataclass(frozen=True, slots=True)
class Change:
    """A key and the version that it is to hold; None for a deletion."""

    key: int
    version: int | None


class Changes:
    """Gives out changes, one a key at a time, and keeps what each key may hold by now.

    Attributes:
        ledger: what was written so far.
    """

    def __init__(self, *, first_key: int, first_version: int, retires_unknown: bool) -> None:
        """Begin without a key.

        Args:
            first_key: keys are given in order from here.
            first_version: versions too; they serve as times, so they must exceed earlier runs'.
            retires_unknown: whether a key is left alone once an outcome was not told: a server
                may do late what it was asked, and then with a later time.
        """
        self.ledger = Ledger()
        self._random = random.Random(first_key)  # noqa: S311 -- the same every time, no secret
        self._first_key = first_key
        self._next_key = first_key
        self._next_version = first_version
        self._retires_unknown = retires_unknown
        self._busy: set[int] = set()

    def __repr__(self) -> str:
        """Keys given and those in use, for messages."""
        return f"<Changes of {self._next_key - self._first_key} keys, {len(self._busy)} busy>"

    def take(self) -> Change:
        """Return the next change; its key is busy until `settle`."""
        chance = self._random.random()
        key = self.take_known() if chance >= NEW_SHARE else None
        version = self._next_version
        self._next_version += 1
        if key is None:
            key = self._next_key
            self._next_key += 1
            self._busy.add(key)
            return Change(key, version)
        return Change(key, None if chance >= 1 - DELETED_SHARE else version)

    def take_known(self) -> int | None:
        """Return a key that was written before and is not busy, None when there is hardly one."""
        for _ in range(_TRIES):
            if self._next_key == self._first_key:
                break
            key = self._random.randrange(self._first_key, self._next_key)
            if key not in self._busy:
                self._busy.add(key)
                return key
        return None

    def settle(self, change: Change, outcome: Outcome) -> None:
        """Note what became of a change, and let its key be written again."""
        self.ledger.note(change.key, change.version, outcome)
        if outcome is not Outcome.UNKNOWN or not self._retires_unknown:
            self._busy.discard(change.key)

    def give_back(self, key: int) -> None:
        """Let a key be written again that was only read."""
        self._busy.discard(key)
