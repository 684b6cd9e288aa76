"""The routes of the whole API beside `GET /products/{id}`: requests/s and CPU, in one run.

    python -m benchmarks.bench_api [--products 20000] [--many 100000] [--rounds 3] [--seconds 4]
        [--quick]

One app server process, one node, 64 connections, random ids, no cache; the routes alternate. Exit
code 1 when a figure is not reached. Pages of ten million products: `make bench-paging`.
"""

import argparse
import asyncio
import itertools
import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.api_rows import FEW, FEW_ID, MANY_ID, load_api_rows, newest_review_id
from benchmarks.bare_bulk import bare_contender
from benchmarks.body_sizes import SMALL, SizeClass, ids_by_size
from benchmarks.comparison import Contender, Measurement, Series, alternate
from benchmarks.http_load import RequestKind, run_kind, wait_for_body
from benchmarks.node import Node
from benchmarks.open_posts import Posted, post_steadily
from benchmarks.paths import NODE_STATE
from benchmarks.processes import Process, stop_on_sigterm
from benchmarks.reports import series_table
from benchmarks.results import Spread, machine_line, markdown_table, write_result, write_text
from benchmarks.seeding import KEYSPACE
from benchmarks.servers import OURS

PORT: Final = 8500
CONNECTIONS: Final = 64
PRODUCT: Final = "GET /products/{id}"
WARM_SECONDS: Final = 5.0
HALF_LOAD_SECONDS: Final = 8.0
BULK_IDS: Final = 100
BULK: Final = f"GET /v1/products?ids=, {BULK_IDS} ids"
BARE: Final = f"bare client, {BULK_IDS} ids"
FEW_REVIEWS: Final = f"GET /reviews, product with {FEW}"
MANY_REVIEWS: Final = "GET /reviews, product with very many"
ANY_PAGE: Final = f"{MANY_REVIEWS}, any page"
POST: Final = "POST /reviews"
VOTE: Final = "PUT /reviews/{id}/helpful"
# All requests come from one address.
NO_LIMITS: Final = {"CATALOG_VOTES_PER_MINUTE": "0", "CATALOG_POSTS_PER_MINUTE": "0"}
POSTED: Final = {
    "rating": 4,
    "summary": "It does what it should",
    "body": "I have used it for a month now, and it does what it should. " * 4,
    "recommend": True,
    "name": "somebody",
    "email": "somebody@example.org",
    "photos": ["https://images.test/1.jpg"],
    "characteristics": {"1": 4, "2": 5},
}


