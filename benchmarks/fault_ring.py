"""A ring with an app server beside each node: three nodes for faults, one or three for loads."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from benchmarks.cql_load import LoadError
from benchmarks.http_load import HttpFigures, run_wrk, wait_for_body
from benchmarks.node import Node
from benchmarks.open_load import OpenLoad, failures, p99_milliseconds
from benchmarks.paths import NODE_STATE
from benchmarks.processes import Process
from benchmarks.seeding import KEYSPACE, seed_products
from benchmarks.servers import OURS
from ring.nodes.tokens import even_tokens

NODES: Final = 3
PORT: Final = 8300
VNODES: Final = 16
CONNECTIONS: Final = 66
HEAP: Final = "640M"
FIRST_JMX_PORT: Final = 7340
JOIN_TIMEOUT_SECONDS: Final = 240.0
WARM_ROUNDS: Final = 10
WARM_SECONDS: Final = 6.0
WARM_GAIN: Final = 1.1
LOWEST_RATE: Final = 500.0
RATE_STEP: Final = 1.25
TRY_SECONDS: Final = 5.0
MAXIMUM_P99_MILLISECONDS: Final = 50.0
CLUSTER: Final = '"faults"'


@dataclass(frozen=True, slots=True)
class FaultRing:
    """The nodes and their app servers; products 1 to `ids` are stored."""

    nodes: Sequence[Node]
    servers: Sequence[Process]
    ids: int

    @property
    def targets(self) -> list[str]:
        """Host and port of each app server."""
        return [f"{node.address}:{PORT}" for node in self.nodes]

    def revive(self) -> None:
        """Start every node that does not run, one after the other."""
        for node in self.nodes:
            if not node.running:
                node.start()


def address(index: int) -> str:
    """Return the address of node `index`, from 0."""
    return f"127.0.30.{index + 1}"


def make_nodes() -> list[Node]:
    """Return the nodes of a new ring, not started."""
    nodes = []
    for index, tokens in enumerate(even_tokens(NODES, VNODES)):
        options = {
            "cluster_name": CLUSTER,
            "auto_bootstrap": "false",
            "num_tokens": str(VNODES),
            "initial_token": f'"{",".join(map(str, tokens))}"',
        }
        nodes.append(
            Node(
                f"fault_ring/node{index + 1}",
                address=address(index),
                options=options,
                heap=HEAP,
                jmx_port=FIRST_JMX_PORT + index,
                seed=address(0),
                shares_cores=True,
            )
        )
    return nodes


def joining_node() -> Node:
    """Return a fourth node that takes its share of the ring when it starts."""
    return Node(
        "fault_ring/node4",
        address=address(NODES),
        options={"cluster_name": CLUSTER, "auto_bootstrap": "true", "num_tokens": str(VNODES)},
        heap=HEAP,
        jmx_port=FIRST_JMX_PORT + NODES,
        seed=address(0),
        shares_cores=True,
    )


@contextlib.contextmanager
def fault_ring(*, rows: int) -> Iterator[FaultRing]:
    """Start a new ring of three, seed it at RF 3, start the app servers; stop all at the end."""
    with running_nodes(make_nodes()) as nodes:
        seed = seed_products(address(0), rows=rows, replication_factor=NODES)
        with app_servers(nodes, {7: seed.body(7)}) as servers:
            yield FaultRing(nodes, servers, rows)


@contextlib.contextmanager
def running_nodes(nodes: Sequence[Node]) -> Iterator[Sequence[Node]]:
    """Start new, empty nodes one after the other; stop them at the end."""
    with contextlib.ExitStack() as stack:
        for node in nodes:
            stack.callback(node.stop)
            node.wipe().start()
        wait_until_seen(nodes)
        yield nodes


@contextlib.contextmanager
def app_servers(nodes: Sequence[Node], stored: Mapping[int, bytes]) -> Iterator[list[Process]]:
    """Start an app server beside each node; stop them at the end.

    Args:
        nodes: all of the ring.
        stored: bodies by product id, which each server must answer before it counts as started.

    Raises:
        StartError: one ended or did not answer.
        LoadError: one answers something else.
    """
    contact_points = ",".join(node.address for node in nodes)
    with contextlib.ExitStack() as stack:
        servers = []
        for node in nodes:
            process = OURS.process(
                address=node.address,
                port=PORT,
                contact=node.address,
                keyspace=KEYSPACE,
                environ={"CATALOG_CONTACT_POINTS": contact_points},
            )
            servers.append(stack.enter_context(process))
            for product_id, body in stored.items():
                if wait_for_body(process, node.address, PORT, product_id=product_id) != body:
                    raise LoadError("the app server answers something else than the row")
        yield servers


def wait_until_seen(nodes: Sequence[Node]) -> None:
    """Wait until every node sees as many nodes up and normal as there are."""
    deadline = time.monotonic() + JOIN_TIMEOUT_SECONDS
    for node in nodes:
        while up_normal(node) < len(nodes):
            if time.monotonic() > deadline:
                raise LoadError(f"{node} does not see all nodes up and normal")
            time.sleep(1.0)


def up_normal(node: Node) -> int:
    """Return how many nodes this one sees up and normal."""
    return sum(line.startswith("UN ") for line in node.nodetool("status").splitlines())


def warm(ring: FaultRing) -> None:
    """Load the ring until that makes it no faster.

    A JVM compiles what runs often: one that has just started is several times slower.

    Raises:
        LoadError: a request failed while no fault was made.
    """
    best = 0.0
    for _ in range(WARM_ROUNDS):
        rate = closed_loop_rate(ring, seconds=WARM_SECONDS)
        if rate < WARM_GAIN * best:
            return
        best = max(rate, best)


def closed_loop_rate(ring: FaultRing, *, seconds: float) -> float:
    """Return the requests/s of all app servers at once in a closed loop, 66 connections in all.

    Raises:
        LoadError: a request failed.
    """

    def load(index: int) -> HttpFigures:
        return run_wrk(
            ring.nodes[index].address,
            PORT,
            connections=CONNECTIONS // len(ring.servers),
            seconds=seconds,
            ids=ring.ids,
        )

    with ThreadPoolExecutor() as pool:
        seen = list(pool.map(load, range(len(ring.servers))))
    if errors := sum(one.errors for one in seen):
        raise LoadError(f"{errors} requests failed while no fault was made")
    return sum(one.per_second for one in seen)


def maximum_rate(ring: FaultRing) -> float:
    """Return the highest open-loop rate that all app servers answer with a bounded p99.

    A closed loop would say more: there, requests wait for each other and travel together, and a
    stall slows the load down with it. Requests that come when they come leave less.

    Raises:
        LoadError: not even the lowest rate was answered so.
    """
    good = 0.0
    rate = LOWEST_RATE
    # Twice, because one stall of the machine is not the ring's maximum.
    while _holds(ring, rate) or _holds(ring, rate):
        good = rate
        rate *= RATE_STEP
    if not good:
        raise LoadError(f"p99 is over {MAXIMUM_P99_MILLISECONDS} ms at {LOWEST_RATE} requests/s")
    return good


def _holds(ring: FaultRing, rate: float) -> bool:
    records = NODE_STATE / "maximum_records.bin"
    with OpenLoad(
        ring.targets, rate=rate, seconds=TRY_SECONDS, ids=ring.ids, records=records
    ) as load:
        requests = load.finish()
    return not failures(requests) and p99_milliseconds(requests) <= MAXIMUM_P99_MILLISECONDS
