"""Whole loads while the shop is open: what readers see before, during and after.

    python -m benchmarks.bench_load_live [--nodes 1|3] [--rate 2000] [--products 200000]
        [--via sstable,driver] [--seconds 20] [--quick]

Half of the products are stored already; a load changes all of these and brings the others. Random
stored products are read meanwhile, open loop: latency counts from the moment that a request was
due. Each writer gets a new ring, with an app server beside each node, in a network of its own
(`unshare --net`). Exit code 1 when a request failed or a body was wrong.
"""

import argparse
import asyncio
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.fault_ring import FaultRing, app_servers, make_nodes, running_nodes, warm
from benchmarks.live_bodies import BodyReader, bodies_of, wrong_reads
from benchmarks.live_report import Live, Phase, StageCost, report
from benchmarks.load_files import make_product_files
from benchmarks.node import Node
from benchmarks.open_load import (
    OpenLoad,
    Request,
    between,
    failures,
    p99_by_second,
    p99_milliseconds,
    percentile_milliseconds,
)
from benchmarks.own_network import enter_own_network
from benchmarks.paths import NODE_STATE, REPOSITORY
from benchmarks.processes import stop_on_sigterm
from benchmarks.seeding import KEYSPACE
from benchmarks.whole_load import run_load
from ring import RingSettings
from ring.apply_schema import apply_schema

MODULE: Final = "benchmarks.bench_load_live"
QUICK_PRODUCTS: Final = 6_000
QUICK_SECONDS: Final = 4.0
SKIPPED_SECONDS: Final = 2.0
LONGEST_LOAD_SECONDS: Final = 1800.0
SAMPLED: Final = 200
SHORTEST_STAGE_SECONDS: Final = 0.5
ONE_NODE_JMX_PORT: Final = 7350


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for; `seconds` before and after each load."""

    nodes: int
    rate: float
    products: int
    seconds: float

    @property
    def stored(self) -> int:
        """Products that are stored before the load, and read all the time: ids from 1."""
        return self.products // 2


@dataclass(frozen=True, slots=True)
class Moment:
    """CPU seconds used so far by whom, at a time in Unix seconds."""

    at: float
    cpu: dict[str, float]


def main() -> None:
    """Load by each writer; print and keep the figures."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}")
    parser.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    parser.add_argument("--rate", type=float, default=2000.0, help="requests/s")
    parser.add_argument("--products", type=int, default=200_000, help="half of them stored before")
    parser.add_argument("--via", default="sstable,driver", help="writers, separated by commas")
    parser.add_argument("--seconds", type=float, default=20.0, help="before and after a load")
    parser.add_argument("--quick", action="store_true", help="a few seconds; replaces no figures")
    given = parser.parse_args()
    enter_own_network(MODULE)
    products = QUICK_PRODUCTS if given.quick else given.products
    seconds = QUICK_SECONDS if given.quick else given.seconds
    plan = Plan(given.nodes, given.rate, products, seconds)
    lives = [load_live(plan, via) for via in given.via.split(",")]
    sys.exit(report(lives, nodes=plan.nodes, rate=plan.rate, quick=given.quick))


def load_live(plan: Plan, via: str) -> Live:
    """Start a ring, store what is to be read, and load by one writer while it is read."""
    stored = files("stored", plan.stored, edition=0)
    changed = files("changed", plan.products, edition=1)
    source = random.Random(via)  # noqa: S311 -- the same products every time, no secret
    sample = source.sample(range(1, plan.stored + 1), SAMPLED)
    old, new = bodies_of(stored, sample), bodies_of(changed, sample)
    with live_ring(plan, stored, old) as ring:
        warm(ring)
        reader = BodyReader(ring.targets, old, new)
        with (
            OpenLoad(
                ring.targets,
                rate=plan.rate,
                seconds=2 * plan.seconds + LONGEST_LOAD_SECONDS,
                ids=plan.stored,
                records=NODE_STATE / "live_records.bin",
            ) as load,
            reader.reading(),
        ):
            time.sleep(SKIPPED_SECONDS)
            moments = [moment(ring, load)]
            time.sleep(plan.seconds)
            moments.append(moment(ring, load))
            told = run_load(changed, [node.address for node in ring.nodes], via=via)
            moments.append(moment(ring, load))
            time.sleep(plan.seconds)
            moments.append(moment(ring, load))
            requests = load.stop()
    live = judge(via, requests, moments, told, reader)
    print(live, flush=True)
    return live


