"""Requests/s and CPU of an uncached `GET /products/{id}` beside the same aiohttp's constant body.

    python -m benchmarks.bench_smoke [--rows 50000] [--rounds 3] [--seconds 5]

One node of its own with the shipped options, 64 connections, under two minutes.
"""

import argparse
from typing import Final

from benchmarks.comparison import Series, alternate, contenders, warm_up
from benchmarks.node import Node
from benchmarks.processes import stop_on_sigterm
from benchmarks.reports import series_table
from benchmarks.results import machine_line, write_result
from benchmarks.seeding import seed_products
from benchmarks.servers import CONSTANT, OURS

CONNECTIONS: Final = 64
WARM_SECONDS: Final = 8.0


def main() -> None:
    """Measure and print the table; keep it as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_smoke")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    series = measure(given.rows, given.rounds, given.seconds)
    print(machine_line())
    print(f"GET /products/{{id}}, {CONNECTIONS} connections, {given.rows} rows, uncached")
    print(series_table(series))
    floor, ours = series
    share = ours.spread(lambda one: one.per_second).median
    share /= floor.spread(lambda one: one.per_second).median
    print(f"An uncached product costs what leaves {share:.2f} of the constant body's requests/s.")
    kept = write_result(
        "bench_smoke", {"rows": given.rows, "series": [one.as_json() for one in series]}
    )
    print(f"kept in {kept}")


def measure(rows: int, rounds: int, seconds: float) -> list[Series]:
    """Return the floor's and our own series."""
    with Node("single").wipe() as node:
        seed = seed_products(node.address, rows=rows)
        with contenders([CONSTANT, OURS], node, seed, bare=False) as entrants:
            warm_up(entrants, node, seed, seconds=WARM_SECONDS)
            return alternate(entrants, connections=CONNECTIONS, rounds=rounds, seconds=seconds)


if __name__ == "__main__":
    stop_on_sigterm()
    main()
