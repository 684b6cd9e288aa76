"""The picture of the ring: immutable, replaced whole when the topology changes."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ring.token_ring import Place, Replication, range_of_token, replicas_by_token


@dataclass(frozen=True, slots=True)
class RingNode:
    """A node as the ring describes it."""

    address: str
    port: int
    host_id: str
    datacenter: str
    rack: str
    release_version: str
    schema_version: str
    tokens: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Route:
    """Where requests for one token range go: `replicas` first, then `others`, each in order."""

    replicas: tuple[RingNode, ...]
    others: tuple[RingNode, ...]


@dataclass(frozen=True, slots=True)
class RingState:
    """The ring as one client sees it.

    Attributes:
        nodes: of the local datacenter, in the order of their addresses, starting at the local node
            (or at the first address when none is local).
        remote_nodes: of other datacenters; seen, never asked.
        tokens, routes: the ranges of the whole ring, ascending, and where each one's requests go.
        any_route: for statements without a partition key.
        is_filling: some replicas may lack rows, since the replication is being changed.
    """

    nodes: tuple[RingNode, ...]
    remote_nodes: tuple[RingNode, ...]
    replication: Replication
    tokens: tuple[int, ...] = field(repr=False)
    routes: tuple[Route, ...] = field(repr=False)
    any_route: Route = field(repr=False)
    is_filling: bool = False

    def route(self, token: int | None) -> Route:
        """The route of a token; of no token, any node."""
        if token is None or not self.tokens:
            return self.any_route
        return self.routes[range_of_token(self.tokens, token)]


def build_state(
    nodes: Iterable[RingNode],
    replication: Replication,
    *,
    local_datacenter: str,
    local_address: str,
) -> RingState:
    """Draw the picture from what the system tables told."""
    everyone = tuple(nodes)
    local = rotate_to(
        sorted(
            (node for node in everyone if node.datacenter == local_datacenter),
            key=_by_address,
        ),
        local_address,
    )
    ring = sorted((token, node.host_id) for node in everyone for token in node.tokens)
    places = {node.host_id: Place(node.datacenter, node.rack) for node in everyone}
    by_host_id = {node.host_id: node for node in local}
    known: dict[tuple[str, ...], Route] = {}
    routes: list[Route] = []
    for host_ids in replicas_by_token(ring, places, replication):
        route = known.get(host_ids)
        if route is None:
            route = _route(host_ids, by_host_id, local, local_address)
            known[host_ids] = route
        routes.append(route)
    return RingState(
        nodes=local,
        remote_nodes=tuple(node for node in everyone if node.datacenter != local_datacenter),
        replication=replication,
        tokens=tuple(token for token, _ in ring),
        routes=tuple(routes),
        any_route=Route(replicas=local, others=()),
    )


def _by_address(node: RingNode) -> tuple[int, int, int]:
    address = ipaddress.ip_address(node.address)
    return address.version, int(address), node.port


def rotate_to(nodes: Sequence[RingNode], local_address: str) -> tuple[RingNode, ...]:
    """The nodes in ring order, starting at the local one."""
    for index, node in enumerate(nodes):
        if node.address == local_address:
            return (*nodes[index:], *nodes[:index])
    return tuple(nodes)


def _route(
    host_ids: tuple[str, ...],
    by_host_id: Mapping[str, RingNode],
    local: tuple[RingNode, ...],
    local_address: str,
) -> Route:
    replicas = [by_host_id[host_id] for host_id in host_ids if host_id in by_host_id]
    # Stable: the local node first, the other replicas in the order of the ring. That order
    # differs from range to range, which spreads the reads of servers that hold no replica.
    replicas.sort(key=lambda node: node.address != local_address)
    return Route(
        replicas=tuple(replicas),
        others=tuple(node for node in local if node not in replicas),
    )
