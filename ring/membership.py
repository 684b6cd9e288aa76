"""Who is in the ring, as live nodes: one for each that the picture of the ring shows."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from ring.call import LiveRoute
from ring.node import Node, NodeFactory
from ring.token_ring import range_of_token, token_of_key
from ring.topology import RingNode, RingState
from ring.transport import Endpoint

_LOG: Final = logging.getLogger("ring.membership")
_RETIRE_PAUSE_SECONDS: Final = 0.05


class Routing(NamedTuple):
    """Token → live nodes, made anew with every picture of the ring."""

    tokens: tuple[int, ...]
    routes: tuple[LiveRoute, ...]
    any_route: LiveRoute

    def route(self, partition_key: bytes | None) -> LiveRoute:
        """The nodes for a serialised partition key; without one, all of them."""
        if partition_key is None or not self.tokens:
            return self.any_route
        return self.routes[range_of_token(self.tokens, token_of_key(partition_key))]


class Membership:
    """The live nodes of one client and the way from a token to them.

    Attributes:
        state: the immutable picture of the ring; None until a node has told it.
        nodes: by endpoint; the contact points until the ring is known.
        routing: replaced whole with `state`.
        leaving: nodes that left the ring with calls outstanding.
    """

    def __init__(
        self, make_node: NodeFactory, *, linger_seconds: float, on_change: Callable[[], None]
    ) -> None:
        self.state: RingState | None = None
        self.nodes: dict[Endpoint, Node] = {}
        self.routing = Routing((), (), LiveRoute((), ()))
        self.leaving: set[Node] = set()
        self._make_node = make_node
        self._linger_seconds = linger_seconds
        self._on_change = on_change
        self._tasks: dict[Endpoint, asyncio.Task[None]] = {}
        self._retiring: set[asyncio.Task[None]] = set()

    def add(self, endpoint: Endpoint) -> None:
        """Take a node up and start connecting to it."""
        node = self._make_node(endpoint)
        self.nodes[endpoint] = node
        self._tasks[endpoint] = asyncio.create_task(node.run(), name=f"ring node {endpoint}")

    def replace_state(self, state: RingState) -> None:
        """Take up a new picture of the ring: nodes added and removed without a failed call."""
        if state == self.state:
            return
        wanted = {Endpoint(node.address, node.port) for node in state.nodes}
        for endpoint in wanted - self.nodes.keys():
            self.add(endpoint)
        for endpoint in self.nodes.keys() - wanted:
            self._retire(endpoint)
        self.state = state
        self.routing = self._route_live(state)
        _LOG.info("ring: %s", ", ".join(node.address for node in state.nodes))
        self._on_change()

    def _retire(self, endpoint: Endpoint) -> None:
        """A node has left the ring: nothing new goes there, and what is outstanding may finish."""
        node = self.nodes.pop(endpoint)
        task = self._tasks.pop(endpoint)
        self.leaving.add(node)

        async def retire() -> None:
            gone_at = time.perf_counter() + self._linger_seconds
            try:
                while node.in_flight and time.perf_counter() < gone_at:  # noqa: ASYNC110
                    await asyncio.sleep(_RETIRE_PAUSE_SECONDS)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                self.leaving.discard(node)

        retiring = asyncio.create_task(retire())
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)

    def _route_live(self, state: RingState) -> Routing:
        known: dict[int, LiveRoute] = {}
        for route in (*state.routes, state.any_route):
            if id(route) not in known:
                known[id(route)] = LiveRoute(self._live(route.replicas), self._live(route.others))
        routes = tuple(known[id(route)] for route in state.routes)
        return Routing(state.tokens, routes, known[id(state.any_route)])

    def _live(self, nodes: Sequence[RingNode]) -> tuple[Node, ...]:
        return tuple(self.nodes[Endpoint(node.address, node.port)] for node in nodes)

    async def aclose(self) -> None:
        """Close every connection; what is outstanding learns it."""
        tasks = (*self._tasks.values(), *self._retiring)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
