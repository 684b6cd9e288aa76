"""A TCP proxy before a real CQL port that delays, swallows or cuts what passes."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from ring.topology import RingState, build_state


class FaultProxy:
    """Listens on an address of its own and forwards to a node, as long as it is told to.

    Attributes:
        delay_seconds: what every piece of bytes waits, in each direction.
        drops: nothing is forwarded, and everything stays open: packets lost on the way. What has
            lost some is never of use again, because TCP repeats what is lost ever more rarely.
    """

    def __init__(self, node_address: str, node_port: int) -> None:
        self.node_address = node_address
        self.node_port = node_port
        self.address = ""
        self.port = 0
        self.delay_seconds = 0.0
        self.drops = False
        self._server: asyncio.Server | None = None
        self._sides: set[_Side] = set()

    async def start(self, address: str) -> None:
        """Listen on the address, on any free port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), address, self.port)
        self.address, self.port = self._server.sockets[0].getsockname()[:2]

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.sleep(0)

    def cut(self) -> None:
        """End every connection at once; new ones are taken."""
        for side in tuple(self._sides):
            side.abort()

    @property
    def connections(self) -> int:
        """Client connections that are open."""
        return sum(isinstance(side, _Client) for side in self._sides)

    def alone(self, state: RingState) -> RingState:
        """The picture of a ring of one node: the proxy's, at the proxy's address."""
        proxied = [
            dataclasses.replace(node, address=self.address, port=self.port)
            for node in state.nodes
            if (node.address, node.port) == (self.node_address, self.node_port)
        ]
        return build_state(
            proxied,
            state.replication,
            local_datacenter=proxied[0].datacenter,
            local_address="",
        )


class _Side(asyncio.Protocol):
    """One of the two connections of a forwarded one."""

    def __init__(self, proxy: FaultProxy) -> None:
        self.proxy = proxy
        self.other: _Side | None = None
        self.transport: asyncio.Transport | None = None
        self.has_lost = False
        self._waiting: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.proxy._sides.add(self)
        for data in self._waiting:
            self.transport.write(data)
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        if self.proxy.drops:
            self.has_lost = True
        if self.other is None or self.has_lost or self.other.has_lost:
            return
        if self.proxy.delay_seconds:
            loop = asyncio.get_running_loop()
            loop.call_later(self.proxy.delay_seconds, self.other.write, data)
        else:
            self.other.write(data)

    def write(self, data: bytes) -> None:
        """Forward, once connected."""
        if self.transport is not None:
            self.transport.write(data)
        else:
            self._waiting.append(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.proxy._sides.discard(self)
        # The end of a connection is a packet too, and is lost like the others.
        if self.other is not None and not self.proxy.drops:
            self.other.abort()

    def abort(self) -> None:
        """End at once."""
        if self.transport is not None:
            self.transport.abort()


class _Client(_Side):
    """The side of the client: connects to the node as soon as it is there itself."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.other = _Side(self.proxy)
        self.other.other = self
        super().connection_made(transport)
        self._connecting = asyncio.create_task(self._connect(self.other))

    async def _connect(self, other: _Side) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(
                lambda: other, self.proxy.node_address, self.proxy.node_port
            )
        except OSError:
            self.abort()


@asynccontextmanager
async def fault_proxy(
    node_address: str, node_port: int, address: str = "127.0.42.1"
) -> AsyncIterator[FaultProxy]:
    """Run a proxy for as long as the block."""
    proxy = FaultProxy(node_address, node_port)
    await proxy.start(address)
    try:
        yield proxy
    finally:
        await proxy.stop()
