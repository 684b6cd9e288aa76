"""Brings an empty host into the ring: starts its node, watches it stream, mends what can be mended.

Used by whatever bootstraps a node: an added one, and one that takes a dead one's place.
"""

import asyncio
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from ring.hosts.host import Host, HostFacts, NodeStart
from ring.nodes.start_failure import explain, last_lines
from ring.operations.context import Context
from ring.operations.errors import OperationError
from ring.operations.progress import POLL_SECONDS, Progress, streamed
from ring.operations.steps import reach
from ring.operations.view import Membership, NodeView, RingView

FROZEN_SECONDS: Final = 60.0
"""A joining process of which nobody heard for so long is ended; its data is streamed anew."""
_START_SECONDS: Final = 300.0
_FORGET_SECONDS: Final = 300.0
_STARTS: Final = 2
# What a node writes into its log when it stays in the ring without ever becoming a member.
_FAILED: Final = (
    "Some data streaming failed",
    "Error while waiting on bootstrap to complete",
    "Bootstrap Streaming failed",
)


class Verdict(Enum):
    """What is to be done about a host that is to be in the ring."""

    SETTLED = auto()
    WATCH = auto()
    START = auto()
    WIPE_AND_START = auto()
    STOP_WIPE_AND_START = auto()


def judge(node: NodeView | None, facts: HostFacts, *, is_settled: bool, log: str) -> Verdict:
    """Decide what is to be done about a host, from what the ring and the host say of it.

    Args:
        node: as the ring sees it; None when no node has heard of it.
        facts: of its host.
        is_settled: it is up and normal for every node, and schemas agree.
        log: what the node has written since it was last started.
    """
    if is_settled:
        return Verdict.SETTLED
    if node is not None and node.membership is not Membership.JOINING:
        # It owns its tokens: its data is the ring's, and must never be wiped here.
        return Verdict.WATCH if facts.node_runs else Verdict.START
    if not facts.node_runs:
        return Verdict.WIPE_AND_START if node or facts.data_bytes else Verdict.START
    if any(words in log for words in _FAILED):
        return Verdict.STOP_WIPE_AND_START
    if node is not None and node.silent_seconds > FROZEN_SECONDS:
        return Verdict.STOP_WIPE_AND_START
    return Verdict.WATCH


class Joining:
    """One host on its way into the ring."""

    def __init__(
        self,
        context: Context,
        host: Host,
        start: NodeStart,
        *,
        point: str,
        on_view: Callable[[RingView], None] = lambda _view: None,
    ) -> None:
        """Take a host and how its node starts.

        Args:
            context: of the operation.
            host: that joins.
            start: how.
            point: the name before its fault points.
            on_view: looks at each view that is read meanwhile; what it raises ends the joining.
        """
        self._context = context
        self._host = host
        self._start = start
        self._point = point
        self._on_view = on_view
        self._address = host.entry.address
        self._progress = Progress(context.say)
        self._starts = 0
        self._started_at = time.monotonic()
        self._log_bytes = 0

    async def run(self) -> None:
        """Return when every node sees it up and normal, it answers CQL, and schemas agree.

        Raises:
            OperationError: it did not start, or streaming failed twice; with the reason.
            HostError: the host does not answer.
        """
        while True:
            view = await self._context.reader.read()
            self._on_view(view)
            facts = await self._host.read_facts()
            log = await self._read_log()
            node = view.node(self._address)
            verdict = judge(node, facts, is_settled=view.is_settled(self._address), log=log)
            if verdict is Verdict.SETTLED:
                return
            if verdict is Verdict.WATCH:
                self._watch(view, node, log)
                await asyncio.sleep(POLL_SECONDS)
                continue
            self._context.require_lock()
            self._require_another_try(log)
            if node is None or node.membership is Membership.JOINING:
                self._require_others(view)
            if verdict is not Verdict.START:
                await self._wipe(verdict, log)
            await self._start_node()

    async def _read_log(self) -> str:
        if not self._starts:
            # It was started by an earlier run: the end of its log tells how it fares.
            return (await self._host.read_log())[0]
        return (await self._host.read_log(since_bytes=self._log_bytes))[0]

    def _watch(self, view: RingView, node: NodeView | None, log: str) -> None:
        name = self._host.entry.name
        if node is None:
            if time.monotonic() - self._started_at > _START_SECONDS:
                raise OperationError(
                    f"{name} has started and after {_START_SECONDS:.0f} s no node has heard of it"
                    f"\n{last_lines(log)}",
                    advice="See whether its storage port is reachable, and its system.log.",
                )
            self._progress.note(f"{name} is starting")
            return
        if node.silent_seconds > POLL_SECONDS * 5:
            self._progress.note(f"{name} is silent for {node.silent_seconds:.0f} s")
            return
        bytes_known = streamed(view.streams, operation="Bootstrap", address=self._address)
        if node.membership is not Membership.JOINING:
            self._progress.note(f"{name} has joined; waiting until all nodes agree")
        elif bytes_known is None:
            self._progress.note(f"{name} is joining: it waits until the ring knows its tokens")
        else:
            reach(f"{self._point}.streaming")
            self._progress.show(f"{name} is streaming", *bytes_known)

    def _require_another_try(self, log: str) -> None:
        if self._starts < _STARTS:
            return
        cause, advice = explain(log)
        raise OperationError(
            f"{self._host.entry.name} did not join: {cause}\n{last_lines(log)}", advice=advice
        )

    def _require_others(self, view: RingView) -> None:
        """See that nobody is missing from whom it would stream."""
        besides = (self._address, self._start.replace_address)
        down = [one.address for one in view.members if not one.is_up and one.address not in besides]
        if down:
            raise OperationError(
                f"{self._host.entry.name} cannot join while {', '.join(down)} is down",
                advice=f"Start what is down: catalog-ring restart {down[0]}",
            )

    async def _wipe(self, verdict: Verdict, log: str) -> None:
        name = self._host.entry.name
        why = "its process has ended"
        if verdict is Verdict.STOP_WIPE_AND_START:
            why = explain(log)[0] if any(one in log for one in _FAILED) else "it is frozen"
        self._context.say(f"{'':>18} {name} was joining and cannot go on ({why}): starting anew")
        await self._host.stop_node()
        await self._host.wipe_node()
        await forget(self._context, self._address)

    async def _start_node(self) -> None:
        self._log_bytes = (await self._host.read_log())[1]
        self._starts += 1
        self._started_at = time.monotonic()
        await self._host.start_node(self._start)
        reach(f"{self._point}.started")


async def forget(
    context: Context, address: str, *, timeout_seconds: float = _FORGET_SECONDS
) -> None:
    """Wait until no node knows an address any more; gossip takes a minute to forget a dead one.

    Raises:
        OperationError: some still did at the deadline.
    """
    progress = Progress(context.say)
    deadline = time.monotonic() + timeout_seconds
    while (await context.reader.read()).node(address) is not None:
        if time.monotonic() > deadline:
            raise OperationError(
                f"nodes still know {address} after {timeout_seconds:.0f} s",
                advice=f"Let one forget it: nodetool assassinate {address}",
            )
        progress.note(f"waiting until all nodes have forgotten {address}")
        await asyncio.sleep(POLL_SECONDS)
