"""Rules about a dead node and the host that is to take its place, each with its own words."""

import asyncio
import time
from collections.abc import Iterable

from ring.hosts.host import HostEntry
from ring.operations.context import Context
from ring.operations.errors import Refusal
from ring.operations.keyspaces import Keyspace
from ring.operations.progress import POLL_SECONDS, Progress
from ring.operations.view import SILENT_SECONDS, Membership, NodeView


def refuse_dead(dead: NodeView | None, name: str) -> list[Refusal]:
    """Refuse to replace a node that lives, or never was a member."""
    if dead is None:
        return [Refusal(f"{name} is no node of the ring", "See: catalog-ring status")]
    if dead.answers:
        return [
            Refusal(
                f"{name} is up ({dead.state}): it can hand over its rows itself",
                f"catalog-ring add HOST, then catalog-ring remove {name}.",
            )
        ]
    if dead.membership is Membership.JOINING:
        return [
            Refusal(
                f"{name} was joining and owned nothing yet: there is nothing to replace",
                f"catalog-ring add {name}, or another host, after the ring has forgotten it.",
            )
        ]
    return []


def refuse_place(dead: NodeView | None, old: HostEntry, new: HostEntry) -> list[Refusal]:
    """Refuse a host that would not be where the dead node was."""
    if old.address == new.address:
        return [
            Refusal(
                f"{old.name} cannot replace itself",
                f"Start it: catalog-ring restart {old.name}. If its disk is lost, name another "
                "host, and add this one afterwards.",
            )
        ]
    if dead is None or (dead.datacenter, dead.rack) == (new.datacenter, new.rack):
        return []
    return [
        Refusal(
            f"{new.name} stands in {new.datacenter}/{new.rack}, the dead node in "
            f"{dead.datacenter}/{dead.rack}: replicas would share a rack",
            "Choose a host of the same rack.",
        )
    ]


def refuse_taken(new: NodeView | None, name: str, *, is_begun: bool) -> list[Refusal]:
    """Refuse a host that is in the ring already, or on another way into it."""
    if new is None or (is_begun and new.membership is Membership.JOINING):
        return []
    joins = new.membership is Membership.JOINING
    return [
        Refusal(
            f"{name} is {'joining' if joins else 'in'} the ring already ({new.state})",
            f"Let it join: catalog-ring add {name}." if joins else "Choose a host that is not.",
        )
    ]


def refuse_lost(keyspaces: Iterable[Keyspace], dead: NodeView) -> list[Refusal]:
    """Refuse where the dead node had the only replica of rows."""
    lost = [one.name for one in keyspaces if one.factor(dead.datacenter) == 1 and not one.is_own]
    if not lost:
        return []
    return [
        Refusal(
            f"{', '.join(lost)} has one replica of each row: {dead.address} held the only one",
            "Try to start it, or restore a backup. To go on without those rows: --accept-loss",
        )
    ]


async def refuse_heard(context: Context, old: HostEntry) -> list[Refusal]:
    """Watch whether any node hears of a dead one, for half a minute at the most.

    Raises:
        OperationError: no node answers.
    """
    progress = Progress(context.say)
    until = time.monotonic() + 2 * SILENT_SECONDS
    while time.monotonic() < until:
        node = (await context.reader.read()).node(old.address)
        if node is None or node.answers:
            break
        if node.silent_seconds >= SILENT_SECONDS:
            return []
        progress.note(f"seeing whether any node hears of {old.name}")
        await asyncio.sleep(POLL_SECONDS)
    return [
        Refusal(
            f"other nodes hear of {old.name}, although it does not answer here",
            "See whether it hangs, or the network is cut; a dead one is heard by nobody. "
            f"catalog-ring restart {old.name} starts it anew.",
        )
    ]
