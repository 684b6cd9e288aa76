"""Whole loads, from raw files to serving: ten million products, and the full legacy shape.

    python -m benchmarks.bench_load_10m [--products 10000000] [--full 1000011] [--quick]

One node of its own with the shipped options and the loader share this machine's cores. Prints the
time of each stage, memory and disk; then a page at the end of `/products` beside page 1, and what a
read costs Cassandra beside what it costs after a load of a hundredth.
"""

import argparse
import asyncio
import http.client
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.http_load import run_wrk
from benchmarks.load_files import make_all_files, make_product_files
from benchmarks.node import Node
from benchmarks.paths import NODE_STATE, REPOSITORY
from benchmarks.processes import StartError, stop_on_sigterm
from benchmarks.results import machine_line, markdown_table, write_result, write_text
from benchmarks.seeding import KEYSPACE
from benchmarks.servers import OURS
from benchmarks.whole_load import run_load
from ring import RingSettings
from ring.apply_schema import apply_schema

PORT: Final = 8410
PAGE_ROWS: Final = 5
PAGES_ASKED: Final = 300
WARM_SECONDS: Final = 10.0
READ_SECONDS: Final = 10.0
CONNECTIONS: Final = 64
_TABLES: Final = REPOSITORY / "schema" / "tables"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one load cost. Bytes of the tables are of their SSTables."""

    name: str
    csv_bytes: int
    csv_rows: int
    rows: int
    seconds: float
    seconds_by_work: dict[str, float]
    loader_cpu_seconds: float
    cassandra_cpu_seconds: float
    peak_bytes: int
    table_bytes: int
    compaction_cpu_seconds: float
    read_cpu_microseconds: float
    page_1_ms: float
    last_page_ms: float


def main() -> None:
    """Load, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_load_10m")
    parser.add_argument("--products", type=int, default=10_000_000)
    parser.add_argument("--full", type=int, default=1_000_011)
    parser.add_argument("--quick", action="store_true", help="a hundredth of both")
    given = parser.parse_args()
    share = 100 if given.quick else 1
    products, full = given.products // share, given.full // share
    files = NODE_STATE / "load_files"
    small = products // 100
    loads = [
        load(f"{small:,} products", make_product_files(files / f"p{small}", small), small),
        load(
            f"{products:,} products", make_product_files(files / f"p{products}", products), products
        ),
        load(f"{full:,} products, all files", make_all_files(files / f"f{full}", full), full),
    ]
    report(loads, quick=given.quick)


def load(name: str, directory: Path, products: int) -> Loaded:
    """Load a directory into a new node and look at what came of it."""
    with Node("load").wipe() as node:
        settings = RingSettings(contact_points=(node.address,), keyspace=KEYSPACE)
        asyncio.run(apply_schema(settings, REPOSITORY / "schema", replication_factor=1))
        before = node.cpu_seconds()
        told = run_load(directory, [node.address], via="sstable")
        during = node.cpu_seconds() - before
        table_bytes = sum(node.disk_bytes(KEYSPACE, table.stem) for table in _TABLES.glob("*.cql"))
        after = node.cpu_seconds()
        time.sleep(30.0)
        compaction = node.cpu_seconds() - after
        read_cost, first, last = measure_reads(node, products)
    loaded = Loaded(
        name=name,
        csv_bytes=sum(file.stat().st_size for file in directory.glob("*.csv")),
        csv_rows=sum(file["rows_in"] for file in told["files"].values()),
        rows=told["rows_written"],
        seconds=told["seconds"],
        seconds_by_work=told["seconds_by_work"],
        loader_cpu_seconds=sum(told["cpu_seconds"].values()),
        cassandra_cpu_seconds=during,
        peak_bytes=told["memory"]["peak_bytes"],
        table_bytes=table_bytes,
        compaction_cpu_seconds=compaction,
        read_cpu_microseconds=read_cost,
        page_1_ms=first,
        last_page_ms=last,
    )
    print(loaded, flush=True)
    return loaded


