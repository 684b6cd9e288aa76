"""Keyspaces as the ring describes them: how many replicas, where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ring.operations.context import Context

_SELECT: Final = "SELECT keyspace_name, replication FROM system_schema.keyspaces"
_TOPOLOGY: Final = "NetworkTopologyStrategy"
_SIMPLE: Final = "SimpleStrategy"
_EVERYWHERE: Final = "replication_factor"
_OWN: Final = "system"


@dataclass(frozen=True, slots=True)
class Keyspace:
    """A keyspace with replicas on several nodes.

    Attributes:
        strategy: how they are placed, by its short name.
        factors: replicas by datacenter; of SimpleStrategy, by the word `replication_factor`.
    """

    name: str
    strategy: str
    factors: Mapping[str, int]

    @property
    def is_own(self) -> bool:
        """Whether it is one of Cassandra's own."""
        return self.name.startswith(_OWN)

    @property
    def most(self) -> int:
        """How many replicas it has where it has the most."""
        return max(self.factors.values(), default=0)

    def factor(self, datacenter: str) -> int:
        """How many replicas it has in a datacenter; of SimpleStrategy, in all of them together."""
        return self.factors.get(_EVERYWHERE if self.is_simple else datacenter, 0)

    @property
    def is_simple(self) -> bool:
        """Whether replicas are placed without regard to datacenters and racks."""
        return self.strategy == _SIMPLE

    def alter_cql(self, datacenter: str, factor: int) -> str:
        """Return the statement that gives it another number of replicas in a datacenter."""
        changed = {**self.factors, (_EVERYWHERE if self.is_simple else datacenter): factor}
        options = ", ".join(f"'{name}': '{count}'" for name, count in changed.items())
        return (
            f'ALTER KEYSPACE "{self.name}" WITH replication = '
            f"{{'class': '{self.strategy}', {options}}}"
        )


async def fetch_keyspaces(context: Context) -> tuple[Keyspace, ...]:
    """Return all keyspaces with replicas, Cassandra's own too. Consistency: ONE, node-local.

    Raises:
        OperationError: no node answers.
    """
    return read_keyspaces(await context.reader.run_cql(_SELECT))


def read_keyspaces(rows: Iterable[Mapping[str, Any]]) -> tuple[Keyspace, ...]:
    """Return the keyspaces in rows of system_schema.keyspaces, without those of one node."""
    found = []
    for row in rows:
        options = dict(row["replication"])
        strategy = str(options.pop("class", "")).rpartition(".")[2]
        if strategy in (_TOPOLOGY, _SIMPLE):
            # "3/1": three, one of them transient.
            factors = {name: int(str(told).split("/", 1)[0]) for name, told in options.items()}
            found.append(Keyspace(str(row["keyspace_name"]), strategy, factors))
    return tuple(sorted(found, key=lambda one: one.name))
