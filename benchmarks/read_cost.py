"""What a read costs Cassandra right after a load by SSTables, beside a table compacted into one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.cql_load import read_rows
from benchmarks.finished_rows import TABLE
from benchmarks.node import Node
from benchmarks.results import Spread

LOADED: Final = "loaded"
COMPACTED: Final = "compacted"
IN_FLIGHT: Final = 64
_SELECT: Final = f"SELECT product FROM {TABLE} WHERE product_id = ?"  # noqa: S608 -- a name of our own


@dataclass(frozen=True, slots=True)
class ReadCosts:
    """CPU microseconds of Cassandra a read, round by round; SSTables of the table read."""

    loaded: list[float]
    compacted: list[float]
    loaded_sstables: int
    compacted_sstables: int

    @property
    def ratio(self) -> Spread:
        """Right after the load / after a major compaction, by round."""
        return Spread.of([a / b for a, b in zip(self.loaded, self.compacted, strict=True)])


def measure_read_costs(
    load: Callable[[Node, str], object], rows: int, *, rounds: int, seconds: float
) -> ReadCosts:
    """Load two tables of a new node, compact one of them, and read both in turn.

    The same node serves both, because a JVM gets quicker with each read that it has served.

    Args:
        load: loads ids 1 to `rows` into a keyspace that it makes.
        rows: how many.
        rounds: how often each table is read.
        seconds: how long each time.
    """
    with Node("finished_rows").wipe() as node:
        for keyspace in (LOADED, COMPACTED):
            load(node, keyspace)
        node.nodetool("compact", COMPACTED, TABLE)
        costs: dict[str, list[float]] = {LOADED: [], COMPACTED: []}
        for _ in range(rounds + 1):
            for keyspace, found in costs.items():
                found.append(_read_cost(node, keyspace, rows, seconds))
        # The first round warmed.
        return ReadCosts(
            costs[LOADED][1:],
            costs[COMPACTED][1:],
            node.sstables(LOADED, TABLE),
            node.sstables(COMPACTED, TABLE),
        )


def _read_cost(node: Node, keyspace: str, rows: int, seconds: float) -> float:
    before = node.cpu_seconds()
    seen = read_rows(
        node.contact, keyspace, _SELECT, ids=rows, in_flight=IN_FLIGHT, seconds=seconds
    )
    return (node.cpu_seconds() - before) / seen.requests * 1e6