def files(kind: str, products: int, *, edition: int) -> Path:
    """Return a folder of files, made when they were not there."""
    directory = NODE_STATE / "load_files" / f"live_{kind}_{products}"
    return make_product_files(directory, products, edition=edition)


@contextmanager
def live_ring(plan: Plan, stored: Path, bodies: dict[int, bytes]) -> Iterator[FaultRing]:
    """Yield a new ring with stored products, served."""
    if plan.nodes == 1:
        nodes: Sequence[Node] = [Node("live_ring/node1", jmx_port=ONE_NODE_JMX_PORT)]
    else:
        nodes = make_nodes()
    with running_nodes(nodes):
        settings = RingSettings(contact_points=(nodes[0].address,), keyspace=KEYSPACE)
        schema = REPOSITORY / "schema"
        asyncio.run(apply_schema(settings, schema, replication_factor=plan.nodes))
        run_load(stored, [node.address for node in nodes], via="sstable")
        some = dict(list(bodies.items())[:3])
        with app_servers(nodes, some) as servers:
            yield FaultRing(nodes, servers, plan.stored)


def moment(ring: FaultRing, load: OpenLoad) -> Moment:
    """Look at the clock and at who has used how much CPU; the loader is known by its report."""
    cpu = {
        "Cassandra": sum(node.cpu_seconds() for node in ring.nodes),
        "app servers": sum(server.cpu_seconds() for server in ring.servers),
        "load generator": load.cpu_seconds(),
    }
    return Moment(time.time(), cpu)


def judge(
    via: str,
    requests: Sequence[Request],
    moments: Sequence[Moment],
    told: dict[str, Any],
    reader: BodyReader,
) -> Live:
    """Work out the figures of one run."""
    begun, ended = moments[1].at, moments[2].at
    phases = [
        phase(name, requests, first, last)
        for name, first, last in zip(
            ("before", "during", "after"), moments, moments[1:], strict=False
        )
    ]
    loader = sum(told["cpu_seconds"].values())
    phases[1].cpu_shares["loader"] = loader / phases[1].seconds / (os.cpu_count() or 1)
    everything = between(requests, moments[0].at, moments[-1].at)
    return Live(
        via=via,
        phases=phases,
        load_seconds=told["seconds"],
        rows=told["rows_written"],
        loader_cpu_seconds=loader,
        settings=told["settings"],
        stages=stage_costs(requests, told),
        bodies_read=len(reader.reads),
        bodies_wrong=[asdict(read) for read in wrong_reads(reader.reads, begun, ended)],
        failed_outside=sum(failures(requests).values()) - sum(failures(everything).values()),
        series=p99_by_second(everything, begun),
    )


def phase(name: str, requests: Sequence[Request], first: Moment, last: Moment) -> Phase:
    """Return what readers saw between two moments, and what it cost."""
    some = between(requests, first.at, last.at)
    seconds = last.at - first.at
    cores = os.cpu_count() or 1
    return Phase(
        name=name,
        seconds=seconds,
        requests=len(some),
        failed=dict(failures(some)),
        p50=percentile_milliseconds(some, 0.5),
        p99=p99_milliseconds(some),
        p999=percentile_milliseconds(some, 0.999),
        cpu_shares={
            who: (last.cpu[who] - used) / seconds / cores for who, used in first.cpu.items()
        },
    )


def stage_costs(requests: Sequence[Request], told: dict[str, Any]) -> list[StageCost]:
    """Return what readers saw during each stage of the load that lasted."""
    started = datetime.fromisoformat(told["started_at"]).timestamp()
    costs = []
    for stage in told["stages"]:
        begun = started + stage["started_seconds"]
        some = between(requests, begun, begun + stage["seconds"])
        if stage["seconds"] >= SHORTEST_STAGE_SECONDS:
            p99 = p99_milliseconds(some)
            costs.append(StageCost(stage["name"], stage["seconds"], stage["rows"], p99))
    return costs


if __name__ == "__main__":
    stop_on_sigterm()
    main()
