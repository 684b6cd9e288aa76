"""Token → replicas, pure.

The partitioner is Murmur3Partitioner, whose hash the driver computes. Replica placement follows
Cassandra's documentation of SimpleStrategy and NetworkTopologyStrategy.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from cassandra.metadata import murmur3

_MINIMUM: Final = -(2**63)
_MAXIMUM: Final = 2**63 - 1

NodeT = TypeVar("NodeT")


def token_of_key(partition_key: bytes) -> int:
    """The token of a serialised partition key.

    The smallest 64-bit number stands for "before the first token" and is never a key's token.
    """
    token: int = murmur3(partition_key)
    return _MAXIMUM if token == _MINIMUM else token


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands, as far as replica placement cares."""

    datacenter: str
    rack: str


@dataclass(frozen=True, slots=True)
class Replication:
    """A keyspace's replication: `factors` by datacenter, or under "" for SimpleStrategy."""

    factors: Mapping[str, int]

    @classmethod
    def from_options(cls, options: Mapping[str, str]) -> "Replication":
        """Read the `replication` column of `system_schema.keyspaces`.

        A transient-replication factor such as `3/1` counts its full replicas and its transient
        ones alike, because both can coordinate. Unknown strategies place nothing.
        """
        name = options.get("class", "").rsplit(".", 1)[-1]
        if name == "SimpleStrategy":
            return cls({"": _factor(options.get("replication_factor", "1"))})
        if name == "NetworkTopologyStrategy":
            return cls({dc: _factor(text) for dc, text in options.items() if dc != "class"})
        return cls({})


def _factor(text: str) -> int:
    return int(text.split("/", 1)[0])


def replicas_by_token(
    ring: Sequence[tuple[int, NodeT]], places: Mapping[NodeT, Place], replication: Replication
) -> list[tuple[NodeT, ...]]:
    """The replicas of the range that ends at each token.

    Args:
        ring: (token, owner), ascending by token.
        places: of every owner.
        replication: of the keyspace.

    Returns:
        For each entry of `ring`, its replicas in the order in which the ring meets them; for
        NetworkTopologyStrategy the datacenters' replicas are interleaved as they are met.
    """
    if not replication.factors:
        return [() for _ in ring]
    if "" in replication.factors:
        return [_simple(ring, start, replication.factors[""]) for start in range(len(ring))]
    sizes = _datacenter_sizes(places, replication.factors)
    return [_by_topology(ring, start, places, sizes) for start in range(len(ring))]


def _simple(ring: Sequence[tuple[int, NodeT]], start: int, factor: int) -> tuple[NodeT, ...]:
    replicas: list[NodeT] = []
    for step in range(len(ring)):
        if len(replicas) >= factor:
            break
        node = ring[(start + step) % len(ring)][1]
        if node not in replicas:
            replicas.append(node)
    return tuple(replicas)


class _DatacenterWalk:
    """Collects one datacenter's replicas: distinct racks first, then nodes of racks passed over."""

    def __init__(self, wanted: int, rack_count: int) -> None:
        self.wanted = wanted
        # So many replicas must share a rack with another, however the ring turns.
        self.repeats_allowed = wanted - rack_count
        self.racks: set[str] = set()
        self.count = 0

    def accepts(self, rack: str) -> bool:
        """Whether a further node of this rack becomes a replica now."""
        if self.count >= self.wanted:
            return False
        if rack not in self.racks:
            self.racks.add(rack)
        elif self.repeats_allowed > 0:
            self.repeats_allowed -= 1
        else:
            return False
        self.count += 1
        return True


def _datacenter_sizes(
    places: Mapping[NodeT, Place], factors: Mapping[str, int]
) -> dict[str, tuple[int, int]]:
    """Of each datacenter with a factor: how many replicas a range has there, how many racks."""
    sizes = {}
    for datacenter, factor in factors.items():
        racks = [place.rack for place in places.values() if place.datacenter == datacenter]
        sizes[datacenter] = (min(factor, len(racks)), len(set(racks)))
    return sizes


def _by_topology(
    ring: Sequence[tuple[int, NodeT]],
    start: int,
    places: Mapping[NodeT, Place],
    sizes: Mapping[str, tuple[int, int]],
) -> tuple[NodeT, ...]:
    walks = {datacenter: _DatacenterWalk(*size) for datacenter, size in sizes.items()}
    missing = sum(walk.wanted for walk in walks.values())
    replicas: list[NodeT] = []
    seen: set[NodeT] = set()
    for step in range(len(ring)):
        if len(replicas) >= missing:
            break
        node = ring[(start + step) % len(ring)][1]
        if node in seen:
            continue
        seen.add(node)
        place = places[node]
        walk = walks.get(place.datacenter)
        if walk is not None and walk.accepts(place.rack):
            replicas.append(node)
    return tuple(replicas)


def range_of_token(tokens: Sequence[int], token: int) -> int:
    """The index of the ring entry whose range holds the token: the first not below it."""
    index = bisect_left(tokens, token)
    return 0 if index == len(tokens) else index
