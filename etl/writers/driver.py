"""The live, token-aware writer: every row through the ring client, many at a time.

All writes are upserts with a timestamp of the load's own, so a write that is tried again, or a load
that is run again, leaves what one write leaves. A write that no node takes is tried until it is
taken or the load gives up; none is skipped.
"""

from collections.abc import Sequence

from etl.datasets import Family
from etl.progress import Progress
from etl.record import Work
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

    def figures(self) -> dict[str, object]:
        """Nothing besides what the ring client tells."""
        return {}

    async def write(self, stages: Stages, families: Sequence[Family], rows: int) -> None:
        """Render and write all rows, about so many.

        Consistency: LOCAL_QUORUM.

        Raises:
            WriteError: Cassandra refused a row, or no node took it in `load_give_up_seconds`.
        """
        with (
            self._progress.stage("render rows", work=Work.RENDER, total_rows=rows) as rendering,
            self._progress.stage("write rows", work=Work.WRITE, total_rows=rows),
        ):
            batches = rendering.timed(rendered_batches(stages, families))
            await self._ring.for_each(batches, self._write_batch)

    async def _write_batch(self, batch: Batch) -> None:
        timestamp = derived_microseconds() if batch.dataset.derived else self._as_of
        for row in batch.rows:
            await self._ring.execute(batch.dataset.write.name, (*row, timestamp))
        self._progress.add(len(batch.rows))
