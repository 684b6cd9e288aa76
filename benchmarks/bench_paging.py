"""Proves that `/products` pages as quickly at the end of ten million products as at the beginning.

    python -m benchmarks.bench_paging [--rows 10000000] [--requests 1500] [--quick]

Ids have gaps; in every third block that is read, rows were deleted since the load. Pages are asked
of a real app server in turn, on one connection, and checked against the ids they must hold. Exit
code 1 when the median of the last page is more than 1.5 times that of the first.
"""

import argparse
import asyncio
import http.client
import json
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from benchmarks.cql_load import LoadError
from benchmarks.node import Node
from benchmarks.paging_rows import Catalog, delete_some, write_catalog
from benchmarks.paths import REPOSITORY
from benchmarks.processes import Process, stop_on_sigterm
from benchmarks.results import Spread, machine_line, markdown_table, write_result
from benchmarks.seeding import KEYSPACE
from benchmarks.servers import OURS
from ring import RingClient, RingSettings
from ring.apply_schema import apply_schema
from schema.statements import LOAD_STATEMENTS

PAGE_ROWS: Final = 5
PORT: Final = 8400
RANDOM_PAGES: Final = 24
SPARE_ROWS: Final = 2000
LIMIT: Final = 1.5
READY_SECONDS: Final = 60.0
ROUNDS: Final = 5
WARM_REQUESTS: Final = 3000


@dataclass(frozen=True, slots=True)
class Asked:
    """A kind of page: the numbers asked in turn, and the milliseconds of each answer, by round."""

    name: str
    pages: Sequence[int]
    rounds: list[list[float]]

    @property
    def medians(self) -> Spread:
        """The rounds' medians in milliseconds."""
        return Spread.of([percentile(one, 0.5) for one in self.rounds])

    @property
    def p99s(self) -> Spread:
        """The rounds' 99th percentiles in milliseconds."""
        return Spread.of([percentile(one, 0.99) for one in self.rounds])


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    """Write, measure, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_paging")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--requests", type=int, default=1500, help="of each kind, in all rounds")
    parser.add_argument("--quick", action="store_true", help="200,000 rows, few requests")
    given = parser.parse_args()
    rows = 200_000 if given.quick else given.rows
    requests = 200 if given.quick else given.requests
    catalog, pages, blocks = plan(rows)
    with Node("paging").wipe() as node:
        started = time.monotonic()
        asyncio.run(write(node.address, catalog, blocks))
        node.nodetool("flush", KEYSPACE)
        print(f"written in {time.monotonic() - started:.0f} s", flush=True)
        server = OURS.process(
            address=node.address, port=PORT, contact=node.address, keyspace=KEYSPACE
        )
        with server:
            kinds = measure(server, node.address, catalog, pages, requests)
    sys.exit(report(catalog, kinds, quick=given.quick))


def plan(rows: int) -> tuple[Catalog, dict[str, list[int]], list[int]]:
    """Return the catalog, the pages of each kind, and the blocks whose rows they need.

    A few more products than asked are loaded, so that `rows` of them live after the deletions.
    """
    loaded = Catalog(rows + SPARE_ROWS)
    source = random.Random(11)  # noqa: S311 -- the same pages on every run, no secrets
    last_page = rows // PAGE_ROWS
    numbers = [source.randint(2, last_page) for _ in range(RANDOM_PAGES)]
    pages = {"page 1": [1], f"page {last_page:,}": [last_page], "random pages": numbers}
    catalog = delete_some(loaded.rows, blocks_of(loaded, pages))
    # Deletions moved the later pages on, perhaps into the next block.
    return catalog, pages, sorted(blocks_of(loaded, pages) | blocks_of(catalog, pages))


def blocks_of(catalog: Catalog, pages: dict[str, list[int]]) -> set[int]:
    """Return the blocks that hold any row of these pages."""
    return {
        block
        for numbers in pages.values()
        for page in numbers
        for block in catalog.blocks_of((page - 1) * PAGE_ROWS, PAGE_ROWS)
    }


async def write(address: str, catalog: Catalog, blocks: Sequence[int]) -> None:
    """Apply the schema and write what pages are made of."""
    settings = RingSettings(contact_points=(address,), keyspace=KEYSPACE)
    await apply_schema(settings, REPOSITORY / "schema", replication_factor=1)
    client = await RingClient.open(settings, LOAD_STATEMENTS)
    try:
        await client.wait_ready(READY_SECONDS)
        await write_catalog(client, catalog, blocks)
    finally:
        await client.aclose()


def measure(
    server: Process, address: str, catalog: Catalog, pages: dict[str, list[int]], requests: int
) -> list[Asked]:
    """Ask the kinds of pages in turn, one request after the other, on one connection."""
    wait_for_directory(server, address)
    connection = http.client.HTTPConnection(address, PORT, timeout=10)
    kinds = [Asked(name, numbers, []) for name, numbers in pages.items()]
    for index in range(WARM_REQUESTS):
        kind = kinds[index % len(kinds)]
        ask(connection, catalog, kind.pages[index % len(kind.pages)])
    for _ in range(ROUNDS):
        for kind in kinds:
            kind.rounds.append([])
        for index in range(requests // ROUNDS):
            for kind in kinds:
                page = kind.pages[index % len(kind.pages)]
                kind.rounds[-1].append(ask(connection, catalog, page))
    connection.close()
    return kinds


def wait_for_directory(server: Process, address: str) -> None:
    """Wait until the app server answers its first page."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        server.check_alive()
        connection = http.client.HTTPConnection(address, PORT, timeout=10)
        try:
            connection.request("GET", "/products?page=1&count=1")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            pass
        finally:
            connection.close()
        if time.monotonic() > deadline:
            raise LoadError("the app server does not answer /products")
        time.sleep(0.2)


