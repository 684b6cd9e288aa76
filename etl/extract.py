"""Every file read and cleaned, table by table: the first half of a load, without Cassandra.

Each file and each table is a step, which a run after a killed one passes over.
"""

from collections.abc import Sequence

import duckdb

from etl.account import read_rejected, read_rows_in
from etl.errors import SourceError
from etl.progress import Progress
from etl.reading import clean, extract, is_extracted, stand_in
from etl.record import Work
from etl.scan import scan
from etl.sources import Source, SourceSet
from etl.stages import Stages
from etl.tables import TABLES, Table


def extract_all(found: SourceSet, stages: Stages, progress: Progress) -> None:
    """Leave `<table>_clean` for every table: the rows of all its files, read, or none.

    Raises:
        SourceError: a file is damaged, or changed meanwhile.
        OSError: a copy cannot be written.
        duckdb.Error: the database of the load failed.
    """
    stages.prepare()
    for table in TABLES:
        sources = found.of(table)
        if not sources:
            progress.say(f"{table.file}: absent; what it would bring is kept from the tables")
            stand_in(stages, table)
            continue
        for source in sources:
            _read(source, stages, progress)
        _clean(table, sources, stages, progress)
        progress.record.rejected = read_rejected(stages.database)


def _clean(table: Table, sources: Sequence[Source], stages: Stages, progress: Progress) -> None:
    step = f"clean {table.name}"
    if stages.checkpoints.is_done(step):
        return
    with (
        progress.stage(
            f"clean {_called(table, sources)}",
            work=Work.CLEAN,
            file=sources[0].name,
            database=stages.database,
        ) as stage,
        stages.checkpoints.step(step),
    ):
        clean(stages, table, sources)
        stage.add(rows=sum(read_rows_in(stages.database, one.ordinal) for one in sources))


def _read(source: Source, stages: Stages, progress: Progress) -> None:
    """Leave the rows of one file with their raw fields."""
    source.require_unchanged()
    if is_extracted(stages, source):
        return
    size_bytes = source.path.stat().st_size
    with progress.stage(
        f"read {source.name}",
        work=Work.READ,
        file=source.name,
        total_bytes=size_bytes,
        database=stages.database,
    ) as stage:
        try:
            scan(source)
            with stage.statement(bytes=size_bytes):
                extract(stages, source)
        except (SourceError, OSError, duckdb.Error):
            # A file that was changed or removed meanwhile is told as that.
            source.require_unchanged()
            raise
        source.require_unchanged()
        stage.add(rows=read_rows_in(stages.database, source.ordinal))


def _called(table: Table, sources: Sequence[Source]) -> str:
    return sources[0].name if len(sources) == 1 else f"{table.name}, {len(sources)} files"
