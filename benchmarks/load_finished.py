"""Our writers on finished rows, as a program: what `bench_load` starts beside the other loaders.

    python -m benchmarks.load_finished --via driver|sstable --rows N FILE

The writers are those of `catalog-etl load`, with its settings; DuckDB reads the file for them.
"""

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop

from benchmarks.finished_rows import FINISHED, WRITE_FINISHED_ROW
from etl.database import open_database, open_scratch
from etl.preparation import open_ring
from etl.progress import Progress
from etl.settings import EtlSettings
from etl.stages import Stages, sql_text
from etl.writers.choice import Via, choose_writer
from etl.writers.patient import PatientRing
from ring import RingSettings


@dataclass(frozen=True, slots=True)
class FinishedStages(Stages):
    """Stages that have nothing to do: the rows are read from a file as they are written.

    Attributes:
        path: the CSV file.
    """

    path: Path

    def prepare(self) -> None:
        """Make all rows one slice."""
        self.database.execute("CREATE TABLE finished_slices AS SELECT 0 AS low, 0 AS high")

    def text(self, stage: str, **names: object) -> str:
        """Return the query of the rows, which is all that a writer asks for."""
        del names
        assert stage == FINISHED.datasets[0].stage
        columns = "{'product_id': 'BIGINT', 'product': 'VARCHAR'}"
        # All told, so that DuckDB need not look for it.
        return (
            f"SELECT product_id, product FROM read_csv({sql_text(str(self.path))}, header = true,"  # noqa: S608
            f" auto_detect = false, delim = ',', quote = '\"', escape = '\"', columns = {columns})"
        )


async def load(via: Via, path: Path, rows: int, settings: EtlSettings, ring: RingSettings) -> None:
    """Write all rows of a file.

    Raises:
        LoadError: see the writers.
        RingError: the ring was not ready.
    """
    with (
        Progress() as progress,
        open_scratch(settings) as scratch,
        open_database(scratch, settings) as database,
    ):
        stages = FinishedStages(database, path)
        stages.prepare()
        async with open_ring(ring, settings, (WRITE_FINISHED_ROW,)) as client:
            writer = await choose_writer(
                via,
                rows,
                ring=PatientRing(client, settings),
                ring_settings=ring,
                settings=settings,
                progress=progress,
                as_of_microseconds=time.time_ns() // 1_000,
                scratch=scratch,
            )
            await writer.write(stages, (FINISHED,), rows)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load_finished")
    parser.add_argument("--via", type=Via, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("path", type=Path)
    given = parser.parse_args()
    settings = EtlSettings.from_environ(os.environ)
    ring = RingSettings.from_environ(os.environ)
    uvloop.run(load(given.via, given.path, given.rows, settings, ring))


if __name__ == "__main__":
    main()
