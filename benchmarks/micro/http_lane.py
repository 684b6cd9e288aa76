"""What HTTP costs: aiohttp with a constant body beside ours with everything on, and its lanes.

`python -m benchmarks.micro.http_lane [--seconds 3] [--rounds 3] [--connections 64]` prints medians.
"""

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.http_load import wait_for_body, wrk
from benchmarks.processes import Process

HOST: Final = "127.0.0.1"
PORT: Final = 18_099


class Case(NamedTuple):
    """One server asked for one path."""

    name: str
    module: str
    path: str = "/products/5"
    headers: tuple[str, ...] = ()
    environ: tuple[tuple[str, str], ...] = ()


OURS: Final = "benchmarks.micro.constant_api"
CASES: Final = (
    Case("aiohttp, constant body", "benchmarks.peers.aiohttp_constant"),
    Case("ours, fast lane", OURS),
    Case("ours, as a browser asks", OURS, headers=("Accept: */*", "Accept-Encoding: gzip, br")),
    Case("ours, every request logged", OURS, environ=(("CATALOG_LOG_SAMPLE", "1"),)),
    Case("ours, application (%35)", OURS, "/products/%35"),
    Case("ours, 2020 profile", OURS, headers=("X-Legacy-Profile: 2020",)),
    Case("ours, MessagePack", OURS, headers=("Accept: application/msgpack",)),
)


def main() -> None:
    """Measure the cases in turn, round after round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    given = parser.parse_args()
    seen: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(given.rounds):
        for case in CASES:
            seen[case.name].append(_measure(case, given.seconds, given.connections))
    print(f"{'':28} requests/s   CPU µs/request")
    for name, rounds in seen.items():
        rate, cpu = (statistics.median(values) for values in zip(*rounds, strict=True))
        print(f"{name:28} {rate:10,.0f} {cpu:16.1f}")


def _measure(case: Case, seconds: int, connections: int) -> tuple[float, float]:
    """Return requests/s and the server's CPU in microseconds per request."""
    with tempfile.TemporaryDirectory() as directory:
        server = Process(
            case.name,
            [sys.executable, "-m", case.module],
            log=Path(directory) / "log",
            environ={
                "BENCH_HOST": HOST,
                "BENCH_PORT": str(PORT),
                "BENCH_WORKERS": "1",
                **dict(case.environ),
            },
        )
        with server:
            wait_for_body(server, HOST, PORT, product_id=5)
            _run_wrk(case, 1, connections)
            before = server.cpu_seconds()
            requests, rate = _run_wrk(case, seconds, connections)
            return rate, (server.cpu_seconds() - before) / requests * 1e6


def _run_wrk(case: Case, seconds: int, connections: int) -> tuple[int, float]:
    headers = [part for header in case.headers for part in ("-H", header)]
    command = [wrk(), "-t1", f"-c{connections}", f"-d{seconds}s", *headers]
    done = subprocess.run(
        [*command, f"http://{HOST}:{PORT}{case.path}"],
        capture_output=True,
        text=True,
        timeout=seconds + 30,
        check=True,
    )
    assert "Non-2xx" not in done.stdout, done.stdout
    requests = re.search(r"(\d+) requests in", done.stdout)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert requests is not None
    assert rate is not None
    return int(requests[1]), float(rate[1])


if __name__ == "__main__":
    main()
