"""Runs a Python peer in one process, or in several on one port."""

import multiprocessing
import os
from collections.abc import Callable


def run_workers(serve: Callable[[], None]) -> None:
    """Call `serve` in BENCH_WORKERS processes; each listens with SO_REUSEPORT."""
    workers = int(os.environ.get("BENCH_WORKERS", "1"))
    if workers == 1:
        serve()
        return
    # Nothing is open yet: the session with Cassandra and the loop are made in each worker.
    context = multiprocessing.get_context("fork")
    started = [context.Process(target=serve, daemon=True) for _ in range(workers)]
    for process in started:
        process.start()
    for process in started:
        process.join()