@dataclass(frozen=True, slots=True)
class Route:
    """A route; `least` is the requests/s asked of it, as a share of a product read's."""

    name: str
    kind: RequestKind
    least: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One figure that was asked for."""

    name: str
    found: float
    wanted: str
    reached: bool


def main() -> None:
    """Load, measure, print, judge."""
    given = arguments()
    with Node("api").wipe() as node:
        load_api_rows(node, products=given.products, many=given.many)
        review_id = asyncio.run(newest_review_id(node))
        server = OURS.process(
            address=node.address,
            port=PORT,
            contact=node.address,
            keyspace=KEYSPACE,
            environ=NO_LIMITS,
        )
        with server:
            wait_for_body(server, node.address, PORT, product_id=1)
            found = routes(node.address, given.products, given.many, review_id)
            sizes: dict[str, Spread] = {}
            entrants = [_contender(route, server, node, sizes) for route in found]
            entrants.append(bare_contender(BARE, node, Path(str(found[0].kind.ids)), keys=BULK_IDS))
            for entrant in entrants:
                entrant.run(CONNECTIONS, WARM_SECONDS)
            series = alternate(
                entrants, connections=CONNECTIONS, rounds=given.rounds, seconds=given.seconds
            )
            there = Path(str(found[0].kind.ids)).read_text(encoding="ascii").split()
            posts = asyncio.run(half_load(node.address, series, list(map(int, there))))
    sys.exit(report(found, series, sizes, posts, given))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_api")
    parser.add_argument("--products", type=int, default=20_000)
    parser.add_argument("--many", type=int, default=100_000, help="reviews of one product")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--quick", action="store_true", help="2,000 products, one short round")
    given = parser.parse_args()
    if given.quick:
        given.products, given.many, given.rounds, given.seconds = 2_000, 5_000, 1, 2.0
    return given


def routes(address: str, products: int, many: int, review_id: int) -> list[Route]:
    """Return what is measured, the read of one product first."""

    def sized(name: str, path: str) -> list[SizeClass]:
        folder = NODE_STATE / "api_rows" / "ids"
        return ids_by_size(address, PORT, path, ids=products, folder=folder, name=name)

    def by_size(name: str, path: str) -> list[Route]:
        """The share is asked of small bodies; of larger ones the CPU is shown."""
        return [
            Route(
                f"GET {path.partition('?')[0].replace('%d', '{id}')}, {one.name}",
                RequestKind("GET", path, one.file),
                0.6 if one.name == SMALL else None,
            )
            for one in sized(name, path)
        ]

    there = sized("products", "/products/%d")[0].file
    body = json.dumps(POSTED | {"product_id": 0}).replace('"product_id": 0', '"product_id": %d')
    bulk = "/v1/products?ids=" + ",".join(["%d"] * BULK_IDS)
    reviews = "/reviews?product_id="
    any_page = RequestKind("GET", f"{reviews}{MANY_ID}&page=%d", many // 5)
    return [
        Route(PRODUCT, RequestKind("GET", "/products/%d", there)),
        *by_size("styles", "/products/%d/styles"),
        *by_size("related", "/products/%d/related"),
        *by_size("reviews", f"{reviews}%d"),
        *by_size("meta", "/reviews/meta?product_id=%d"),
        *by_size("questions", "/qa/questions?product_id=%d"),
        Route(FEW_REVIEWS, RequestKind("GET", f"{reviews}{FEW_ID}", 1)),
        Route(MANY_REVIEWS, RequestKind("GET", f"{reviews}{MANY_ID}", 1)),
        Route(ANY_PAGE, any_page),
        Route(BULK, RequestKind("GET", bulk, there)),
        Route(POST, RequestKind("POST", "/reviews", there, body), 0.25),
        Route(VOTE, RequestKind("PUT", f"/reviews/{review_id}/helpful", 1)),
    ]


def _contender(route: Route, server: Process, node: Node, sizes: dict[str, Spread]) -> Contender:
    def run(connections: int, seconds: float) -> Measurement:
        server_before, cassandra_before = server.cpu_seconds(), node.cpu_seconds()
        seen = run_kind(node.address, PORT, route.kind, connections=connections, seconds=seconds)
        server.check_alive()
        sizes[route.name] = Spread.of([seen.bytes / seen.requests])
        return Measurement(
            seen.per_second,
            seen.p50,
            seen.p99,
            seen.p999,
            (server.cpu_seconds() - server_before) / seen.requests * 1e6,
            (node.cpu_seconds() - cassandra_before) / seen.requests * 1e6,
            seen.errors,
        )

    return Contender(route.name, run)


async def half_load(
    address: str, series: Sequence[Series], product_ids: Sequence[int]
) -> tuple[float, Posted]:
    """Post reviews of these at half the rate that was reached; returns it and what came of it."""
    rate = _median(series, POST, lambda one: one.per_second) / 2
    chance = random.Random(7)  # noqa: S311 - the same products each time
    bodies = (
        json.dumps(POSTED | {"product_id": chance.choice(product_ids)}).encode()
        for _ in itertools.count()
    )
    posted = await post_steadily(
        address, PORT, "/reviews", bodies, rate=rate, seconds=HALF_LOAD_SECONDS
    )
    return rate, posted


def _median(series: Sequence[Series], name: str, value: Callable[[Measurement], float]) -> float:
    return next(one for one in series if one.name == name).spread(value).median


def judge(
    found: Sequence[Route],
    series: Sequence[Series],
    posts: tuple[float, Posted],
) -> list[Verdict]:
    """Return every figure that was asked for."""

    def rate(name: str) -> float:
        return _median(series, name, lambda one: one.per_second)

    def cpu(name: str) -> float:
        return _median(series, name, lambda one: one.cpu)

    votes = rate(VOTE)
    p99 = posts[1].percentile_milliseconds(0.99)
    verdicts = []
    for route in found:
        if route.least is not None:
            share = rate(route.name) / rate(PRODUCT)
            name = f"{route.name}, requests/s of a product read's"
            verdicts.append(Verdict(name, share, f"≥ {route.least}", share >= route.least))
    bulk = rate(BULK) * BULK_IDS
    of_single, of_bare = bulk / rate(PRODUCT), rate(BULK) / rate(BARE)
    first, any_page = cpu(MANY_REVIEWS) / cpu(FEW_REVIEWS), cpu(ANY_PAGE) / cpu(MANY_REVIEWS)
    return [
        *verdicts,
        Verdict(f"CPU of {MANY_REVIEWS} / {FEW_REVIEWS}", first, "≤ 2", first <= 2),
        Verdict("CPU of any page / the first", any_page, "≤ 3", any_page <= 3),
        Verdict("products/s of bulk reads / of single reads", of_single, "≥ 2.5", of_single >= 2.5),
        Verdict("products/s of bulk reads / of a bare client", of_bare, "≥ 0.8", of_bare >= 0.8),
        Verdict("votes on one review a second", votes, "≥ 1,000", votes >= 1000),
        Verdict(f"p99 of posts at {posts[0]:,.0f}/s, ms", p99, "< 50", p99 < 50),
        Verdict("failed posts at half load", posts[1].failed, "0", not posts[1].failed),
    ]


def report(
    found: Sequence[Route],
    series: Sequence[Series],
    sizes: dict[str, Spread],
    posts: tuple[float, Posted],
    given: argparse.Namespace,
) -> int:
    """Print the tables and keep them; returns the exit code."""
    verdicts = judge(found, series, posts)
    about = (
        f"{machine_line()}. {given.products:,} products with all that belongs to them, random ids, "
        f"very many reviews: {given.many:,}; one app server process, one node; {given.rounds} "
        f"alternations of {given.seconds:.0f} s."
    )
    judged = markdown_table(
        ("figure", "found", "wanted", "reached"),
        [
            [one.name, f"{one.found:,.2f}", one.wanted, "yes" if one.reached else "no"]
            for one in verdicts
        ],
    )
    sized = markdown_table(
        ("route", "bytes of an answer, head included"),
        [[name, f"{size.median:,.0f}"] for name, size in sizes.items()],
    )
    text = "\n\n".join(["# The routes of the API", about, series_table(series), judged, sized])
    print(text)
    kept = write_result(
        "bench_api",
        {"series": [one.as_json() for one in series], "verdicts": verdicts},
        quick=given.quick,
    )
    write_text("bench_api.md", text + "\n", quick=given.quick)
    print(f"\nkept in {kept}")
    return 0 if all(one.reached for one in verdicts) else 1


if __name__ == "__main__":
    stop_on_sigterm()
    main()
