import dataclasses

import pytest

from ring.token_ring import Replication
from ring.topology import RingNode, build_state


def _node(address: str, token: int, datacenter: str = "dc1") -> RingNode:
    return RingNode(
        address=address,
        port=9042,
        host_id=f"host of {address}",
        datacenter=datacenter,
        rack="r1",
        release_version="5.0.0",
        schema_version="1",
        tokens=(token,),
    )


NODES = (_node("10.0.0.10", 20), _node("10.0.0.9", 0), _node("10.0.0.2", 10))


def test_state_when_no_node_is_local_then_numeric_order_of_addresses() -> None:
    """10.0.0.9 comes before 10.0.0.10, in every client alike."""
    state = build_state(NODES, Replication({}), local_datacenter="dc1", local_address="")
    assert [node.address for node in state.nodes] == ["10.0.0.2", "10.0.0.9", "10.0.0.10"]


def test_state_when_a_node_is_local_then_order_starts_there() -> None:
    """The next addresses follow around the ring."""
    state = build_state(NODES, Replication({}), local_datacenter="dc1", local_address="10.0.0.9")
    assert [node.address for node in state.nodes] == ["10.0.0.9", "10.0.0.10", "10.0.0.2"]
    assert state.any_route.replicas == state.nodes


def test_state_when_addresses_are_of_both_families_then_ordered_all_the_same() -> None:
    """IPv4 before IPv6."""
    nodes = (*NODES, _node("fd00::1", 30))
    state = build_state(nodes, Replication({}), local_datacenter="dc1", local_address="")
    assert state.nodes[-1].address == "fd00::1"


def test_state_when_datacenters_differ_then_remote_nodes_are_seen_and_not_asked() -> None:
    """Their ranges count, their nodes do not."""
    nodes = (*NODES, _node("10.1.0.1", 5, "dc2"))
    state = build_state(
        nodes, Replication({"dc1": 1, "dc2": 1}), local_datacenter="dc1", local_address=""
    )
    assert [node.address for node in state.remote_nodes] == ["10.1.0.1"]
    assert state.tokens == (0, 5, 10, 20)
    assert [node.address for node in state.route(5).replicas] == ["10.0.0.2"]
    for token in (-1, 5, 7, 20, 30):
        route = state.route(token)
        assert {n.datacenter for n in route.replicas + route.others} == {"dc1"}


def test_state_when_nothing_changed_then_equal_and_never_editable() -> None:
    """Pictures are compared and replaced, not changed."""
    one, two = (
        build_state(NODES, Replication({"dc1": 2}), local_datacenter="dc1", local_address="")
        for _ in range(2)
    )
    assert one == two
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.nodes = ()  # type: ignore[misc]


def test_route_when_no_ring_is_known_then_any_node() -> None:
    """A statement without a key, or a ring without tokens."""
    state = build_state([], Replication({}), local_datacenter="dc1", local_address="")
    assert state.route(5) is state.any_route
    assert state.route(None).replicas == ()
