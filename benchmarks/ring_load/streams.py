"""How much nodes have streamed to each other, as they tell over CQL."""

from collections.abc import Mapping

from benchmarks.ring_load.stored import connected, fetch_ring
from ring import RingSettings
from ring.transport import TransportError, query

Received = Mapping[tuple[str, str], int]


async def received_bytes(settings: RingSettings) -> Received:
    """Return what each node has received, by its address and the stream's id.

    Nodes forget it when they stop; one that does not answer is left out.

    Raises:
        TransportError: no node answers.
    """
    received: dict[tuple[str, str], int] = {}
    for node in (await fetch_ring(settings)).nodes:
        try:
            async with connected(settings, node.address) as connection:
                rows = await query(
                    connection, "SELECT id, bytes_received FROM system_views.streaming"
                )
        except TransportError:
            continue
        received |= {(node.address, str(row["id"])): row["bytes_received"] or 0 for row in rows}
    return received


def received_since(before: Received, after: Received) -> int:
    """Return how many bytes were received in between."""
    return sum(count - before.get(stream, 0) for stream, count in after.items())
