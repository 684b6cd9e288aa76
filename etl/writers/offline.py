"""The offline writer: finished SSTables of all rows, given to every replica.

Cassandra spends no write on them: no commit log, no memtable, hardly a compaction.
"""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

from etl.datasets import Dataset, Family
from etl.errors import WriteError
from etl.progress import Progress
from etl.render import renderings
from etl.stages import Stages
from etl.writers.node_access import fetch_ring
from etl.writers.patient import derived_microseconds
from etl.writers.ring_import import deliver
from etl.writers.sstable import SstableWriter, WriterLimits
from etl.writers.sstable_program import SstableProgram
from etl.writers.staging import StagedTable, StagingPlan, TargetPlan
from ring import RingSettings

_STAGING: Final = "sstables"


class OfflineWriter:
    """Writes rows into SSTables beside the ring, and gives these to the nodes.

    Args:
        program: the Java program.
        ring_settings: how to reach the ring.
        directory: where SSTables are staged; on the file system of the nodes they are links there.
        progress: is told of every row staged, and of every node that has a table.
        as_of_microseconds: the timestamp of the rows.
        limits: memory and threads of the program.
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
    ) -> None:
        self._program = program
        self._ring_settings = ring_settings
        self._directory = directory / _STAGING
        self._progress = progress
        self._as_of = as_of_microseconds
        self._limits = limits
        self._delivered = False

    async def write(self, stages: Stages, families: Sequence[Family]) -> None:
        """Render all rows into SSTables and deliver them to every replica.

        Done when every replica has confirmed. Called again, it has nothing to do.

        Raises:
            StagingError: the SSTables could not be written, or the ring has changed meanwhile.
            WriteError: a node does not answer, or did not take its SSTables.
            RingError: no contact point answers.
        """
        if self._delivered:
            return
        writer = await SstableWriter.start(
            self._program, await self._plan(families), self._directory, limits=self._limits
        )
        try:
            async for rendering in renderings(stages, families):
                rows = await writer.copy(stages.database, rendering.dataset.table, rendering.select)
                self._progress.add(rows)
            staged = await writer.finish()
        except BaseException:
            await writer.abort()
            raise
        delivery = await deliver(staged, self._program, self._ring_settings, say=self._progress.say)
        if not delivery.complete:
            problems = "; ".join(delivery.pending.values())
            raise WriteError(f"not all replicas have the rows: {problems}")
        self._delivered = True

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
