"""What is made of what several nodes tell."""

import dataclasses

import pytest

from ring.operations.view import (
    Membership,
    NodeView,
    ReplicationChange,
    RingView,
    address_order,
    build_nodes,
)
from tests.support.ring_views import (
    DATACENTER,
    KEYSPACE,
    address_of,
    gossip_of,
    node_of,
    reading_of,
    view_of,
)


def _only(nodes: tuple[NodeView, ...], number: int) -> NodeView:
    return next(node for node in nodes if node.address == address_of(number))


def test_node_when_all_tell_the_same_then_up_and_normal() -> None:
    """Two nodes that know each other."""
    gossip = [gossip_of(1), gossip_of(2)]
    nodes = build_nodes([reading_of(1, gossip), reading_of(2, gossip)], {})
    assert [(node.address, node.state) for node in nodes] == [
        ("127.0.0.1", "UN"),
        ("127.0.0.2", "UN"),
    ]
    assert nodes[1].load_bytes == 2000
    assert nodes[1].member_for == {"127.0.0.1", "127.0.0.2"}
    assert RingView(nodes=nodes).is_settled("127.0.0.2")


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("NORMAL", "DN"),
        ("shutdown", "DN"),
        ("LEAVING", "DL"),
        ("removing", "DL"),
        ("MOVING", "DM"),
        ("", "DN"),
    ],
)
def test_member_when_it_does_not_answer_then_down_whatever_gossip_says(
    status: str, state: str
) -> None:
    """Also one of which only the saved address is known."""
    gossip = [gossip_of(1), gossip_of(2, status)]
    nodes = build_nodes([reading_of(1, gossip)], {})
    assert _only(nodes, 2).state == state


@pytest.mark.parametrize("status", ["BOOT", "BOOT_REPLACE", "hibernate", "", "of tomorrow"])
def test_node_when_it_is_no_member_yet_then_joining_and_alive_while_heard(status: str) -> None:
    """It answers no CQL; its heartbeat tells."""
    readings = [reading_of(1, [gossip_of(1), gossip_of(2, status)], members=[1])]
    assert _only(build_nodes(readings, {"127.0.0.2": 3.0}), 2).state == "UJ"
    assert _only(build_nodes(readings, {"127.0.0.2": 40.0}), 2).state == "DJ"


@pytest.mark.parametrize("status", ["LEFT", "removed"])
def test_node_when_it_has_left_then_forgotten_unless_someone_counts_on_it(status: str) -> None:
    """Gossip remembers for three days who has left."""
    gossip = [gossip_of(1), gossip_of(2), gossip_of(3, status)]
    knows_not = reading_of(1, gossip, members=[1, 2])
    nodes = build_nodes([knows_not], {})
    assert [node.address for node in nodes] == ["127.0.0.1", "127.0.0.2"]
    knows_still = reading_of(2, gossip, members=[1, 2, 3])
    nodes = build_nodes([knows_not, knows_still], {})
    assert _only(nodes, 3).member_for == {"127.0.0.2"}


def test_node_when_nodes_disagree_about_it_then_it_is_not_settled() -> None:
    """One has heard that it joined, the other has not: ranges are pending."""
    first = reading_of(1, [gossip_of(1), gossip_of(2), gossip_of(3)])
    second = reading_of(2, [gossip_of(1), gossip_of(2), gossip_of(3, "BOOT")], members=[1, 2])
    third = reading_of(3, [gossip_of(1), gossip_of(2), gossip_of(3)])
    view = RingView(nodes=build_nodes([first, second, third], {}))
    assert _only(view.nodes, 3).membership is Membership.JOINING
    assert [node.address for node in view.moving] == ["127.0.0.3"]
    assert not view.is_settled("127.0.0.3")


def test_node_when_another_hears_nothing_of_it_then_that_is_told() -> None:
    """A cut between two nodes that both answer us; a few beats are gossip's own pace."""
    late = dataclasses.replace(gossip_of(2), heartbeat=80)
    deaf = dataclasses.replace(gossip_of(2), heartbeat=40)
    before = dataclasses.replace(gossip_of(2), generation=0, heartbeat=900)
    for told, unheard_by in ((late, ()), (deaf, ("127.0.0.1",)), (before, ("127.0.0.1",))):
        readings = [
            reading_of(1, [gossip_of(1), told]),
            reading_of(2, [gossip_of(1), gossip_of(2)]),
        ]
        assert _only(build_nodes(readings, {}), 2).unheard_by == unheard_by


def test_settled_when_schemas_differ_or_someone_does_not_know_it_then_not() -> None:
    """All of it must hold."""
    assert view_of(node_of(1), node_of(2)).is_settled(address_of(2))
    other_schema = node_of(2, schema_version="another")
    assert not view_of(node_of(1), other_schema).is_settled(address_of(2))
    unknown = node_of(2, member_for=frozenset({address_of(2)}))
    assert not view_of(node_of(1), unknown).is_settled(address_of(2))
    assert not view_of(node_of(1)).is_settled(address_of(2))
    assert not view_of(node_of(1), node_of(2, answers=False)).is_settled(address_of(2))


def test_schema_when_a_node_is_down_then_its_version_does_not_count() -> None:
    """It learns the schema when it comes back."""
    down = node_of(2, answers=False, schema_version="old")
    assert len(view_of(node_of(1), down).schema_versions) == 1


def test_seeds_when_asked_for_then_three_that_serve_and_never_the_new_one() -> None:
    """A node among its own seeds would not stream anything."""
    nodes = [node_of(number) for number in range(1, 6)]
    nodes[1] = node_of(2, answers=False)
    view = view_of(*nodes)
    assert view.seeds() == (address_of(1), address_of(3), address_of(4))
    assert view.seeds(without=(address_of(1),)) == (address_of(3), address_of(4), address_of(5))


def test_change_when_one_is_begun_then_found_by_its_keyspace() -> None:
    """And the factor is 0 where a keyspace has no replicas."""
    change = ReplicationChange(KEYSPACE, DATACENTER, 1, 2, frozenset())
    view = view_of(node_of(1), changes=(change,))
    assert view.change_of(KEYSPACE) == change
    assert view.change_of("other") is None
    assert (view.factor(KEYSPACE, DATACENTER), view.factor(KEYSPACE, "elsewhere")) == (1, 0)


def test_addresses_when_sorted_then_by_their_numbers() -> None:
    """Node 2 stands before node 10."""
    assert sorted(["127.0.0.10", "127.0.0.2", "10.0.0.1"], key=address_order) == [
        "10.0.0.1",
        "127.0.0.2",
        "127.0.0.10",
    ]
    assert sorted(["node10", "node2"], key=address_order) == ["node2", "node10"]
