"""Repair of a node's primary ranges: for `repair`, and for a change of replication."""

import asyncio
import re
import time
from typing import Final

from ring.operations.context import Context
from ring.operations.errors import OperationError
from ring.operations.progress import describe_tasks, nodetool_watched
from ring.operations.view import RingView

MANY_COMPACTIONS: Final = 20
"""A node with more of them pending is not repaired: validations would come on top."""
_TIMEOUT_SECONDS: Final = 48 * 3600.0
_POLL_SECONDS: Final = 10.0
_PENDING: Final = re.compile(
    r"^\s*pending (?:compaction )?tasks\D*(\d+)", re.MULTILINE | re.IGNORECASE
)


async def repair_node(context: Context, address: str, keyspace: str) -> None:
    """Repair one node's primary ranges of one keyspace: in full, whatever was repaired before.

    Returns when all replicas of these ranges hold the same rows. Repaired node by node, every range
    is repaired once.

    Raises:
        HostError: the repair failed, or a replica is down.
    """
    await nodetool_watched(
        context,
        context.host_at(address),
        "repair",
        "-full",
        "-pr",
        keyspace,
        timeout_seconds=_TIMEOUT_SECONDS,
        describe_view=lambda view: _describe(view, address),
    )


async def pending_compactions(context: Context, address: str) -> int:
    """Return how many compactions a node has still to do, by nodetool: a second of CPU there.

    Raises:
        HostError: nodetool failed.
    """
    output = await context.host_at(address).nodetool("compactionstats")
    match = _PENDING.search(output)
    return int(match[1]) if match else 0


async def wait_for_compactions(
    context: Context, address: str, *, timeout_seconds: float = 3600.0
) -> None:
    """Wait until a node has few enough compactions pending to be repaired.

    Raises:
        OperationError: it still had too many at the deadline.
        HostError: nodetool failed.
    """
    deadline = time.monotonic() + timeout_seconds
    while (count := await pending_compactions(context, address)) > MANY_COMPACTIONS:
        if time.monotonic() > deadline:
            raise OperationError(
                f"{address} still has {count} compactions pending after "
                f"{timeout_seconds / 60:.0f} min",
                advice="See why with: nodetool compactionstats; less load, or faster compaction.",
            )
        context.say(f"{'':>18} {address} has {count} compactions pending; waiting")
        await asyncio.sleep(_POLL_SECONDS)


def _describe(view: RingView, address: str) -> str:
    streams = [one for one in view.streams if one.operation == "Repair" and one.under_way]
    line = describe_tasks(view, address, ("validation",))
    if streams:
        done = sum(one.bytes_done for one in streams)
        line += f"{'; ' if line else ''}streaming {done / 1e6:.1f} MB"
    return line and f"repairing {line}"
