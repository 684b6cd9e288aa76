"""The offline writer: finished SSTables of all rows, given to every replica.

Cassandra spends no write on them: no commit log, no memtable, hardly a compaction.
"""

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Final

from etl.datasets import Dataset, Family
from etl.errors import WriteError
from etl.progress import Progress
from etl.record import Stage, Work
from etl.render import Slice, count_rows, count_rows_of, list_slices, renderings
from etl.stages import Stages
from etl.writers.node_access import fetch_ring
from etl.writers.patient import derived_microseconds
from etl.writers.ring_import import TopologyChangedError, deliver
from etl.writers.sstable import SstableWriter
from etl.writers.sstable_program import SstableProgram
from etl.writers.staging import (
    MANIFEST,
    Staged,
    StagedTable,
    StagingError,
    StagingPlan,
    TargetPlan,
)
from etl.writers.writer_process import WriterLimits, lock_folder
from ring import RingSettings

_PAUSE_SECONDS: Final = 5.0
_RINGS: Final = 3
"""Rings, one after the other, that a load makes SSTables for before it stops."""


class OfflineWriter:
    """Writes rows into SSTables beside the ring, and gives these to the nodes.

    Args:
        program: the Java program.
        ring_settings: how to reach the ring.
        directory: where SSTables are staged; on the file system of the nodes they are links there.
        progress: is told of every row staged, and of every node that has a table.
        as_of_microseconds: the timestamp of the rows.
        limits: memory and threads of the program.
        give_up_seconds: how long a node that is down is waited for.
    """

    name = "sstable"

    def __init__(
        self,
        program: SstableProgram,
        ring_settings: RingSettings,
        directory: Path,
        progress: Progress,
        as_of_microseconds: int,
        limits: WriterLimits,
        give_up_seconds: float,
    ) -> None:
        self._program = program
        self._ring_settings = ring_settings
        self._directory = directory
        self._progress = progress
        self._as_of = as_of_microseconds
        self._limits = limits
        self._give_up_seconds = give_up_seconds
        self._figures: defaultdict[str, dict[str, object]] = defaultdict(dict)

    def figures(self) -> dict[str, object]:
        """By family: how far its staging is, its times, and what nodes have confirmed."""
        return {name: dict(told) for name, told in self._figures.items()}

    async def write(self, stages: Stages, families: Sequence[Family]) -> None:
        """Render all rows into SSTables and deliver them to every replica, family by family.

        Done when every replica has confirmed. What an earlier run has staged or delivered is not
        staged or delivered again. Nodes that are down are tried until the load gives up.

        Raises:
            StagingError: the SSTables could not be written, or the ring keeps changing.
            WriteError: a node does not answer, or did not take its SSTables; the staging stays.
            RingError: no contact point answers.
        """
        for family in families:
            step = f"deliver {family.name}"
            if not stages.checkpoints.is_done(step):
                staged = await self._deliver_to_one_ring(stages, family)
                with stages.checkpoints.step(step):
                    pass
                await asyncio.to_thread(staged.discard)

    async def _deliver_to_one_ring(self, stages: Stages, family: Family) -> Staged:
        """Stage and deliver a family, anew where the ring has changed meanwhile."""
        rows = await asyncio.to_thread(count_rows, stages, [family])
        for _ in range(_RINGS):
            staged = await self._whole_staging(family) or await self._stage(stages, family, rows)
            try:
                await self._deliver(family, staged, rows)
            except TopologyChangedError as error:
                self._progress.say(f"{error}: they are made anew")
                await asyncio.to_thread(staged.discard)
            else:
                return staged
        raise StagingError(f"the ring changed {_RINGS} times while SSTables were written")

    async def _whole_staging(self, family: Family) -> Staged | None:
        """Return what an earlier run of this load has staged whole, perhaps after it was killed."""
        directory = self._directory / family.name
        os.close(await lock_folder(directory, self._give_up_seconds))
        if not (directory / MANIFEST).exists():
            return None
        self._progress.say(f"the SSTables of {family.name} are whole since an earlier run")
        return await asyncio.to_thread(Staged.read, directory)

    async def _deliver(self, family: Family, staged: Staged, rows: int) -> None:
        give_up_at = time.monotonic() + self._give_up_seconds
        with self._progress.stage(f"deliver {family.name}", work=Work.WRITE) as stage:
            while True:
                delivery = await deliver(
                    staged, self._program, self._ring_settings, say=self._progress.say
                )
                self._figures[family.name] |= {
                    "delivered": len(delivery.delivered),
                    "pending": dict(delivery.pending),
                }
                if delivery.complete:
                    stage.add(rows=rows)
                    return
                if time.monotonic() + _PAUSE_SECONDS > give_up_at:
                    problems = "; ".join(delivery.pending.values())
                    raise WriteError(
                        f"not all replicas have the rows: {problems}. What they lack is kept"
                    )
                await asyncio.sleep(_PAUSE_SECONDS)

    async def _stage(self, stages: Stages, family: Family, rows: int) -> Staged:
        figures = self._figures[family.name]
        writer = await SstableWriter.start(
            self._program,
            await self._plan(stages, family),
            self._directory / family.name,
            limits=self._limits,
            pipes=self._limits.workers or os.cpu_count() or 1,
        )
        try:
            with self._progress.stage(
                f"render {family.name}", work=Work.RENDER, total_rows=rows, database=stages.database
            ) as stage:
                slices = iter(list_slices(stages, [family]))
                await _together(
                    self._render(writer, pipe, stages, slices, stage)
                    for pipe in range(len(writer.pipes))
                )
            with self._progress.stage(f"write SSTables of {family.name}", work=Work.WRITE):
                staged = await writer.finish()
        except BaseException:
            await writer.abort()
            raise
        figures |= {
            "staging": asdict(writer.progress),
            "reading_seconds": staged.reading_seconds,
            "writing_seconds": staged.writing_seconds,
        }
        return staged

    async def _render(
        self,
        writer: SstableWriter,
        pipe: int,
        stages: Stages,
        slices: Iterator[Slice],
        stage: Stage,
    ) -> None:
        """Send the rows of slice after slice through one pipe, until none is left."""
        async for rendering in renderings(stages, slices):
            table = rendering.dataset.table
            rows = await writer.copy(rendering.database, table, rendering.select, pipe=pipe)
            stage.add(rows=rows)
            self._figures[rendering.slice.name]["staging"] = asdict(writer.progress)

    async def _plan(self, stages: Stages, family: Family) -> StagingPlan:
        state = await fetch_ring(self._ring_settings)
        tables = await asyncio.to_thread(
            lambda: tuple(_staged_table(one, count_rows_of(stages, one)) for one in family.datasets)
        )
        return StagingPlan(
            self._ring_settings.keyspace, tables, TargetPlan.of_ring(state), self._as_of
        )


async def _together(lanes: Iterable[Coroutine[None, None, None]]) -> None:
    """Run all at a time; when one fails, stop the others and raise what it raised."""
    tasks = [asyncio.create_task(lane) for lane in lanes]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _staged_table(dataset: Dataset, rows: int) -> StagedTable:
    cql = files("schema").joinpath("tables", f"{dataset.table}.cql").read_text(encoding="utf-8")
    return StagedTable(
        dataset.table,
        cql,
        dataset.cells,
        expected_bytes=rows * dataset.row_bytes,
        timestamp_microseconds=derived_microseconds() if dataset.derived else 0,
    )
