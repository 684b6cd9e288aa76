"""Cleanup of nodes that gave ranges away: one node at a time, never while ranges are pending."""

from collections.abc import Iterable
from typing import Final

from ring.operations.context import Context
from ring.operations.debts import remove_cleanup
from ring.operations.errors import RefusedError
from ring.operations.preflight import refuse_disagreement, refuse_pending
from ring.operations.progress import describe_tasks, nodetool_watched
from ring.operations.steps import Step, reach
from ring.operations.view import NodeView, RingView

CLEANUP: Final = "cleanup"
_TIMEOUT_SECONDS: Final = 48 * 3600.0


def cleanup_steps(context: Context, operation: str, nodes: Iterable[NodeView]) -> list[Step]:
    """Return a step for each node: remove what it does not own any more, if it owes that.

    Args:
        context: of the operation.
        operation: its name; its fault points are CLEANUP and CLEANUP.cleaned.
        nodes: in the order in which they are cleaned up.
    """
    return [_cleanup_step(context, operation, node) for node in nodes]


def _cleanup_step(context: Context, operation: str, node: NodeView) -> Step:
    async def run() -> None:
        await clean_up(context, node.address)
        reach(f"{operation}.{CLEANUP}.cleaned")
        await remove_cleanup(context.ring, node.host_id)

    return Step(
        CLEANUP,
        f"remove from {node.address} what other nodes have taken over",
        lambda view: not owes_cleanup(view, node.host_id),
        run,
        meanwhile=f"{node.address} may go on removing rows; that is safe to repeat.",
    )


async def clean_up(context: Context, address: str) -> None:
    """Run Cassandra's cleanup on one node, over all keyspaces.

    Raises:
        RefusedError: ranges are pending somewhere (CASSANDRA-16418: rows that the node is about to
            need would be removed), or nodes do not agree on who is in the ring.
        HostError: the node refused it, or it failed.
    """
    view = await context.reader.read()
    refusals = [*refuse_pending(view), *refuse_disagreement(view)]
    if refusals:
        raise RefusedError(refusals)
    context.require_lock()
    await nodetool_watched(
        context,
        context.host_at(address),
        "cleanup",
        "--jobs",
        "1",
        timeout_seconds=_TIMEOUT_SECONDS,
        describe_view=lambda seen: describe_tasks(seen, address, ("cleanup",)),
    )


def owes_cleanup(view: RingView, host_id: str) -> bool:
    """Whether a node holds rows that are not its own any more."""
    return any(debt.host_id == host_id for debt in view.cleanups)
