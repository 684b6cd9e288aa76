"""Decides how products are stored: one row or three tables, and the options of table and node.

    python -m benchmarks.bench_table_layout [--rows 200000] [--rounds 5] [--seconds 6]
        [--skip-node-options] [--quick]

Reads are random, one prepared statement at a time, 64 in flight, by the bare CQL generator. Every
table is written by the same generator, flushed and compacted into one run before it is read.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from benchmarks.bodies import write_templates
from benchmarks.cql_load import read_rows, run_statements, write_rows
from benchmarks.layouts import ONE_ROW, OPTIONS, TABLES, THREE_TABLES, Table
from benchmarks.node import Node
from benchmarks.paths import NODE_STATE
from benchmarks.processes import stop_on_sigterm
from benchmarks.results import Spread, machine_line, markdown_table, write_result, write_text

KEYSPACE: Final = "layouts"
IN_FLIGHT: Final = 64
LOAD_ROUNDS: Final = 3
WARM_ROUNDS: Final = 10
FEWEST_WARM_ROUNDS: Final = 5
WARM_GROWTH: Final = 1.03
SETTLE_SECONDS: Final = 3.0
TEMPLATES: Final = NODE_STATE / "layout_templates.jsonl"


@dataclass(frozen=True, slots=True)
class Reading:
    """One kind of read with what it cost: reads/s, CPU µs a read, milliseconds."""

    name: str
    per_second: Spread
    cpu_microseconds: Spread
    p50_milliseconds: Spread
    p99_milliseconds: Spread


@dataclass(frozen=True, slots=True)
class Loading:
    """What writing all rows of one layout cost."""

    name: str
    products_per_second: Spread
    cpu_microseconds: Spread
    disk_bytes: float


@dataclass(frozen=True, slots=True)
class Settings:
    """The size of a run."""

    rows: int
    rounds: int
    seconds: float
    quick: bool = False
    node_options: bool = True


def main() -> None:
    """Measure, print the tables, write `results/table_layout.md` and `.json`."""
    settings = parse_arguments()
    write_templates(TEMPLATES, with_styles=True)
    loadings = load_all(settings)
    with shipped_node() as node:
        warm(node, settings)
        layouts = read_alternating(node, settings, layout_reads())
        tables = read_alternating(node, settings, option_reads())
    options = [measure_options(settings, name) for name in OPTIONS if settings.node_options]
    report(settings, loadings, {"layout": layouts, "table": tables, "node": options})


def parse_arguments() -> Settings:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_table_layout")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--skip-node-options", action="store_true", help="tables only")
    parser.add_argument("--quick", action="store_true", help="20,000 rows, one short round")
    given = parser.parse_args()
    return Settings(
        rows=20_000 if given.quick else given.rows,
        rounds=1 if given.quick else given.rounds,
        seconds=2.0 if given.quick else given.seconds,
        quick=given.quick,
        node_options=not given.skip_node_options,
    )


def shipped_node(options: Mapping[str, str] | None = None, jvm: tuple[str, ...] = ()) -> Node:
    """Return the node with the shipped options, or with these changed; its data stays."""
    return Node("layout", options=options, jvm=jvm)


def load_all(settings: Settings) -> list[Loading]:
    """Write every table, each with the SSTable format it asks for."""
    loadings: list[Loading] = []
    shipped_node().wipe()
    for sstable_format in ("bti", "big"):
        chosen = {"sstable": f"{{selected_format: {sstable_format}}}"}
        layouts = [layout for layout in TABLES if layout[0].sstable_format == sstable_format]
        with shipped_node(chosen) as node:
            loadings += load_layouts(node, settings, layouts)
    return loadings


def keyspace_statement() -> str:
    """Return the statement that makes the benchmark's own keyspace."""
    replication = "{'class': 'NetworkTopologyStrategy', 'datacenter1': 1}"
    return f"CREATE KEYSPACE IF NOT EXISTS {KEYSPACE} WITH replication = {replication}"


def load_layouts(
    node: Node, settings: Settings, layouts: Sequence[Sequence[Table]]
) -> list[Loading]:
    """Write all rows of the layouts in turn, round after round; compact them; report."""
    tables = [table.create_statement(KEYSPACE) for layout in layouts for table in layout]
    run_statements(node.contact, [keyspace_statement(), *tables])
    # The first writes of a JVM cost a multiple of later ones: that round is not counted.
    for layout in layouts:
        write_layout(node, settings, layout)
    rounds: dict[str, list[tuple[float, float]]] = {layout[0].layout: [] for layout in layouts}
    for _ in range(min(LOAD_ROUNDS, settings.rounds)):
        for layout in layouts:
            rounds[layout[0].layout].append(write_layout(node, settings, layout))
    loadings = []
    for layout in layouts:
        names = [table.name for table in layout]
        node.nodetool("flush", KEYSPACE, *names)
        node.nodetool("compact", KEYSPACE, *names)
        per_second, cpu = zip(*rounds[layout[0].layout], strict=True)
        disk_bytes = settled_disk_bytes(node, names) / settings.rows
        loading = Loading(layout[0].layout, Spread.of(per_second), Spread.of(cpu), disk_bytes)
        print(f"loaded {loading}", flush=True)
        loadings.append(loading)
    return loadings


