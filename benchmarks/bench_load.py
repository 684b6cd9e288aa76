"""Finished rows into Cassandra: both our writers, cqlsh COPY, DSBulk and the plain driver.

    python -m benchmarks.bench_load [--rows N] [--rounds N] [--after-seconds 300] [--quick]

Each loader gets the same rows and a new node with the shipped options, in turn, on the cores that
both share. Then what a read costs right after a load by SSTables, beside a compacted table.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import Final

from benchmarks.aftermath import watch_aftermath
from benchmarks.cql_load import loadgen
from benchmarks.finished_rows import TABLE, FinishedFiles, make_finished_files
from benchmarks.load_report import Loaded, report
from benchmarks.loader_runs import LoaderRun, Program, run_loader
from benchmarks.loaders import LOADERS, SSTABLE, WORK, Loader, environment
from benchmarks.node import Node, installation
from benchmarks.own_network import enter_own_network
from benchmarks.paths import NODE_STATE, REPOSITORY
from benchmarks.processes import stop_on_sigterm
from benchmarks.read_cost import measure_read_costs
from benchmarks.seeding import KEYSPACE
from benchmarks.stored_rows import check_stored
from ring import RingSettings
from ring.apply_schema import apply_schema

MODULE: Final = "benchmarks.bench_load"
ROWS: Final = 2_000_000
QUICK_ROWS: Final = 50_000
TRIAL_ROWS: Final = 1_000
AFTER_SECONDS: Final = 300.0
QUICK_AFTER_SECONDS: Final = 5.0
READ_ROUNDS: Final = 4
READ_SECONDS: Final = 8.0
LEAST_ROWS_PER_SECOND: Final = 1_000
START_SECONDS: Final = 120.0


def main() -> None:
    """Install, load, measure, print."""
    given = arguments()
    # What has to be fetched is not to be had from within.
    for loader in given.loaders:
        loader.install()
    installation()
    loadgen()
    enter_own_network(MODULE)
    WORK.mkdir(parents=True, exist_ok=True)
    files = make_finished_files(NODE_STATE / "finished" / str(given.rows), given.rows)
    try_loaders(given.loaders)
    loaded = load_in_turn(given.loaders, files, given.rounds, given.after_seconds)
    reads = None
    if SSTABLE in given.loaders:
        reads = measure_read_costs(
            partial(load_rows, SSTABLE, files),
            files.rows,
            rounds=READ_ROUNDS,
            seconds=1.0 if given.quick else READ_SECONDS,
        )
    sys.exit(report(loaded, reads, given.rows, quick=given.quick))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument(
        "--after-seconds",
        type=float,
        default=AFTER_SECONDS,
        help="how long compaction is watched at most (%(default).0f); it ends once it rests",
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="loaders by part of their names")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS:,} rows")
    given = parser.parse_args()
    if given.quick:
        given.after_seconds = min(given.after_seconds, QUICK_AFTER_SECONDS)
    given.rows = given.rows or (QUICK_ROWS if given.quick else ROWS)
    names = given.only or [""]
    given.loaders = [one for one in LOADERS if any(name in one.name for name in names)]
    return given


def try_loaders(loaders: Sequence[Loader]) -> None:
    """Load a few rows with each: what fails does so at once, and what is made once is made."""
    files = make_finished_files(NODE_STATE / "finished" / str(TRIAL_ROWS), TRIAL_ROWS)
    with Node("finished_rows").wipe() as node:
        for number, loader in enumerate(loaders):
            load_rows(loader, files, node, f"trial_{number}")
            check_stored(node, f"trial_{number}", files)


def load_in_turn(
    loaders: Sequence[Loader], files: FinishedFiles, rounds: int, after_seconds: float
) -> list[Loaded]:
    """Load with each, round after round, there and back: nobody always follows the same one."""
    loaded = []
    for number in range(rounds):
        for loader in loaders[:: 1 if number % 2 == 0 else -1]:
            loaded.append(load_and_watch(loader, files, after_seconds))
            print(loaded[-1], flush=True)
    return loaded


def load_and_watch(loader: Loader, files: FinishedFiles, after_seconds: float) -> Loaded:
    """Load into a new node and look at what comes of it."""
    with Node("finished_rows").wipe() as node:
        run = load_rows(loader, files, node, KEYSPACE)
        after = watch_aftermath(node, KEYSPACE, TABLE, limit_seconds=after_seconds)
        check_stored(node, KEYSPACE, files)
    return Loaded(loader.name, run, after)


def load_rows(loader: Loader, files: FinishedFiles, node: Node, keyspace: str) -> LoaderRun:
    """Make the tables, then load."""
    settings = RingSettings(contact_points=(node.address,), keyspace=keyspace)
    asyncio.run(apply_schema(settings, REPOSITORY / "schema", replication_factor=1))
    node.settle()
    # What the one before has left to be written is not this one's to wait for.
    os.sync()
    program = Program(
        loader.command(node, keyspace, files),
        environment(node, keyspace),
        WORK,
        WORK / f"{loader.name}.log",
        START_SECONDS + files.rows / LEAST_ROWS_PER_SECOND,
    )
    return run_loader(program, node, keyspace=keyspace, last_id=files.rows)


if __name__ == "__main__":
    stop_on_sigterm()
    main()