def ask(connection: http.client.HTTPConnection, catalog: Catalog, page: int) -> float:
    """Return the milliseconds that one page took; its ids must be the right ones."""
    start = time.perf_counter()
    connection.request("GET", f"/products?page={page}&count={PAGE_ROWS}")
    answer = connection.getresponse()
    body = answer.read()
    took = (time.perf_counter() - start) * 1000
    found = [row["id"] for row in json.loads(body)] if answer.status == http.HTTPStatus.OK else None
    wanted = expected_ids(catalog, page)
    if found != wanted:
        raise LoadError(f"page {page}: {answer.status}, ids {found} instead of {wanted}")
    return took


_expected: dict[int, list[int]] = {}


def expected_ids(catalog: Catalog, page: int) -> list[int]:
    """Return the ids of a page, worked out once."""
    if page not in _expected:
        _expected[page] = catalog.page_ids((page - 1) * PAGE_ROWS, PAGE_ROWS)
    return _expected[page]


def report(catalog: Catalog, kinds: Sequence[Asked], *, quick: bool) -> int:
    """Print the table; return the exit code."""
    first, last = kinds[0].medians.median, kinds[1].medians.median
    rows = [[kind.name, kind.medians.text(2), kind.p99s.text(2)] for kind in kinds]
    print(machine_line())
    print(
        f"GET /products, {PAGE_ROWS} rows a page, {catalog.live_rows:,} live products in "
        f"{len(catalog.loaded_counts):,} blocks, {catalog.rows - catalog.live_rows} deleted since"
    )
    print(markdown_table(("page", "p50 ms", "p99 ms"), rows))
    print(f"last / first: {last / first:.2f} (limit {LIMIT})")
    kept = write_result(
        "bench_paging",
        {
            "rows": catalog.rows,
            "live_rows": catalog.live_rows,
            "ratio": last / first,
            "kinds": [
                {"name": kind.name, "p50": asdict(kind.medians), "p99": asdict(kind.p99s)}
                for kind in kinds
            ],
        },
        quick=quick,
    )
    print(f"kept in {kept}")
    return 0 if last <= LIMIT * first else 1


if __name__ == "__main__":
    stop_on_sigterm()
    main()
