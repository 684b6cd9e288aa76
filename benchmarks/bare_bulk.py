"""A bare client that asks for a hundred products at a time: what bulk reads over HTTP come up to.

    python -m benchmarks.bare_bulk ADDRESS IDS_FILE [--callers 64] [--keys 100] [--seconds 4]

Prints one JSON object: requests, seconds, and percentiles in milliseconds. It is our ring client
without HTTP, JSON documents and checks, in a process of its own.
"""

import argparse
import asyncio
import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import uvloop

from benchmarks.comparison import Contender, Measurement
from benchmarks.cql_load import LoadError
from benchmarks.node import Node
from benchmarks.paths import REPOSITORY
from benchmarks.seeding import KEYSPACE
from ring import RingClient, RingSettings
from schema.statements import API_STATEMENTS
from schema.statements.products import SELECT_PRODUCT

READY_SECONDS = 30.0
MARGIN_SECONDS = 60.0


async def ask(given: argparse.Namespace) -> dict[str, float]:
    """Ask until the time is over, every caller for other keys each time."""
    ids = [int(line) for line in given.ids_file.read_text(encoding="ascii").split()]
    settings = RingSettings(contact_points=(given.address,), keyspace=KEYSPACE)
    ring = await RingClient.open(settings, API_STATEMENTS)
    took: list[float] = []
    try:
        await ring.wait_ready(READY_SECONDS)
        ends_at = time.perf_counter() + given.seconds

        async def call() -> None:
            while (began := time.perf_counter()) < ends_at:
                keys = random.choices(ids, k=given.keys)  # noqa: S311 - no secret
                rows = await ring.fetch_many(SELECT_PRODUCT.name, dict.fromkeys(keys))
                assert len(rows) == len(set(keys))
                took.append(time.perf_counter() - began)

        began = time.perf_counter()
        await asyncio.gather(*(call() for _ in range(given.callers)))
        seconds = time.perf_counter() - began
    finally:
        await ring.aclose()
    took.sort()
    return {
        "requests": len(took),
        "seconds": seconds,
        "p50": took[len(took) // 2] * 1e3,
        "p99": took[int(len(took) * 0.99)] * 1e3,
        "p99_9": took[int(len(took) * 0.999)] * 1e3,
    }


def bare_contender(name: str, node: Node, ids_file: Path, *, keys: int) -> Contender:
    """Return it as one of those that are compared; its CPU counts as a server's."""

    def run(connections: int, seconds: float) -> Measurement:
        before, children = node.cpu_seconds(), resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "benchmarks.bare_bulk", node.address, str(ids_file)]
        command += ["--callers", str(connections), "--keys", str(keys)]
        done = subprocess.run(
            [*command, "--seconds", str(seconds)],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=seconds + MARGIN_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            raise LoadError(f"bare client: {done.stderr[-2000:]}")
        seen = json.loads(done.stdout)
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = spent.ru_utime + spent.ru_stime - children.ru_utime - children.ru_stime
        return Measurement(
            seen["requests"] / seen["seconds"],
            seen["p50"],
            seen["p99"],
            seen["p99_9"],
            cpu / seen["requests"] * 1e6,
            (node.cpu_seconds() - before) / seen["requests"] * 1e6,
            0,
        )

    return Contender(name, run)


def main() -> None:
    """Ask, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bare_bulk")
    parser.add_argument("address")
    parser.add_argument("ids_file", type=Path)
    parser.add_argument("--callers", type=int, default=64)
    parser.add_argument("--keys", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=4.0)
    print(json.dumps(uvloop.run(ask(parser.parse_args()))))


if __name__ == "__main__":
    main()
