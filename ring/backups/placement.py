"""Whose files go to whom when a backup is restored. Pure."""

from collections.abc import Mapping, Sequence

from ring.backups.manifest import MappedNode
from ring.token_ring import Replication, replicas_by_token


def sources_by_target(
    backed: Sequence[MappedNode],
    backed_replication: Replication,
    targets: Sequence[MappedNode],
    replication: Replication,
) -> dict[str, tuple[str, ...]] | None:
    """Return which nodes' files each node of the ring can take as they are.

    A node takes files as they are when all rows in them are its own to keep: those of the one node
    in whose place it stands, or everybody's when every node has a replica of every row.

    Args:
        backed: the ring that was backed up.
        backed_replication: of the keyspace in it.
        targets: the ring that is restored into.
        replication: of the keyspace there.

    Returns:
        Host id of the ring → host ids of the backup; None when rows must be sorted
            out by streaming.
    """
    own = _same_place(backed, backed_replication, targets, replication)
    if own is not None:
        return {target: (source,) for source, target in own.items()}
    everyone = {node.host_id for node in targets}
    if all(replicas == everyone for replicas in _replicas(targets, replication).values()):
        return {target: tuple(node.host_id for node in backed) for target in everyone}
    return None


def _same_place(
    backed: Sequence[MappedNode],
    backed_replication: Replication,
    targets: Sequence[MappedNode],
    replication: Replication,
) -> Mapping[str, str] | None:
    """Return who stands in whose place; None unless everybody keeps the same ranges as before."""
    by_tokens = {frozenset(node.tokens): node.host_id for node in targets}
    if len(backed) != len(targets) or by_tokens.keys() != {frozenset(n.tokens) for n in backed}:
        return None
    place = {node.host_id: by_tokens[frozenset(node.tokens)] for node in backed}
    before = {
        token: {place[host_id] for host_id in replicas}
        for token, replicas in _replicas(backed, backed_replication).items()
    }
    return place if before == _replicas(targets, replication) else None


def _replicas(nodes: Sequence[MappedNode], replication: Replication) -> dict[int, set[str]]:
    """Return who has a replica of the range that ends at each token."""
    ring = sorted((token, node.host_id) for node in nodes for token in node.tokens)
    places = {node.host_id: node.where for node in nodes}
    found = replicas_by_token(ring, places, replication)
    return {token: set(replicas) for (token, _), replicas in zip(ring, found, strict=True)}
