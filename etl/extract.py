"""Every file read and cleaned, table by table: the first half of a load, without Cassandra."""

import time
from collections.abc import Callable, Sequence

import duckdb

from etl.scan import scan
from etl.sources import Source, SourceSet
from etl.stages import Stages
from etl.tables import TABLES, Table


def extract_all(found: SourceSet, stages: Stages, say: Callable[[str], None]) -> None:
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
            say(f"{table.file}: absent; what it would bring is kept from the tables")
            stages.stand_in(table)
            continue
        started = time.monotonic()
        for source in sources:
            _extract(source, stages)
        stages.clean(table, sources)
        say(_describe(table, sources, time.monotonic() - started))


def _extract(source: Source, stages: Stages) -> None:
    scan(source)
    try:
        stages.extract(source)
    except duckdb.Error:
        # A file that is cut while DuckDB reads it is told as that.
        source.require_unchanged()
        raise
    source.require_unchanged()


def _describe(table: Table, sources: Sequence[Source], seconds: float) -> str:
    name = sources[0].name if len(sources) == 1 else f"{table.name}, {len(sources)} files"
    size_bytes = sum(one.identity.size_bytes for one in sources if one.identity is not None)
    rate = size_bytes / 1e6 / max(seconds, 1e-9)
    return f"{name}: read and cleaned in {seconds:.1f} s ({rate:.0f} MB/s)"
