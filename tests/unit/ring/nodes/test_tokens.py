import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring.nodes.tokens import allocation_replicas, even_tokens


@given(nodes=st.integers(1, 20), vnodes=st.integers(1, 64))
def test_tokens_when_even_then_distinct_in_range_and_equal_shares(nodes: int, vnodes: int) -> None:
    """Tokens are distinct signed 64-bit numbers, and every node owns the same share of the ring."""
    tokens = even_tokens(nodes, vnodes)
    assert [len(own) for own in tokens] == [vnodes] * nodes
    ring = sorted((token, node) for node, own in enumerate(tokens) for token in own)
    assert len({token for token, _ in ring}) == nodes * vnodes
    assert ring[0][0] >= -(2**63)
    assert ring[-1][0] < 2**63
    shares = [0] * nodes
    for index, (token, node) in enumerate(ring):
        shares[node] += (token - ring[index - 1][0]) % 2**64 or 2**64
    assert sum(shares) == 2**64
    assert max(shares) - min(shares) <= 2 * vnodes


@given(nodes=st.integers(2, 20), vnodes=st.integers(1, 64))
def test_tokens_when_even_then_neighbours_belong_to_different_nodes(
    nodes: int, vnodes: int
) -> None:
    """The next token clockwise is another node's, so replicas follow each other at once."""
    tokens = even_tokens(nodes, vnodes)
    ring = sorted((token, node) for node, own in enumerate(tokens) for token in own)
    assert all(node != ring[index - 1][1] for index, (_, node) in enumerate(ring))


@pytest.mark.parametrize(
    ("nodes", "racks", "replicas"),
    [(1, 1, 1), (2, 1, 1), (2, 2, 1), (3, 1, 3), (3, 2, 2), (3, 3, 3), (9, 4, 3)],
)
def test_allocation_when_a_node_joins_then_for_as_many_copies_as_cassandra_allows(
    nodes: int, racks: int, replicas: int
) -> None:
    """Two racks are fewer than three copies: Cassandra would refuse to start the node."""
    assert allocation_replicas(nodes, racks) == replicas
