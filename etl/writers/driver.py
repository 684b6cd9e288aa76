"""The live, token-aware writer: every row through the ring client, many at a time.

All writes are upserts with a timestamp of the load's own, so a write that is tried again, or a load
that is run again, leaves what one write leaves. A write that no node takes is tried until it is
taken or the load gives up; none is skipped.
"""

from collections.abc import AsyncIterator, Sequence

from etl.datasets import Family
from etl.progress import Progress
from etl.record import Work
from etl.render import Batch, rendered_batches
from etl.stages import Stages
from etl.writers.patient import PatientRing, derived_microseconds
from ring import RowBatch


class DriverWriter:
    """Writes rows through the ring client."""

    name = "driver"

    def __init__(self, ring: PatientRing, progress: Progress, as_of_microseconds: int) -> None:
        self._ring = ring
        self._progress = progress
        self._as_of = as_of_microseconds

    def figures(self) -> dict[str, object]:
        """What was outstanding and tried again; see `PatientRing`."""
        return self._ring.figures()

    async def write(self, stages: Stages, families: Sequence[Family], rows: int) -> None:
        """Render and write all rows, about so many.

        Consistency: LOCAL_QUORUM.

        Raises:
            RefusedError: a row was refused.
            NotTakenError: no node took a row in `load_give_up_seconds`.
        """
        with (
            self._progress.stage("render rows", work=Work.RENDER, total_rows=rows) as rendering,
            self._progress.stage("write rows", work=Work.WRITE, total_rows=rows),
        ):
            await self._ring.ask_batch_limits()
            batches = rendering.timed(rendered_batches(stages, families))
            await self._ring.for_each(self._gather(batches), self._write)

    async def _gather(self, batches: AsyncIterator[Batch]) -> AsyncIterator[RowBatch]:
        async for batch in batches:
            timestamp = derived_microseconds() if batch.dataset.derived else self._as_of
            rows = ((*row, timestamp) for row in batch.rows)
            for gathered in self._ring.gather(batch.dataset.write.name, rows):
                yield gathered

    async def _write(self, batch: RowBatch) -> None:
        await self._ring.write(batch)
        self._progress.add(len(batch.rows))
