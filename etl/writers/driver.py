"""The live, token-aware writer: every row through the ring client, many at a time.

All writes are upserts with a timestamp of the load's own, so a write that is tried again, or a load
that is run again, leaves what one write leaves. A write that no node takes is tried until it is
taken or the load gives up; none is skipped.
"""

from collections.abc import Sequence

from etl.datasets import Family
from etl.progress import Progress
from etl.render import Batch, rendered_batches
from etl.stages import Stages
from etl.writers.patient import PatientRing, derived_microseconds


class DriverWriter:
    """Writes rows through the ring client."""

    name = "driver"

    def __init__(self, ring: PatientRing, progress: Progress, as_of_microseconds: int) -> None:
        self._ring = ring
        self._progress = progress
        self._as_of = as_of_microseconds

    async def write(self, stages: Stages, families: Sequence[Family]) -> None:
        """Render and write all rows.

        Consistency: LOCAL_QUORUM.

        Raises:
            WriteError: Cassandra refused a row, or no node took it in `load_give_up_seconds`.
        """
        await self._ring.for_each(rendered_batches(stages, families), self._write_batch)

    async def _write_batch(self, batch: Batch) -> None:
        timestamp = derived_microseconds() if batch.dataset.derived else self._as_of
        for row in batch.rows:
            await self._ring.execute(batch.dataset.write.name, (*row, timestamp))
        self._progress.add(len(batch.rows))
