"""Compares the offline writer with Cassandra's own, for finished rows of 650 bytes.

    python -m benchmarks.bench_sstable_writer [--rows 500000] [--rounds 3]

Ours gets rows in random order from DuckDB through its pipe and is timed from the first row to the
manifest, the start of its JVM apart. Cassandra's `CQLSSTableWriter.sorted()` gets rows that stand
in memory in the right order. Both leave uncompressed SSTables, synchronised to the disk.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.paths import HERE, NODE_STATE
from benchmarks.results import Spread, machine_line, markdown_table, write_result
from etl.writers.java_process import run_java
from etl.writers.render_lines import copy_statement
from etl.writers.sstable import SstableWriter
from etl.writers.sstable_program import SstableProgram, prepare_program
from etl.writers.staging import EVERYWHERE, StagedTable, StagingPlan, TargetPlan
from ring.nodes.install import install_cassandra
from ring.nodes.java import find_java_home
from ring.nodes.settings import StackSettings

STATE = NODE_STATE / "sstable_writer"
OPTIONS = (
    "WITH compression = {'enabled': false} AND compaction = {'class': 'UnifiedCompactionStrategy'}"
)
CREATE = f"CREATE TABLE %s (id bigint PRIMARY KEY, body blob) {OPTIONS}"
ROW_BYTES = 660
ROWS = """
    CREATE TABLE rows AS
    SELECT i AS id,
        '{"id":' || i || ',"text":"' || left(repeat(md5(i::VARCHAR), 20), 625) || '"}' AS body
    FROM range($1) AS r(i) ORDER BY hash(i)
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """One run.

    Attributes:
        seconds, cpu_seconds: of the writer, from the first row to the last file.
        start_seconds, start_cpu_seconds: of its JVM before.
        duckdb_cpu_seconds: of this process meanwhile.
        peak_mib: memory of the writer.
    """

    seconds: float
    cpu_seconds: float
    start_seconds: float = 0.0
    start_cpu_seconds: float = 0.0
    duckdb_cpu_seconds: float = 0.0
    peak_mib: float = 0.0


async def ours(program: SstableProgram, database: duckdb.DuckDBPyConnection, rows: int) -> Figures:
    """Stage all rows once."""
    shutil.rmtree(STATE / "staging", ignore_errors=True)
    children_before = _children_cpu_seconds()
    started = time.monotonic()
    writer = await SstableWriter.start(program, _plan(rows), STATE / "staging")
    begun = time.monotonic()
    start_cpu_seconds = _process_cpu_seconds(writer.pid)
    own_before = time.process_time()
    peaks: list[float] = [0.0]
    watching = asyncio.create_task(_watch(writer.pid, peaks))
    await writer.copy(database, "items", "SELECT id, body FROM rows")
    staged = await writer.finish()
    seconds = time.monotonic() - begun
    watching.cancel()
    assert staged.tables["items"].rows == rows
    return Figures(
        seconds=seconds,
        cpu_seconds=_children_cpu_seconds() - children_before - start_cpu_seconds,
        start_seconds=begun - started,
        start_cpu_seconds=start_cpu_seconds,
        duckdb_cpu_seconds=time.process_time() - own_before,
        peak_mib=max(peaks),
    )


async def _watch(pid: int, peaks: list[float]) -> None:
    while True:
        peaks.append(_peak_mib(pid))
        await asyncio.sleep(0.05)


def _peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return max(
        (int(x.split()[1]) / 1024 for x in status.splitlines() if x.startswith("VmHWM")), default=0
    )


def _children_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _process_cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _plan(rows: int) -> StagingPlan:
    table = StagedTable(
        "items", CREATE % "items", (("id", "bigint"), ("body", "blob")), rows * ROW_BYTES
    )
    return StagingPlan("bench", (table,), TargetPlan({EVERYWHERE: ("a",)}, (), (), {}), 1)


async def cassandras(program: SstableProgram, heap_mib: int) -> Figures:
    """Write all rows once by CQLSSTableWriter."""
    directory = STATE / "cql" / "bench" / "items"
    shutil.rmtree(STATE / "cql", ignore_errors=True)
    directory.mkdir(parents=True)
    command = program.command(
        "benchmarks.sstables.SortedCqlWriter",
        str(STATE / "rows.tsv"),
        str(directory),
        CREATE % "bench.items",
        "INSERT INTO bench.items (id, body) VALUES (?, ?)",
        heap_mib=heap_mib,
        options=["-Dcassandra.config=file:///" + str(program.install_directory / "conf")],
    )
    lines: list[str] = []
    ended = await run_java(command, lines.append)
    assert ended.exit_code == 0, ended.errors
    figures = json.loads(lines[-1])
    return Figures(figures["seconds"], figures["cpu_seconds"])


async def measure(rows: int, rounds: int) -> None:
    """Run both in turns and print the table."""
    settings = StackSettings.from_environ({})
    install_cassandra(settings.install_directory, java_home=find_java_home())
    program = prepare_program(settings.install_directory, STATE / "classes")
    other = prepare_program(
        settings.install_directory, STATE / "classes", sources=HERE / "sstables"
    )
    database = duckdb.connect()
    database.execute(ROWS, [rows])
    query = "SELECT id, body FROM rows"
    database.execute(
        copy_statement(database, _plan(rows), "items", query, None, STATE / "rows.tsv")
    )
    own: list[Figures] = []
    theirs: list[Figures] = []
    for _ in range(rounds):
        own.append(await ours(program, database, rows))
        theirs.append(await cassandras(other, heap_mib=3_072))
    print(machine_line())
    print(_table(rows, own, theirs))
    write_result(
        "bench_sstable_writer", {"rows": rows, "ours": own, "cql_sstable_writer_sorted": theirs}
    )


def _table(rows: int, own: list[Figures], theirs: list[Figures]) -> str:
    lines = []
    for name, runs in (("ours, two threads", own), ("CQLSSTableWriter.sorted(), one", theirs)):
        lines.append(
            [
                name,
                Spread.of([rows / run.seconds for run in runs]).text(),
                Spread.of([run.cpu_seconds / rows * 1e6 for run in runs]).text(1),
                Spread.of([run.start_cpu_seconds for run in runs]).text(1),
                Spread.of([run.duckdb_cpu_seconds / rows * 1e6 for run in runs]).text(1),
                Spread.of([run.peak_mib for run in runs]).text(),
            ]
        )
    header = ("writer", "rows/s", "CPU s a million", "start, CPU s", "DuckDB, CPU s", "peak MiB")
    return markdown_table(header, lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    Path(STATE).mkdir(parents=True, exist_ok=True)
    asyncio.run(measure(arguments.rows, arguments.rounds))
