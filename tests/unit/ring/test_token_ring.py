import pytest

from ring.token_ring import Place, Replication, replicas_by_token

RING = [(-10, "a"), (0, "b"), (10, "c"), (20, "a")]
PLACES = {"a": Place("dc1", "r1"), "b": Place("dc1", "r1"), "c": Place("dc1", "r2")}


@pytest.mark.parametrize(
    ("options", "factors"),
    [
        ({"class": "SimpleStrategy", "replication_factor": "2"}, {"": 2}),
        (
            {"class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "dc1": "3"},
            {"dc1": 3},
        ),
        ({"class": "NetworkTopologyStrategy", "dc1": "3/1", "dc2": "2"}, {"dc1": 3, "dc2": 2}),
        ({"class": "LocalStrategy"}, {}),
        ({"class": "org.apache.cassandra.locator.EverywhereStrategy"}, {}),
        ({}, {}),
    ],
)
def test_replication_when_read_from_options_then_factors_by_datacenter(
    options: dict[str, str], factors: dict[str, int]
) -> None:
    """Transient replicas count as replicas; unknown strategies place nothing."""
    assert Replication.from_options(options) == Replication(factors)


def test_replicas_when_strategy_is_unknown_then_none_for_each_range() -> None:
    """Such a keyspace's requests may go anywhere."""
    assert replicas_by_token(RING, PLACES, Replication({})) == [()] * 4


def test_replicas_when_racks_differ_then_distinct_racks_first() -> None:
    """Cassandra passes over a second node of a rack while another rack has none."""
    replicas = replicas_by_token(RING, PLACES, Replication({"dc1": 2}))
    assert replicas == [("a", "c"), ("b", "c"), ("c", "a"), ("a", "c")]


def test_replicas_when_ring_is_empty_then_nothing() -> None:
    """Before any node is known."""
    assert replicas_by_token([], {}, Replication({"dc1": 3})) == []
