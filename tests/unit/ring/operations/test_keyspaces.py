"""Keyspaces as system_schema tells them."""

from ring.operations.keyspaces import read_keyspaces
from tests.support.scripted_hosts import keyspace_row

_ROWS = (
    keyspace_row("system", "LocalStrategy"),
    keyspace_row("catalog", "NetworkTopologyStrategy", east=3, west=2),
    keyspace_row("system_distributed", "SimpleStrategy", replication_factor=3),
)


def test_keyspaces_when_read_then_each_nodes_own_are_left_out() -> None:
    """What has no replicas elsewhere concerns no operation."""
    assert [one.name for one in read_keyspaces(_ROWS)] == ["catalog", "system_distributed"]


def test_keyspace_when_placed_by_datacenter_then_each_has_its_factor() -> None:
    """A datacenter that is not named has no replicas."""
    catalog = read_keyspaces(_ROWS)[0]
    assert [catalog.factor(name) for name in ("east", "west", "north")] == [3, 2, 0]
    assert catalog.most == 3
    assert not catalog.is_own


def test_keyspace_when_placed_anywhere_then_one_factor_for_all() -> None:
    """SimpleStrategy knows no datacenters."""
    own = read_keyspaces(_ROWS)[1]
    assert (own.factor("east"), own.factor("west"), own.is_own) == (3, 3, True)


def test_keyspace_when_replicas_are_transient_then_all_count() -> None:
    """`3/1` is three replicas, one of them transient."""
    row = {"keyspace_name": "k", "replication": {"class": "x.NetworkTopologyStrategy", "e": "3/1"}}
    assert read_keyspaces([row])[0].factor("e") == 3


def test_keyspace_when_altered_then_other_datacenters_stay_as_they_are() -> None:
    """Leaving one out of ALTER KEYSPACE would take all its replicas away."""
    catalog, own = read_keyspaces(_ROWS)
    assert catalog.alter_cql("east", 2) == (
        'ALTER KEYSPACE "catalog" WITH replication = '
        "{'class': 'NetworkTopologyStrategy', 'east': '2', 'west': '2'}"
    )
    assert own.alter_cql("east", 2).endswith(
        "{'class': 'SimpleStrategy', 'replication_factor': '2'}"
    )
