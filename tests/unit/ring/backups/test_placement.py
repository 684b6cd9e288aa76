import pytest

from ring.backups.manifest import MappedNode
from ring.backups.placement import sources_by_target
from ring.nodes.tokens import even_tokens
from ring.token_ring import Replication

THREE = Replication({"dc1": 3})
TWO = Replication({"dc1": 2})


def _ring(
    name: str, count: int, *, racks: str = "aaaaa", datacenter: str = "dc1"
) -> list[MappedNode]:
    return [
        MappedNode(
            host_id=f"{name}{index}",
            address=f"127.0.0.{index}",
            datacenter=datacenter,
            rack=racks[index],
            version="5.0.9",
            tokens=tuple(tokens),
        )
        for index, tokens in enumerate(even_tokens(count, 4))
    ]


def test_sources_when_tokens_and_replicas_are_as_they_were_then_each_gets_its_own() -> None:
    """A ring of the same tokens: nobody gets a row that is not its own."""
    found = sources_by_target(_ring("old", 5), THREE, _ring("new", 5)[::-1], THREE)
    assert found == {f"new{index}": (f"old{index}",) for index in range(5)}


def test_sources_when_every_node_keeps_every_row_then_each_gets_everything() -> None:
    """A smaller ring, whose nodes have all rows anyway."""
    found = sources_by_target(_ring("old", 5), THREE, _ring("new", 2), TWO)
    every = tuple(f"old{index}" for index in range(5))
    assert found == {"new0": every, "new1": every}


def test_sources_when_the_ring_is_larger_then_rows_are_streamed() -> None:
    """No file of three nodes belongs to one of five as it is."""
    assert sources_by_target(_ring("old", 3), THREE, _ring("new", 5), THREE) is None


@pytest.mark.parametrize(
    ("racks", "replication"),
    [
        pytest.param("abbb", TWO, id="other racks"),
        pytest.param("aaaa", THREE, id="other replication"),
    ],
)
def test_sources_when_replicas_stand_elsewhere_then_rows_are_streamed(
    racks: str, replication: Replication
) -> None:
    """The same tokens are not enough: racks and replication decide too who keeps a row."""
    targets = _ring("new", 4, racks=racks)
    assert sources_by_target(_ring("old", 4), TWO, targets, replication) is None


def test_sources_when_only_the_datacenter_is_named_otherwise_then_each_gets_its_own() -> None:
    """A ring restored elsewhere, in a datacenter of another name."""
    targets = _ring("new", 4, datacenter="dc2")
    found = sources_by_target(_ring("old", 4), TWO, targets, Replication({"dc2": 2}))
    assert found == {f"new{index}": (f"old{index}",) for index in range(4)}


def test_sources_when_the_keyspace_has_no_replicas_then_rows_are_streamed() -> None:
    """Of a strategy that we do not know, nobody can say whose a row is."""
    ring = _ring("new", 1)
    assert sources_by_target(_ring("old", 2), Replication({}), ring, Replication({})) is None
