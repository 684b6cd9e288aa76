"""The offline writer as the tests use it: the installed Cassandra, small limits, small plans."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from etl.writers.sstable import SstableWriter
from etl.writers.sstable_program import SstableProgram, prepare_program
from etl.writers.staging import EVERYWHERE, Staged, StagedTable, StagingPlan, TargetPlan
from etl.writers.writer_process import WriterLimits
from ring.nodes.settings import REPOSITORY
from tests.support.ccm import installed_cassandra, ring_settings_for_tests

LIMITS = WriterLimits(heap_mib=192, workers=2, row_bytes_limit=1024**2)
ONE_TARGET = TargetPlan({EVERYWHERE: ("nobody",)}, (), (), {})
ITEMS = StagedTable(
    "items",
    "CREATE TABLE items (id bigint PRIMARY KEY, name text, code ascii, n int, flag boolean,"
    " body blob) WITH compression = {'enabled': false}",
    (
        ("id", "bigint"),
        ("name", "text"),
        ("code", "ascii"),
        ("n", "int"),
        ("flag", "boolean"),
        ("body", "blob_hex"),
    ),
)


def program() -> SstableProgram:
    """Return the program, compiled when this is the first to ask."""
    cache = ring_settings_for_tests(os.environ).state / "sstables"
    return prepare_program(installed_cassandra(os.environ), cache)


def plan_of(
    *tables: StagedTable,
    keyspace: str = "shop",
    target_plan: TargetPlan = ONE_TARGET,
    timestamp_microseconds: int = 1_600_000_000_000_000,
) -> StagingPlan:
    """Return a plan for one target, unless another is given."""
    return StagingPlan(keyspace, tables, target_plan, timestamp_microseconds)


def schema_table(name: str, columns: Iterable[tuple[str, str]]) -> StagedTable:
    """Return a table of `schema/tables/`."""
    cql = (REPOSITORY / "schema" / "tables" / f"{name}.cql").read_text(encoding="utf-8")
    return StagedTable(name, cql, tuple(columns))


async def stage(
    plan: StagingPlan,
    directory: Path,
    *copies: tuple[str, str],
    parameters: Sequence[object] | None = None,
) -> Staged:
    """Stage the rows of (table, query) pairs, one after the other; the first has parameters."""
    writer = await SstableWriter.start(program(), plan, directory, limits=LIMITS)
    try:
        with duckdb.connect() as database:
            for table, query in copies:
                await writer.copy(database, table, query, parameters)
                parameters = None
        return await writer.finish()
    except BaseException:
        await writer.abort()
        raise


async def stage_lines(plan: StagingPlan, directory: Path, lines: bytes) -> Staged:
    """Stage lines as they are."""
    writer = await SstableWriter.start(program(), plan, directory, limits=LIMITS)
    try:
        with writer.pipes[0].open("wb") as pipe:
            pipe.write(lines)
        return await writer.finish()
    except BaseException:
        await writer.abort()
        raise
