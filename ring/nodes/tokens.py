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
