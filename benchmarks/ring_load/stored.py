"""What the ring holds of what was written: as a quorum answers, and as each replica alone does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from benchmarks.ring_load.rows import TABLE
from ring import Consistency, RingSettings
from ring.connection_options import connection_options
from ring.control import fetch_state
from ring.topology import RingNode, RingState
from ring.transport import (
    ConnectError,
    CqlConnection,
    Endpoint,
    Prepared,
    TransportError,
    connect,
    pages,
    prepare,
    query,
)

QUORUM: Final = "QUORUM"
CONNECT_SECONDS: Final = 10.0
PAGE_SECONDS: Final = 30.0
PAGE_ROWS: Final = 500
HINT_POLL_SECONDS: Final = 1.0
_TRIES: Final = 5
_TRY_AGAIN_SECONDS: Final = 2.0
_SELECT_ROWS: Final = (
    f"SELECT key, version, payload FROM {TABLE} WHERE token(key) > ? AND token(key) <= ?"  # noqa: S608
)
_SELECT_PRODUCTS: Final = (
    "SELECT product_id, product FROM products_by_id"
    " WHERE token(product_id) > ? AND token(product_id) <= ?"
)
_LEAST_TOKEN: Final = -(2**63)
_GREATEST_TOKEN: Final = 2**63 - 1

TokenRange = tuple[int, int]


@dataclass(slots=True)
class Stored:
    """What was read.

    Attributes:
        where: "QUORUM", or the address of the replica.
        ranges: those that were read; a token belongs to the one with start < token <= end.
        rows: version and payload by key.
        products: body by id; empty for one that was deleted.
    """

    where: str
    ranges: Sequence[TokenRange]
    rows: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    products: dict[int, bytes] = field(default_factory=dict)


async def read_quorum(settings: RingSettings) -> Stored:
    """Read everything. Consistency: QUORUM; nothing that is read this way is repaired by it.

    Raises:
        TransportError: no node answers, or no quorum does.
    """
    whole = Stored(QUORUM, [(_LEAST_TOKEN, _GREATEST_TOKEN)])
    async with connected(settings) as connection:
        await _read_into(whole, connection, Consistency.QUORUM)
    return whole


async def read_replicas(settings: RingSettings) -> list[Stored]:
    """Read, from each node alone, every range of which it is a replica.

    Consistency: ONE through the node itself. Our nodes run without the dynamic snitch, so a replica
    that is asked at ONE asks nobody else.

    Raises:
        TransportError: a node does not answer.
    """
    state = await fetch_ring(settings)
    replicas = [Stored(node.address, ranges_of(state, node)) for node in state.nodes]
    # One after the other: the nodes share this machine with the load of others.
    for stored in replicas:
        async with connected(settings, stored.where) as connection:
            await _read_into(stored, connection, Consistency.ONE)
    return replicas


def ranges_of(state: RingState, node: RingNode) -> list[TokenRange]:
    """Return the ranges that a node is a replica of; the one around the end is two."""
    found = []
    for index, (end, route) in enumerate(zip(state.tokens, state.routes, strict=True)):
        if node not in route.replicas:
            continue
        if index == 0:
            found += [(_LEAST_TOKEN, end), (state.tokens[-1], _GREATEST_TOKEN)]
        else:
            found.append((state.tokens[index - 1], end))
    return found


async def wait_for_hints(settings: RingSettings, *, timeout_seconds: float) -> bool:
    """Wait until no node keeps hints for another; False when some still does at the end.

    Raises:
        TransportError: a node does not answer.
    """
    nodes = (await fetch_ring(settings)).nodes
    ends_at = asyncio.get_running_loop().time() + timeout_seconds
    while any([await _keeps_hints(settings, node) for node in nodes]):
        if asyncio.get_running_loop().time() > ends_at:
            return False
        await asyncio.sleep(HINT_POLL_SECONDS)
    return True


async def _keeps_hints(settings: RingSettings, node: RingNode) -> bool:
    async with connected(settings, node.address) as connection:
        return bool(await query(connection, "SELECT host_id FROM system_views.pending_hints"))


@asynccontextmanager
async def connected(settings: RingSettings, *addresses: str) -> AsyncIterator[CqlConnection]:
    """Connect to the first of some nodes that answers; it coordinates what is asked over this.

    Args:
        settings: port and credentials.
        addresses: the settings' contact points, unless given.

    Raises:
        ConnectError: none answers.
    """
    connection = await _connect_any(settings, addresses or settings.contact_points)
    try:
        yield connection
    finally:
        await connection.aclose()


async def _connect_any(settings: RingSettings, addresses: Sequence[str]) -> CqlConnection:
    for address in addresses:
        endpoint = Endpoint(address, settings.cql_port)
        try:
            return await connect(endpoint, connection_options(settings), CONNECT_SECONDS)
        except ConnectError as error:
            last = error
    raise last


async def fetch_ring(settings: RingSettings) -> RingState:
    """Return the ring as the first contact point that answers has it; raises TransportError."""
    async with connected(settings) as connection:
        return await fetch_state(connection, settings)


async def _read_into(stored: Stored, connection: CqlConnection, consistency: Consistency) -> None:
    rows = await prepare(connection, _SELECT_ROWS)
    products = await prepare(connection, _SELECT_PRODUCTS)
    for token_range in stored.ranges:
        for key, version, payload in await _read_range(connection, rows, token_range, consistency):
            stored.rows[key] = version, bytes(payload)
        for product_id, body in await _read_range(connection, products, token_range, consistency):
            stored.products[product_id] = bytes(body or b"")


async def _read_range(
    connection: CqlConnection, prepared: Prepared, token_range: TokenRange, consistency: Consistency
) -> list[tuple[int, ...]]:
    """Return all rows of a range; a busy machine may need a second attempt."""
    for attempt in range(_TRIES):
        try:
            return [
                row
                async for page in pages(
                    connection,
                    prepared,
                    token_range,
                    consistency=consistency,
                    page_rows=PAGE_ROWS,
                    timeout_seconds=PAGE_SECONDS,
                )
                for row in page
            ]
        except TransportError:
            if attempt == _TRIES - 1:
                raise
            await asyncio.sleep(_TRY_AGAIN_SECONDS)
    raise AssertionError
