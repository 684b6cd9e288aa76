"""Our tokens and replicas equal the driver's, for any key and any ring."""

from collections.abc import Mapping

from cassandra.connection import DefaultEndPoint
from cassandra.metadata import (
    Murmur3Token,
    NetworkTopologyStrategy,
    SimpleStrategy,
)
from cassandra.policies import SimpleConvictionPolicy
from cassandra.pool import Host
from hypothesis import given
from hypothesis import strategies as st

from ring.token_ring import Place, Replication, range_of_token, replicas_by_token, token_of_key
from ring.topology import RingNode, build_state

DATACENTERS = ("dc1", "dc2", "dc3")
RACKS = ("r1", "r2", "r3", "r4")
TOKENS = st.integers(-(2**63) + 1, 2**63 - 1)
FACTORS = st.dictionaries(st.sampled_from(DATACENTERS), st.integers(1, 6), min_size=1)


@st.composite
def rings(draw: st.DrawFn) -> tuple[list[tuple[int, str]], dict[str, Place]]:
    """(token, owner), ascending, and where each owner stands."""
    names = [f"node{number}" for number in range(draw(st.integers(1, 9)))]
    places = {
        name: Place(draw(st.sampled_from(DATACENTERS)), draw(st.sampled_from(RACKS)))
        for name in names
    }
    tokens = sorted(draw(st.sets(TOKENS, min_size=len(names), max_size=40)))
    # Every node owns a token at least: one that owns none is not in the ring yet.
    owners = names + [draw(st.sampled_from(names)) for _ in tokens[len(names) :]]
    return list(zip(tokens, draw(st.permutations(owners)), strict=True)), places


def _hosts(places: Mapping[str, Place]) -> dict[str, Host]:
    hosts = {}
    for number, (name, place) in enumerate(places.items()):
        host = Host(DefaultEndPoint(f"10.0.0.{number + 1}"), SimpleConvictionPolicy)
        host.set_location_info(place.datacenter, place.rack)
        hosts[name] = host
    return hosts


def _by_datacenter(names: set[str], places: Mapping[str, Place]) -> dict[str, set[str]]:
    return {dc: {n for n in names if places[n].datacenter == dc} for dc in DATACENTERS}


@given(key=st.binary(max_size=200))
def test_token_when_key_is_any_bytes_then_it_is_the_drivers(key: bytes) -> None:
    """The same bytes have the same token."""
    assert token_of_key(key) == Murmur3Token.from_key(key).value


@given(ring=rings(), factors=FACTORS)
def test_replicas_when_strategy_knows_topology_then_they_are_the_drivers(
    ring: tuple[list[tuple[int, str]], dict[str, Place]], factors: dict[str, int]
) -> None:
    """Each range has, in each datacenter, the replicas that the driver gives it.

    The driver (3.30.1) counts a node twice that it passes over twice on its way to the next rack,
    and is then short of a replica; Cassandra and we are not. What it does name is ours as well.
    """
    owners, places = ring
    hosts = _hosts(places)
    tokens = [Murmur3Token(token) for token, _ in owners]
    by_token = dict(zip(tokens, (hosts[name] for _, name in owners), strict=True))
    theirs = NetworkTopologyStrategy(factors).make_token_replica_map(by_token, tokens)
    ours = replicas_by_token(owners, places, Replication(factors))
    names = {host: name for name, host in hosts.items()}
    for token, replicas in zip(tokens, ours, strict=True):
        assert len(set(replicas)) == len(replicas)
        expected = _by_datacenter({names[host] for host in theirs[token]}, places)
        found = _by_datacenter(set(replicas), places)
        if len(set(theirs[token])) == len(theirs[token]):
            assert found == expected
        for datacenter, factor in factors.items():
            members = [place for place in places.values() if place.datacenter == datacenter]
            assert len(found[datacenter]) == min(factor, len(members))
            assert found[datacenter] >= expected[datacenter]


@given(ring=rings(), factor=st.integers(1, 6))
def test_replicas_when_strategy_is_simple_then_they_are_the_drivers(
    ring: tuple[list[tuple[int, str]], dict[str, Place]], factor: int
) -> None:
    """The next nodes around the ring, in the driver's order too."""
    owners, places = ring
    hosts = _hosts(places)
    tokens = [Murmur3Token(token) for token, _ in owners]
    by_token = dict(zip(tokens, (hosts[name] for _, name in owners), strict=True))
    theirs = SimpleStrategy({"replication_factor": factor}).make_token_replica_map(by_token, tokens)
    ours = replicas_by_token(owners, places, Replication({"": factor}))
    names = {host: name for name, host in hosts.items()}
    for token, replicas in zip(tokens, ours, strict=True):
        assert list(replicas) == [names[host] for host in theirs[token]]


@given(
    tokens=st.lists(TOKENS, min_size=1, max_size=30, unique=True).map(sorted),
    token=TOKENS,
)
def test_range_of_token_when_ring_is_any_then_it_ends_at_the_first_token_not_below(
    tokens: list[int], token: int
) -> None:
    """A range holds its end and not its start; what is above the last belongs to the first."""
    found = tokens[range_of_token(tokens, token)]
    not_below = [one for one in tokens if one >= token]
    assert found == (not_below[0] if not_below else tokens[0])


@given(ring=rings(), factors=FACTORS, key=st.integers(-(2**63), 2**63 - 1), local=st.integers(1, 9))
def test_route_when_key_is_any_then_it_names_each_local_node_once_local_replica_first(
    ring: tuple[list[tuple[int, str]], dict[str, Place]],
    factors: dict[str, int],
    key: int,
    local: int,
) -> None:
    """Local replica, other replicas, then the next addresses in the ring; nobody from afar."""
    owners, places = ring
    nodes = [
        RingNode(
            address=f"10.0.0.{number}",
            port=9042,
            host_id=name,
            datacenter=place.datacenter,
            rack=place.rack,
            release_version="",
            schema_version="",
            tokens=tuple(token for token, owner in owners if owner == name),
        )
        for number, (name, place) in enumerate(places.items(), start=1)
    ]
    local_address = f"10.0.0.{local}"
    state = build_state(
        nodes, Replication(factors), local_datacenter="dc1", local_address=local_address
    )
    token = token_of_key(key.to_bytes(8, "big", signed=True))
    route = state.route(token)
    here = {node.host_id for node in nodes if node.datacenter == "dc1"}
    in_route = [node.host_id for node in (*route.replicas, *route.others)]
    assert len(in_route) == len(here)
    assert set(in_route) == here
    replicas = replicas_by_token(owners, places, Replication(factors))
    expected = set(replicas[range_of_token([one for one, _ in owners], token)]) & here
    assert {node.host_id for node in route.replicas} == expected
    for part in (route.replicas, route.others):
        if any(node.address == local_address for node in part):
            assert part[0].address == local_address
