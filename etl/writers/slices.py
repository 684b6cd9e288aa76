"""Which slices nodes have confirmed, kept in the load's database: chunks of a driver's load."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from etl.render import Slice
from etl.stages import Stages

_CREATE: Final = """
CREATE TABLE IF NOT EXISTS written_slices (
    family VARCHAR, low BIGINT, rows BIGINT, finished_at TIMESTAMPTZ DEFAULT now()
)
"""
# A node that is killed may lose what it acknowledged since its commit log was synchronised last
# (`commitlog_sync_period`: 10 s). A load that saw that writes everything again; one that was killed
# in the same moment saw nothing.
_FORGET: Final = """
DELETE FROM written_slices
WHERE finished_at > (SELECT max(finished_at) FROM written_slices) - INTERVAL 10 SECONDS
"""


@dataclass(slots=True)
class WrittenSlices:
    """The slices of one load that need not be written again.

    A slice is marked when all of its batches were sent and confirmed. Marks are set through a
    cursor of their own, beside the statement that renders.
    """

    stages: Stages
    rows: int = 0
    _marked: set[tuple[str, int]] = field(default_factory=set)
    _outstanding: Counter[Slice] = field(default_factory=Counter)
    _rows_of: Counter[Slice] = field(default_factory=Counter)

    def open(self) -> None:
        """Find what an earlier run has marked; `rows` are the rows of that."""
        self.stages.database.execute(_CREATE)
        self.stages.database.execute(_FORGET)
        marks = self.stages.database.execute("SELECT family, low, rows FROM written_slices")
        for family, low, rows in marks.fetchall():
            self._marked.add((family, low))
            self.rows += rows

    def has(self, one: Slice) -> bool:
        """Whether a slice was written by an earlier run."""
        return (one.name, one.low) in self._marked

    def begin(self, one: Slice) -> None:
        """Say that a slice's batches begin to come."""
        self._outstanding[one] += 1

    def send(self, one: Slice, rows: int) -> None:
        """Say that a batch of a slice is on its way."""
        self._outstanding[one] += 1
        self._rows_of[one] += rows

    async def settle(self, one: Slice) -> None:
        """Say that a batch was confirmed, or that no more batches of the slice come."""
        self._outstanding[one] -= 1
        if not self._outstanding[one]:
            del self._outstanding[one]
            await asyncio.to_thread(self._mark, one, self._rows_of.pop(one, 0))

    def forget_all(self) -> None:
        """Say that a node may have lost what it confirmed."""
        self._marked.clear()
        self.rows = 0
        self.stages.database.execute("DELETE FROM written_slices")

    def _mark(self, one: Slice, rows: int) -> None:
        with self.stages.database.cursor() as cursor:
            cursor.execute(
                "INSERT INTO written_slices (family, low, rows) VALUES (?, ?, ?)",
                [one.name, one.low, rows],
            )
