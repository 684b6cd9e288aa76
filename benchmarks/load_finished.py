"""Our writers on finished rows, as a program: what `bench_load` starts beside the other loaders.

    python -m benchmarks.load_finished --via driver|sstable --rows N FILE

The writers are those of `catalog-etl load`, with its settings; DuckDB reads the file for them.
"""

import argparse
import os
import time
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.finished_rows import FINISHED, WRITE_FINISHED_ROW
from etl.database import open_database
from etl.preparation import open_ring
from etl.progress import Progress
from etl.settings import EtlSettings
from etl.stages import Stages, sql_text
from etl.work_directory import open_scratch
from etl.writers.choice import Via, choose_writer
from etl.writers.patient import PatientRing
from ring import RingSettings

_SLICE_ROWS: Final = 50_000
_COLUMNS: Final = "{'product_id': 'BIGINT', 'product': 'VARCHAR'}"


class FinishedStages(Stages):
    """Stages that have nothing to do: the rows are finished as they are."""

    def read(self, path: Path, rows: int) -> None:
        """Read a CSV file of finished rows, whose ids begin with 1, and cut it into slices."""
        self.checkpoints.open()
        self.database.execute(
            f"CREATE TABLE finished AS SELECT * FROM read_csv({sql_text(str(path))}, header = true,"  # noqa: S608
            f" auto_detect = false, delim = ',', quote = '\"', escape = '\"', columns = {_COLUMNS})"
        )
        self.database.execute(
            "CREATE TABLE finished_slices AS SELECT low, low + $width - 1 AS high"
            " FROM range(1, $rows + 1, $width) AS slices (low)",
            {"width": _SLICE_ROWS, "rows": rows},
        )

    def text(self, stage: str, **names: object) -> str:
        """Return the query of the rows of a slice, which is all that a writer asks for."""
        assert stage == FINISHED.datasets[0].stage
        return (
            "SELECT product_id, product FROM finished"  # noqa: S608
            f" WHERE product_id BETWEEN {names['low']} AND {names['high']}"
        )


async def load(via: Via, path: Path, rows: int, settings: EtlSettings, ring: RingSettings) -> None:
    """Write all rows of a file.

    Raises:
        LoadError: see the writers.
        RingError: the ring was not ready.
    """
    with (
        Progress() as progress,
        open_scratch(settings) as work,
        open_database(work.path, settings) as database,
    ):
        stages = FinishedStages(database)
        stages.read(path, rows)
        async with open_ring(ring, settings, (WRITE_FINISHED_ROW,)) as client:
            writer = await choose_writer(
                via,
                rows,
                ring=PatientRing(client, settings),
                ring_settings=ring,
                settings=settings,
                progress=progress,
                as_of_microseconds=time.time_ns() // 1_000,
                staging=work.staging,
            )
            await writer.write(stages, (FINISHED,))


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