def write_layout(node: Node, settings: Settings, layout: Sequence[Table]) -> tuple[float, float]:
    """Write all rows of a layout, table after table: products/s, Cassandra's CPU µs a product."""
    cpu_before, start = node.cpu_seconds(), time.monotonic()
    for table in layout:
        write_table(node, table, settings.rows)
    seconds, cpu_seconds = time.monotonic() - start, node.cpu_seconds() - cpu_before
    return settings.rows / seconds, cpu_seconds / settings.rows * 1e6


def settled_disk_bytes(node: Node, names: Sequence[str]) -> int:
    """Return the size of tables once the files that compaction replaced are gone."""
    before = -1
    while True:
        now = sum(node.disk_bytes(KEYSPACE, name) for name in names)
        if now == before:
            return now
        before = now
        time.sleep(SETTLE_SECONDS)


def write_table(node: Node, table: Table, rows: int) -> None:
    """Write the first rows of one table."""
    write_rows(
        node.contact,
        KEYSPACE,
        table.insert_statement(),
        binds=table.binds,
        templates=TEMPLATES,
        ids=rows,
    )


def warm(node: Node, settings: Settings) -> None:
    """Read until the JVM gets no faster: the first 100,000 reads cost two to four times more."""
    cql, best = ONE_ROW.select_statement("product"), 0.0
    for index in range(WARM_ROUNDS):
        per_second = read_once(node, settings, cql)[0]
        if index >= FEWEST_WARM_ROUNDS and per_second < best * WARM_GROWTH:
            return
        best = max(best, per_second)


def layout_reads() -> dict[str, str]:
    """Return the reads that tell one row from three tables."""
    reads = {}
    for column, table in zip(("product", "styles", "related"), THREE_TABLES, strict=True):
        reads[f"one row: {column}"] = ONE_ROW.select_statement(column)
        reads[f"three tables: {column}"] = table.select_statement(column)
    return reads


def option_reads() -> dict[str, str]:
    """Return the product read on each variant of the one-row table."""
    single = [layout[0] for layout in TABLES if len(layout) == 1]
    return {table.layout: table.select_statement("product") for table in single}


def read_alternating(node: Node, settings: Settings, reads: Mapping[str, str]) -> list[Reading]:
    """Measure the reads in turn, round after round, so that drift hits them alike."""
    rounds: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in reads}
    for _ in range(settings.rounds):
        for name, cql in reads.items():
            rounds[name].append(read_once(node, settings, cql))
    readings = [
        Reading(name, *(Spread.of(values) for values in zip(*figures, strict=True)))
        for name, figures in rounds.items()
    ]
    for reading in readings:
        print(reading.name, reading.per_second.text(), reading.cpu_microseconds.text(1), flush=True)
    return readings


def read_once(node: Node, settings: Settings, cql: str) -> tuple[float, float, float, float]:
    """Return reads/s, Cassandra's CPU µs a read, p50 and p99 in ms of one measurement."""
    cpu_before = node.cpu_seconds()
    seen = read_rows(
        node.contact,
        KEYSPACE,
        cql,
        ids=settings.rows,
        in_flight=IN_FLIGHT,
        seconds=settings.seconds,
    )
    cpu_microseconds = (node.cpu_seconds() - cpu_before) / seen.requests * 1e6
    return (
        seen.per_second,
        cpu_microseconds,
        seen.milliseconds["p50"],
        seen.milliseconds["p99"],
    )


def measure_options(settings: Settings, name: str) -> Reading:
    """Measure the product read of the shipped table on a node with other options."""
    options, jvm = OPTIONS[name]
    with shipped_node(options, jvm) as node:
        warm(node, settings)
        return read_alternating(node, settings, {name: ONE_ROW.select_statement("product")})[0]


def report(
    settings: Settings, loadings: Sequence[Loading], readings: Mapping[str, Sequence[Reading]]
) -> None:
    """Print the tables and keep them."""
    parts = [
        "# One row or three tables, and the options of table and node",
        machine_line() + f". {settings}, {IN_FLIGHT} reads in flight; median (low to high).",
        "## Writing all rows of a layout",
        loading_table(loadings),
    ]
    for name, rows in readings.items():
        parts += [f"## Reads: {name}", reading_table(rows)]
    text = "\n\n".join(parts) + "\n"
    print(text)
    write_text("table_layout.md", text, quick=settings.quick)
    found = {name: [asdict(row) for row in rows] for name, rows in readings.items()}
    path = write_result(
        "table_layout",
        {"settings": asdict(settings), "loading": [asdict(row) for row in loadings], **found},
        quick=settings.quick,
    )
    print(f"kept in {path}")


def loading_table(loadings: Sequence[Loading]) -> str:
    """Return the table of what writing cost."""
    header = ("layout", "products/s", "Cassandra CPU µs/product", "disk bytes/product")
    rows = [
        [
            row.name,
            row.products_per_second.text(),
            row.cpu_microseconds.text(),
            f"{row.disk_bytes:,.0f}",
        ]
        for row in loadings
    ]
    return markdown_table(header, rows)


def reading_table(readings: Sequence[Reading]) -> str:
    """Return the table of what reading cost."""
    header = ("read", "reads/s", "Cassandra CPU µs/read", "p50 ms", "p99 ms")
    rows = [
        [
            row.name,
            row.per_second.text(),
            row.cpu_microseconds.text(1),
            row.p50_milliseconds.text(2),
            row.p99_milliseconds.text(2),
        ]
        for row in readings
    ]
    return markdown_table(header, rows)


if __name__ == "__main__":
    stop_on_sigterm()
    main()
