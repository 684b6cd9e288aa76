"""Uncached `GET /products/{id}`: ours, the peers, the floor and the ceiling, in alternating runs.

    python -m benchmarks.bench_read [--rows 200000] [--rounds 5] [--seconds 8]
        [--connections 16,64,256] [--servers catalog,go_gocql,…] [--quick]

With --servers or --quick the figures replace no kept ones.

All on the same rows in one Cassandra of its own with the shipped options. Prints a table, keeps it
with a plot and all rounds in results/. A last part measures latency at one connection.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.comparison import BARE_NAME, Series, alternate, contenders, warm_up
from benchmarks.node import Node
from benchmarks.plot import requests_plot
from benchmarks.processes import stop_on_sigterm
from benchmarks.reports import ratio_table, series_table
from benchmarks.results import machine_line, write_result, write_text
from benchmarks.seeding import seed_products
from benchmarks.servers import (
    AIOHTTP,
    AIOHTTP_TWO_WORKERS,
    CONSTANT,
    FASTAPI,
    FASTAPI_TWO_WORKERS,
    GO,
    GO_AT_ONCE,
    NODE,
    OURS,
    OURS_TWO_WORKERS,
    Server,
)

OURS_ALL: Final = (OURS, OURS_TWO_WORKERS)
PEERS: Final = (GO, GO_AT_ONCE, NODE, AIOHTTP, AIOHTTP_TWO_WORKERS, FASTAPI, FASTAPI_TWO_WORKERS)
ALL: Final = (CONSTANT, *OURS_ALL, *PEERS)
WARM_SECONDS: Final = 6.0
BARE_KIND: Final = "bare"


@dataclass(frozen=True, slots=True)
class Settings:
    """The size of a run, and who takes part."""

    rows: int
    rounds: int
    seconds: float
    connections: tuple[int, ...]
    servers: tuple[Server, ...]
    bare: bool
    quick: bool


def main() -> None:
    """Measure, print, keep."""
    settings = parse_arguments()
    with Node("single").wipe() as node:
        seed = seed_products(node.address, rows=settings.rows)
        with contenders(settings.servers, node, seed, bare=settings.bare) as entrants:
            warm_up(entrants, node, seed, seconds=WARM_SECONDS)
            series = [
                one
                for connections in settings.connections
                for one in alternate(
                    entrants,
                    connections=connections,
                    rounds=settings.rounds,
                    seconds=settings.seconds,
                )
            ]
            alone = alternate(
                entrants, connections=1, rounds=settings.rounds, seconds=settings.seconds / 2
            )
    report(settings, series, alone)


def parse_arguments() -> Settings:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_read")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--connections", default="16,64,256")
    kinds = [*dict.fromkeys(server.kind for server in ALL), BARE_KIND]
    parser.add_argument("--servers", default=",".join(kinds), help="of: " + ", ".join(kinds))
    parser.add_argument("--quick", action="store_true", help="20,000 rows, one short round")
    given = parser.parse_args()
    chosen = given.servers.split(",")
    if unknown := set(chosen) - set(kinds):
        parser.error(f"no such server: {', '.join(sorted(unknown))}")
    return Settings(
        rows=20_000 if given.quick else given.rows,
        rounds=1 if given.quick else given.rounds,
        seconds=2.0 if given.quick else given.seconds,
        connections=tuple(int(part) for part in given.connections.split(",")),
        servers=tuple(server for server in ALL if server.kind in chosen),
        bare=BARE_KIND in chosen,
        # Figures of a few servers alone must not replace those of all.
        quick=given.quick or set(chosen) != set(kinds),
    )


def report(settings: Settings, series: Sequence[Series], alone: Sequence[Series]) -> None:
    """Print the tables and keep table, plot and all rounds."""
    ours = [server.name for server in OURS_ALL]
    others = [*(server.name for server in PEERS), CONSTANT.name, BARE_NAME]
    about = (
        f"{machine_line()}. {settings.rows} rows of 650 bytes, random ids, {settings.rounds} "
        f"alternations of {settings.seconds:.0f} s; medians, with the lowest and the highest. "
        "CPU is user and system time a request."
    )
    parts = ["# Uncached GET /products/{id}", about, series_table(series)]
    parts += ["## Ours over the others, paired within each alternation"]
    parts += [ratio_table(series, ours, others), "## One connection", series_table(alone)]
    text = "\n\n".join(parts)
    print(text)
    kept = write_result(
        "bench_read",
        {
            "settings": settings,
            "series": [one.as_json() for one in (*series, *alone)],
            "processes": [portable(server.command("HOST", 0)) for server in settings.servers],
        },
        quick=settings.quick,
    )
    write_text("bench_read.md", text + "\n", quick=settings.quick)
    write_text("bench_read.svg", requests_plot(series, highlighted="catalog"), quick=settings.quick)
    print(f"\nkept in {kept}, with .md and .svg beside it")


def portable(command: Sequence[str]) -> list[str]:
    """Return a command line without the folders of this machine."""
    return [Path(part).name if part.startswith("/") else part for part in command]


if __name__ == "__main__":
    stop_on_sigterm()
    main()
