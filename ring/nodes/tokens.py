"""Tokens for a ring that starts empty: evenly spaced, each node taking every N-th."""

RING_SIZE = 2**64
FIRST_TOKEN = -(2**63)


def even_tokens(nodes: int, vnodes: int) -> list[tuple[int, ...]]:
    """Return each node's `vnodes` tokens so that all own the same share of the ring.

    Nodes that start at once cannot allocate tokens against each other, and random ones leave
    shares that differ by a quarter; a node that joins later allocates its own.
    """
    count = nodes * vnodes
    return [
        tuple(FIRST_TOKEN + RING_SIZE * (vnode * nodes + node) // count for vnode in range(vnodes))
        for node in range(nodes)
    ]


def allocation_replicas(nodes: int, racks: int) -> int:
    """Return for how many copies a joining node allocates its tokens, to own an even share.

    Three, which is what the ring keeps. Below three nodes every node keeps everything, so only
    the shares themselves are to be even, for the nodes that come later. Beside nodes in two racks
    Cassandra refuses three; two are allocated within the node's own rack.

    Args:
        nodes: that its datacenter has already.
        racks: that these are in.
    """
    if nodes < 3:
        return 1
    return 2 if racks == 2 else 3