def measure_reads(node: Node, products: int) -> tuple[float, float, float]:
    """Return Cassandra's microseconds of CPU a read, and the medians of two pages in ms."""
    server = OURS.process(address=node.address, port=PORT, contact=node.address, keyspace=KEYSPACE)
    with server:
        wait_for_page(node.address)
        run_wrk(node.address, PORT, connections=CONNECTIONS, seconds=WARM_SECONDS, ids=products)
        before = node.cpu_seconds()
        figures = run_wrk(
            node.address, PORT, connections=CONNECTIONS, seconds=READ_SECONDS, ids=products
        )
        cost = (node.cpu_seconds() - before) / figures.requests * 1e6
        first, last = page_medians(node.address, max(1, products // PAGE_ROWS - 1))
    return cost, first, last


def wait_for_page(address: str) -> None:
    """Wait until the app server lists products."""
    deadline = time.monotonic() + 60.0
    while time.monotonic() < deadline:
        try:
            if json.loads(fetch(http.client.HTTPConnection(address, PORT, timeout=10), 1)):
                return
        except (OSError, ValueError):
            pass
        time.sleep(0.3)
    raise StartError("the app server lists no products")


def page_medians(address: str, last_page: int) -> tuple[float, float]:
    """Ask page 1 and the last page in turn, on one connection."""
    connection = http.client.HTTPConnection(address, PORT, timeout=10)
    times: dict[int, list[float]] = {1: [], last_page: []}
    for _ in range(PAGES_ASKED):
        for page, taken in times.items():
            started = time.perf_counter()
            rows = json.loads(fetch(connection, page))
            taken.append((time.perf_counter() - started) * 1000)
            if not rows:
                raise StartError(f"page {page} is empty")
    connection.close()
    return median(times[1]), median(times[last_page])


def fetch(connection: http.client.HTTPConnection, page: int) -> bytes:
    """Return the body of one page of `/products`."""
    connection.request("GET", f"/products?page={page}&count={PAGE_ROWS}")
    return connection.getresponse().read()


def report(loads: list[Loaded], *, quick: bool) -> None:
    """Print the table and keep it."""
    works = list(loads[0].seconds_by_work)
    header = ("what", *(one.name for one in loads))
    rows = [
        ["files, GB", *(f"{one.csv_bytes / 1e9:.2f}" for one in loads)],
        ["rows in the files", *(f"{one.csv_rows:,}" for one in loads)],
        ["rows in the tables", *(f"{one.rows:,}" for one in loads)],
        ["seconds", *(f"{one.seconds:.0f}" for one in loads)],
        *([f"  {work}", *(f"{one.seconds_by_work[work]:.0f}" for one in loads)] for work in works),
        ["rows of the files a second", *(f"{one.csv_rows / one.seconds:,.0f}" for one in loads)],
        ["loader CPU s", *(f"{one.loader_cpu_seconds:.0f}" for one in loads)],
        ["Cassandra CPU s", *(f"{one.cassandra_cpu_seconds:.0f}" for one in loads)],
        ["loader peak memory, MiB", *(f"{one.peak_bytes / 2**20:.0f}" for one in loads)],
        ["tables on disk, GB", *(f"{one.table_bytes / 1e9:.2f}" for one in loads)],
        ["Cassandra CPU s in 30 s after", *(f"{one.compaction_cpu_seconds:.1f}" for one in loads)],
        ["Cassandra CPU µs a read", *(f"{one.read_cpu_microseconds:.1f}" for one in loads)],
        ["page 1, ms", *(f"{one.page_1_ms:.2f}" for one in loads)],
        ["last page, ms", *(f"{one.last_page_ms:.2f}" for one in loads)],
    ]
    text = "\n\n".join(["# Whole loads", machine_line() + ".", markdown_table(header, rows)]) + "\n"
    print(text)
    write_text("bench_load_10m.md", text, quick=quick)
    kept = write_result("bench_load_10m", {"loads": [asdict(one) for one in loads]}, quick=quick)
    print(f"kept in {kept}")


if __name__ == "__main__":
    stop_on_sigterm()
    main()
