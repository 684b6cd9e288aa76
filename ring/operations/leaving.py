"""Lets a node leave the ring: starts Cassandra's decommission and watches it to its end.

The node does it by itself: nodetool, and we, only ask for it. Asking again is harmless while it is
under way, and takes up one that failed, so a run that was killed is simply run again.
"""

import asyncio
import re
import time
from typing import Final

from ring.hosts.errors import HostError
from ring.hosts.host import Host
from ring.nodes.errors import NodesError
from ring.nodes.start_failure import explain, last_lines
from ring.operations.context import Context
from ring.operations.errors import OperationError
from ring.operations.progress import POLL_SECONDS, Progress, streamed
from ring.operations.steps import reach
from ring.operations.view import Membership, NodeView, RingView

_DECOMMISSION_SECONDS: Final = 48 * 3600.0
# How often the node itself is asked how it fares: a JVM each time.
_MODE_SECONDS: Final = 30.0
_BEGIN_SECONDS: Final = 120.0
_MODE: Final = re.compile(r"^Mode: (\w+)", re.MULTILINE)
_FAILED: Final = "DECOMMISSION_FAILED"
_NORMAL: Final = "NORMAL"
_LEFT: Final = "LEFT"
_GOSSIP: Final = "SELECT address, status, status_with_port FROM system_views.gossip_info"


def has_left(view: RingView, address: str) -> bool:
    """Whether no node that answers counts a node as a member, or expects it to become one."""
    return view.node(address) is None


async def departed(context: Context) -> frozenset[str]:
    """Return the addresses that gossip says have left; it remembers them for three days.

    Raises:
        OperationError: no node answers.
    """
    rows = await context.reader.run_cql(_GOSSIP)
    return frozenset(
        str(row["address"])
        for row in rows
        if str(row.get("status_with_port") or row.get("status") or "").startswith(_LEFT)
    )


class Leaving:
    """One node on its way out of the ring."""

    def __init__(self, context: Context, host: Host, *, point: str) -> None:
        """Take a host; `point` is the name before its fault points."""
        self._context = context
        self._host = host
        self._point = point
        self._address = host.entry.address
        self._leaves = False
        self._progress = Progress(context.say)

    async def run(self) -> None:
        """Return when every node that answers has forgotten the node.

        Raises:
            OperationError: the node or a receiver died, or streaming failed; with what to do.
        """
        asking = asyncio.create_task(
            self._host.nodetool("decommission", timeout_seconds=_DECOMMISSION_SECONDS)
        )
        try:
            await self._watch(asking)
        finally:
            # Only the caller ends with this; the node goes on.
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

    async def _watch(self, asking: asyncio.Task[str]) -> None:
        began = mode_at = time.monotonic()
        while True:
            view = await self._context.reader.read()
            node = view.node(self._address)
            if has_left(view, self._address):
                return
            if node is not None:
                self._note(view, node)
                self._require_alive(view, node)
            # An answer is no proof: the caller may have lost its connection, or the node its way.
            if _failed(asking) or (asking.done() and time.monotonic() - mode_at > _MODE_SECONDS):
                mode_at = time.monotonic()
                await self._require_progress(asking, waited_seconds=mode_at - began)
            await asyncio.sleep(POLL_SECONDS)

    def _note(self, view: RingView, node: NodeView) -> None:
        name = self._host.entry.name
        if node.membership is not Membership.LEAVING:
            words = (
                "has left; waiting until all nodes know" if self._leaves else "is about to leave"
            )
            self._progress.note(f"{name} {words}")
            return
        self._leaves = True
        reach(f"{self._point}.leaving")
        bytes_known = streamed(view.streams, operation="Unbootstrap", address=self._address)
        if bytes_known is None:
            self._progress.note(f"{name} is leaving: it waits until all nodes know")
        else:
            reach(f"{self._point}.streaming")
            self._progress.show(f"{name} is streaming", *bytes_known)

    def _require_alive(self, view: RingView, node: NodeView) -> None:
        name = self._host.entry.name
        if not node.is_up and node.silent_seconds > _MODE_SECONDS:
            raise OperationError(
                f"{name} died while it was leaving; it is a member still, with all its rows",
                advice=f"Start it: catalog-ring restart {name}. If it will not come back: "
                f"catalog-ring replace {name} HOST.",
            )
        down = [one.address for one in view.members if one is not node and not one.is_up]
        if down:
            self._progress.note(f"{', '.join(down)} is down, and may be needed: {name} goes on")

    async def _require_progress(self, asking: asyncio.Task[str], *, waited_seconds: float) -> None:
        """Ask the node how it fares."""
        try:
            found = _MODE.search(await self._host.nodetool("netstats"))
        except HostError:
            # It may just be shutting down; the next reading of the ring tells.
            return
        mode = found[1] if found else ""
        unmoved = mode == _NORMAL and (_failed(asking) or waited_seconds > _BEGIN_SECONDS)
        if mode != _FAILED and not unmoved:
            return
        log = (await self._host.read_log())[0]
        cause, advice = explain(log)
        words = _words(asking) or f"{cause}\n{last_lines(log)}"
        raise OperationError(
            f"{self._host.entry.name} could not leave the ring: {words}", advice=advice
        )


def _failed(asking: asyncio.Task[str]) -> bool:
    return asking.done() and not asking.cancelled() and asking.exception() is not None


def _words(asking: asyncio.Task[str]) -> str:
    error = asking.exception() if asking.done() and not asking.cancelled() else None
    return str(error) if isinstance(error, NodesError) else ""
