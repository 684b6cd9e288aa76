"""Repair of a node's primary ranges: for `repair`, and for a change of replication."""

import asyncio
import datetime as dt
import re
import time
from typing import Final

from ring.operations.context import Context
from ring.operations.errors import OperationError
from ring.operations.progress import Progress, describe_tasks, nodetool_watched
from ring.operations.repairs import Repaired, write_repair
from ring.operations.view import RingView

MANY_COMPACTIONS: Final = 20
"""A node with more of them pending is not repaired: validations would come on top."""
_TIMEOUT_SECONDS: Final = 48 * 3600.0
_POLL_SECONDS: Final = 10.0
# A JVM that starts on a busy machine.
_STATS_SECONDS: Final = 300.0
_REPAIRS: Final = "SELECT keyspace_name, completed FROM system_views.repairs"
_PENDING: Final = re.compile(
    r"^\s*pending (?:compaction )?tasks\D*(\d+)", re.MULTILINE | re.IGNORECASE
)


async def repair_node(
    context: Context, address: str, keyspace: str, *, all_ranges: bool = False
) -> None:
    """Repair one node's primary ranges of one keyspace: in full, whatever was repaired before.

    Returns when all replicas of these ranges hold the same rows, and that is noted in the ring.
    Repaired node by node, every range is repaired once. A repair that an earlier run began there
    goes on by itself; it is waited for.

    Args:
        context: of an operation.
        address: of the node.
        keyspace: which.
        all_ranges: all that it has replicas of, not only its primary ranges: of a new node.

    Raises:
        HostError: the repair failed, or a replica is down.
        OperationError: the node has left the ring, or does not answer.
        RingError: it could not be noted.
    """
    await _wait_for_repairs(context, address)
    node = (await context.reader.read()).node(address)
    if node is None:
        raise OperationError(f"{address} has left the ring", advice="See: catalog-ring status")
    began, clock = dt.datetime.now(dt.UTC), time.monotonic()
    await nodetool_watched(
        context,
        context.host_at(address),
        "repair",
        "-full",
        *(() if all_ranges else ("-pr",)),
        keyspace,
        timeout_seconds=_TIMEOUT_SECONDS,
        describe_view=lambda view: _describe(view, address),
    )
    repaired = Repaired(node.host_id, keyspace, address, began, time.monotonic() - clock)
    await write_repair(context.ring, repaired)


async def _wait_for_repairs(context: Context, address: str) -> None:
    """Wait until a node has ended the repairs that it was asked for."""
    progress = Progress(context.say)
    while True:
        rows = await context.reader.run_cql(_REPAIRS, address=address)
        running = sorted({str(row["keyspace_name"]) for row in rows if not row["completed"]})
        if not running:
            return
        progress.note(f"{address} is at an earlier repair of {', '.join(running)}: waiting")
        await asyncio.sleep(_POLL_SECONDS)


async def pending_compactions(context: Context, address: str) -> int:
    """Return how many compactions a node has still to do, by nodetool: a second of CPU there.

    Raises:
        HostError: nodetool failed.
    """
    output = await context.host_at(address).nodetool(
        "compactionstats", timeout_seconds=_STATS_SECONDS
    )
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
