"""Measures servers in turn, round after round, on the same rows in the same Cassandra."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Final

from benchmarks.cql_load import LoadError, read_rows
from benchmarks.http_load import run_wrk, wait_for_body
from benchmarks.node import Node
from benchmarks.processes import Process
from benchmarks.results import Spread
from benchmarks.seeding import KEYSPACE, Seed
from benchmarks.servers import Server

FIRST_PORT: Final = 8300
PROBE_ID: Final = 7
WARM_CONNECTIONS: Final = 64
BARE_NAME: Final = "bare CQL (no HTTP)"
BARE_SELECT: Final = "SELECT product FROM products_by_id WHERE product_id = ?"


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run: requests/s, milliseconds, CPU µs a request, errors."""

    per_second: float
    p50: float
    p99: float
    p999: float
    server_cpu: float
    cassandra_cpu: float
    errors: int

    @property
    def cpu(self) -> float:
        """CPU µs a request of server and Cassandra together."""
        return self.server_cpu + self.cassandra_cpu


@dataclass(frozen=True, slots=True)
class Contender:
    """What takes part: its name, and how one run of it at so many connections is made."""

    name: str
    run: Callable[[int, float], Measurement]


@dataclass(frozen=True, slots=True)
class Series:
    """All rounds of one contender at one number of connections."""

    name: str
    connections: int
    rounds: list[Measurement]

    def spread(self, value: Callable[[Measurement], float]) -> Spread:
        """Summarise one figure over the rounds."""
        return Spread.of([value(one) for one in self.rounds])

    def as_json(self) -> dict[str, object]:
        """Return the series for a result file."""
        return asdict(self)


@contextmanager
def contenders(
    servers: Sequence[Server], node: Node, seed: Seed, *, bare: bool
) -> Iterator[list[Contender]]:
    """Start all servers, check that each answers rightly, and stop them at the end."""
    with ExitStack() as stack:
        found = []
        for index, server in enumerate(servers):
            server.install()
            port = FIRST_PORT + index
            process = stack.enter_context(
                server.process(
                    address=node.address, port=port, contact=node.address, keyspace=KEYSPACE
                )
            )
            body = wait_for_body(process, node.address, port, product_id=PROBE_ID)
            if server.reads_cassandra and body != seed.body(PROBE_ID):
                raise LoadError(f"{server.name} answers {body[:80]!r}…, which is not the row")
            found.append(_http_contender(server.name, process, node, port, seed))
        if bare:
            found.append(_bare_contender(node, seed))
        yield found


def _http_contender(name: str, process: Process, node: Node, port: int, seed: Seed) -> Contender:
    def run(connections: int, seconds: float) -> Measurement:
        server_before, cassandra_before = process.cpu_seconds(), node.cpu_seconds()
        seen = run_wrk(node.address, port, connections=connections, seconds=seconds, ids=seed.rows)
        process.check_alive()
        return Measurement(
            seen.per_second,
            seen.p50,
            seen.p99,
            seen.p999,
            (process.cpu_seconds() - server_before) / seen.requests * 1e6,
            (node.cpu_seconds() - cassandra_before) / seen.requests * 1e6,
            seen.errors,
        )

    return Contender(name, run)


def _bare_contender(node: Node, seed: Seed) -> Contender:
    def run(connections: int, seconds: float) -> Measurement:
        before = node.cpu_seconds()
        seen = read_rows(
            node.contact,
            KEYSPACE,
            BARE_SELECT,
            ids=seed.rows,
            in_flight=connections,
            seconds=seconds,
        )
        latency = seen.milliseconds
        cassandra_cpu = (node.cpu_seconds() - before) / seen.requests * 1e6
        return Measurement(
            seen.per_second,
            latency["p50"],
            latency["p99"],
            latency["p99.9"],
            0.0,
            cassandra_cpu,
            seen.errors,
        )

    return Contender(BARE_NAME, run)


def warm_up(entrants: Sequence[Contender], node: Node, seed: Seed, *, seconds: float) -> None:
    """Let the JVM, and each server's own, compile what a read needs; nothing is counted.

    The JVM first, by bare reads for three times as long: they go through it the quickest.
    """
    _bare_contender(node, seed).run(WARM_CONNECTIONS, 3 * seconds)
    for contender in entrants:
        contender.run(WARM_CONNECTIONS, seconds)


def alternate(
    entrants: Sequence[Contender], *, connections: int, rounds: int, seconds: float
) -> list[Series]:
    """Measure A, B, C, …, A, B, C, …: what drifts on the machine hits all alike."""
    series = [Series(contender.name, connections, []) for contender in entrants]
    for _ in range(rounds):
        for contender, one in zip(entrants, series, strict=True):
            one.rounds.append(contender.run(connections, seconds))
    return series


def paired_ratio(ours: Series, other: Series, value: Callable[[Measurement], float]) -> Spread:
    """Return ours / other, round by round, so that neighbours in time are compared."""
    pairs = zip(ours.rounds, other.rounds, strict=True)
    return Spread.of([value(one) / value(another) for one, another in pairs])
