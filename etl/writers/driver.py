"""The live, token-aware writer: every row through the ring client, many at a time.

All writes are upserts with a timestamp of the load's own, so a write that is tried again, or a load
that is run again, leaves what one write leaves. A write that no node takes is tried until it is
taken or the load gives up; none is skipped. A slice whose rows are all taken is a chunk that a run
after a killed one passes over.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from etl.datasets import Family
from etl.progress import Progress
from etl.record import Work
from etl.render import Batch, Slice, count_rows, list_slices, rendered_batches
from etl.stages import Stages
from etl.writers.patient import PatientRing, derived_microseconds
from etl.writers.slices import WrittenSlices
from ring import RowBatch


@dataclass(frozen=True, slots=True)
class Part:
    """A batch of a slice; none: that was all of the slice."""

    slice: Slice
    batch: RowBatch | None


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

    async def write(self, stages: Stages, families: Sequence[Family]) -> None:
        """Render and write all rows but the slices that an earlier run has written.

        Consistency: LOCAL_QUORUM.

        Raises:
            RefusedError: a row was refused.
            NotTakenError: no node took a row in `load_give_up_seconds`.
        """
        written = WrittenSlices(stages)
        await asyncio.to_thread(written.open)
        rows = await asyncio.to_thread(count_rows, stages, families)
        slices = [one for one in list_slices(stages, families) if not written.has(one)]
        outages = self._ring.outages
        with (
            self._progress.stage("render rows", work=Work.RENDER, total_rows=rows) as rendering,
            self._progress.stage("write rows", work=Work.WRITE, total_rows=rows),
        ):
            self._progress.add(written.rows)
            await self._ring.ask_batch_limits()
            batches = rendering.timed(rendered_batches(stages, slices))

            async def write(part: Part) -> None:
                if part.batch is not None:
                    await self._ring.write(part.batch)
                    self._progress.add(len(part.batch.rows))
                if self._ring.outages == outages:
                    await written.settle(part.slice)

            await self._ring.for_each(self._gather(batches, written), write)
        if self._ring.outages != outages:
            await asyncio.to_thread(written.forget_all)

    async def _gather(
        self, batches: AsyncIterator[Batch], written: WrittenSlices
    ) -> AsyncIterator[Part]:
        current: Slice | None = None
        async for batch in batches:
            if batch.slice != current:
                if current is not None:
                    yield Part(current, None)
                current = batch.slice
                written.begin(current)
            timestamp = derived_microseconds() if batch.dataset.derived else self._as_of
            rows = ((*row, timestamp) for row in batch.rows)
            for gathered in self._ring.gather(batch.dataset.write.name, rows):
                written.send(current, len(gathered.rows))
                yield Part(current, gathered)
        if current is not None:
            yield Part(current, None)
