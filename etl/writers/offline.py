"""The offline writer: finished SSTables of all rows, given to every replica.

Cassandra spends no write on them: no commit log, no memtable, hardly a compaction.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Final

from etl.datasets import Dataset, Family
from etl.errors import WriteError
from etl.progress import Progress
from etl.record import Work
from etl.render import renderings
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

_DELIVERED: Final = "delivered"
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
        self._figures: dict[str, object] = {}

    def figures(self) -> dict[str, object]:
        """How far the staging is, its times, and what nodes have confirmed."""
        return dict(self._figures)

    async def write(self, stages: Stages, families: Sequence[Family], rows: int) -> None:
        """Render all rows, about so many, into SSTables and deliver them to every replica.

        Done when every replica has confirmed. What an earlier run has staged or delivered is not
        staged or delivered again. Nodes that are down are tried until the load gives up.

        Raises:
            StagingError: the SSTables could not be written, or the ring keeps changing.
            WriteError: a node does not answer, or did not take its SSTables; the staging stays.
            RingError: no contact point answers.
        """
        if stages.checkpoints.is_done(_DELIVERED):
            return
        for _ in range(_RINGS):
            staged = await self._whole_staging() or await self._stage(stages, families, rows)
            try:
                await self._deliver(staged, rows)
                break
            except TopologyChangedError as error:
                self._progress.say(f"{error}: they are made anew")
                await asyncio.to_thread(staged.discard)
        else:
            raise StagingError(f"the ring changed {_RINGS} times while SSTables were written")
        with stages.checkpoints.step(_DELIVERED):
            pass
        await asyncio.to_thread(staged.discard)

    async def _whole_staging(self) -> Staged | None:
        """Return what an earlier run of this load has staged whole, perhaps after it was killed."""
        os.close(await lock_folder(self._directory, self._give_up_seconds))
        if not (self._directory / MANIFEST).exists():
            return None
        self._progress.say("the SSTables of an earlier run are whole, and delivered now")
        return await asyncio.to_thread(Staged.read, self._directory)

    async def _deliver(self, staged: Staged, rows: int) -> None:
        give_up_at = time.monotonic() + self._give_up_seconds
        with self._progress.stage("deliver SSTables", work=Work.WRITE) as stage:
            while True:
                delivery = await deliver(
                    staged, self._program, self._ring_settings, say=self._progress.say
                )
                self._figures |= {
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

    async def _stage(self, stages: Stages, families: Sequence[Family], rows: int) -> Staged:
        writer = await SstableWriter.start(
            self._program, await self._plan(families), self._directory, limits=self._limits
        )
        try:
            with self._progress.stage(
                "render rows", work=Work.RENDER, total_rows=rows, database=stages.database
            ) as stage:
                async for rendering in renderings(stages, families):
                    table = rendering.dataset.table
                    stage.add(rows=await writer.copy(stages.database, table, rendering.select))
                    self._figures["staging"] = asdict(writer.progress)
            with self._progress.stage("write SSTables", work=Work.WRITE):
                staged = await writer.finish()
        except BaseException:
            await writer.abort()
            raise
        self._figures |= {
            "staging": asdict(writer.progress),
            "reading_seconds": staged.reading_seconds,
            "writing_seconds": staged.writing_seconds,
        }
        return staged

    async def _plan(self, families: Sequence[Family]) -> StagingPlan:
        state = await fetch_ring(self._ring_settings)
        tables = tuple(_staged_table(dataset) for family in families for dataset in family.datasets)
        return StagingPlan(
            self._ring_settings.keyspace, tables, TargetPlan.of_ring(state), self._as_of
        )


def _staged_table(dataset: Dataset) -> StagedTable:
    cql = files("schema").joinpath("tables", f"{dataset.table}.cql").read_text(encoding="utf-8")
    return StagedTable(
        dataset.table,
        cql,
        dataset.cells,
        timestamp_microseconds=derived_microseconds() if dataset.derived else 0,
    )
