"""Which setting is best for each peer: what `benchmarks/servers.py` chooses is chosen by this.

python -m benchmarks.bench_peer_settings [--rows 100000] [--rounds 5] [--seconds 5]
"""

import argparse
from typing import Final

from benchmarks.comparison import alternate, contenders, warm_up
from benchmarks.node import Node
from benchmarks.processes import stop_on_sigterm
from benchmarks.reports import series_table
from benchmarks.results import machine_line, write_text
from benchmarks.seeding import seed_products
from benchmarks.servers import Server

CONNECTIONS: Final = (64, 256)
WARM_SECONDS: Final = 4.0

_GO: Final[dict[str, dict[str, str]]] = {
    "default": {},
    "no wait before a write": {"BENCH_COALESCE_MICROSECONDS": "0"},
    "protocol 5": {"BENCH_PROTOCOL": "5"},
    "1 connection": {"BENCH_CONNECTIONS": "1"},
    "4 connections": {"BENCH_CONNECTIONS": "4"},
    "GOGC=400": {"GOGC": "400"},
}
SETTINGS: Final = (
    *(Server(f"Go: {name}", "go_gocql", environ=environ) for name, environ in _GO.items()),
    *(
        Server(f"{kind}: {workers} worker(s)", kind, workers=workers)
        for kind in ("node_fastify", "aiohttp_driver", "fastapi_driver")
        for workers in (1, 2)
    ),
)


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_peer_settings")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    with Node("single").wipe() as node:
        seed = seed_products(node.address, rows=given.rows)
        with contenders(SETTINGS, node, seed, bare=False) as entrants:
            warm_up(entrants, node, seed, seconds=WARM_SECONDS)
            series = [
                one
                for connections in CONNECTIONS
                for one in alternate(
                    entrants, connections=connections, rounds=given.rounds, seconds=given.seconds
                )
            ]
    text = "\n\n".join(("# Settings of the peers", machine_line(), series_table(series))) + "\n"
    print(text)
    write_text("peer_settings.md", text)


if __name__ == "__main__":
    stop_on_sigterm()
    main()
