"""Decides how searches look for products, and prints what a page and a rebuild cost.

    python -m benchmarks.bench_find [--rows 1000000] [--products 100000] [--reads 30]
        [--address 127.0.30.1] [--jmx-port 7330] [--quick]

First, rows in the order of price: 25 that meet some conditions, by reading slices and looking at
them here, by filtering in Cassandra, by an index. Then the tables as they are: all products are
placed by a rebuild, and pages are asked of the service, without HTTP, one at a time.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from benchmarks import find_layouts
from benchmarks.find_products import SEARCHES, build_rebuild, build_service, write_products
from benchmarks.node import Node
from benchmarks.paths import REPOSITORY
from benchmarks.processes import process_cpu_seconds, stop_on_sigterm
from benchmarks.results import machine_line, markdown_table, write_result, write_text
from ring import RingClient, RingSettings
from ring.apply_schema import apply_schema
from schema.statements import API_STATEMENTS, LOAD_STATEMENTS

WAYS: Final = ("scan", "filter", "index")
_WARM: Final = 3


def main() -> None:
    """Write, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_find")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--reads", type=int, default=30, help="of each kind")
    parser.add_argument("--address", default="127.0.30.1", help="of the node that is started")
    parser.add_argument("--jmx-port", type=int, default=7330)
    parser.add_argument("--quick", action="store_true", help="few rows, few reads")
    given = parser.parse_args()
    if given.quick:
        given.rows, given.products, given.reads = 20_000, 2_000, 5
    node = Node("find", address=given.address, jmx_port=given.jmx_port).wipe()
    stop_on_sigterm()
    with node:
        layouts = asyncio.run(_layouts(node, given.rows, given.reads))
        pages = asyncio.run(_pages(node, given.products, given.reads))
    text = "\n\n".join([machine_line(), *layouts, *pages])
    print(text)
    content = {"rows": given.rows, "products": given.products, "tables": [*layouts, *pages]}
    write_result("bench_find", content, quick=given.quick)
    write_text("bench_find.md", text + "\n", quick=given.quick)


async def _layouts(node: Node, rows: int, reads: int) -> list[str]:
    settings = RingSettings(contact_points=(node.address,), keyspace=find_layouts.KEYSPACE)
    with tempfile.TemporaryDirectory() as folder:
        await find_layouts.create(settings, Path(folder) / "schema")
    ring = await RingClient.open(settings, find_layouts.statements())
    await ring.wait_ready(find_layouts.READY_SECONDS)
    written = []
    for table in ("plain", "indexed"):
        cpu, began = process_cpu_seconds(node.pid), time.monotonic()
        await find_layouts.write(ring, table, rows)
        seconds = time.monotonic() - began
        used = process_cpu_seconds(node.pid) - cpu
        written.append([table, f"{rows / seconds:,.0f}", f"{1e6 * used / rows:,.0f}"])
    await asyncio.to_thread(node.nodetool, "flush", find_layouts.KEYSPACE)
    shards = max(1, rows // find_layouts.SHARD_ROWS)
    lines = []
    for name, terms in find_layouts.CONDITIONS.items():
        line = [name]
        for way in WAYS:
            chance = random.Random(3)  # noqa: S311 - the same places for each way

            async def read(way: str = way, chance: random.Random = chance) -> object:
                shard, price = chance.randrange(shards), chance.randrange(30_000)
                return await find_layouts.find(ring, way, shard, price, terms)  # noqa: B023

            line.append(await _measure(node, read, reads))
        lines.append(line)
    await ring.aclose()
    return [
        markdown_table(["table", "rows/s written", "CPU µs of the node a row"], written),
        markdown_table(["ms (CPU ms of the node) a page of 25", *WAYS], lines),
    ]


async def _pages(node: Node, products: int, reads: int) -> list[str]:
    settings = RingSettings(contact_points=(node.address,), keyspace="catalog")
    await apply_schema(settings, REPOSITORY / "schema", replication_factor=1)
    ring = await RingClient.open(settings, (*API_STATEMENTS, *LOAD_STATEMENTS))
    await ring.wait_ready(find_layouts.READY_SECONDS)
    await write_products(ring, products)
    cpu = process_cpu_seconds(node.pid)
    progress = await build_rebuild(ring).run(lambda _progress: None)
    used = process_cpu_seconds(node.pid) - cpu
    rate = f"{progress.products_per_second:,.0f}"
    again = await build_rebuild(ring).run(lambda _progress: None)
    rebuilt = [
        ["all placed", rate, f"{1e6 * used / products:,.0f}"],
        ["nothing to place", f"{again.products_per_second:,.0f}", ""],
    ]
    service = build_service(ring)
    lines = []
    for name, search in SEARCHES.items():
        first = await service.find(search, 24, None)

        async def read(search: object = search) -> object:
            return await service.find(search, 24, None)  # type: ignore[arg-type]

        async def go_on(search: object = search, position: object = first.position) -> object:
            return await service.find(search, 24, position)  # type: ignore[arg-type]

        following = await _measure(node, go_on, reads) if first.position else ""
        count = f"{'' if first.is_exact else 'about '}{first.estimate:,}"
        lines.append([name, count, await _measure(node, read, reads), following])
    await ring.aclose()
    return [
        markdown_table(["rebuild", "products/s", "CPU µs of the node a product"], rebuilt),
        markdown_table(["search", "finds", "first page, ms (CPU ms of the node)", "next"], lines),
    ]


async def _measure(node: Node, read: Callable[[], Awaitable[object]], reads: int) -> str:
    """Return the median time of a read, and what the node's CPUs spent on it on average."""
    for _ in range(_WARM):
        await read()
    cpu, times = process_cpu_seconds(node.pid), []
    for _ in range(reads):
        began = time.perf_counter()
        await read()
        times.append(time.perf_counter() - began)
    used = (process_cpu_seconds(node.pid) - cpu) / reads
    return f"{1e3 * sorted(times)[reads // 2]:,.1f} ({1e3 * used:,.1f})"


if __name__ == "__main__":
    main()
