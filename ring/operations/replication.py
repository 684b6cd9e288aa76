"""`catalog-ring replication KEYSPACE N`: alters, then repairs, one replica more or less at a time.

A new replica is empty until it is repaired. One at a time, a quorum always has a replica that is
not: of two replicas both, of three two. What clients read at LOCAL_ONE they read at LOCAL_QUORUM
for as long as the change is noted in the ring (`ring_replications`), which is from before the ALTER
until after the last repair.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from ring.operations.cleaning import CLEANUP, cleanup_steps
from ring.operations.context import Context
from ring.operations.debts import note_repair, remove_change, write_change, write_cleanups
from ring.operations.errors import OperationError, Refusal
from ring.operations.preflight import (
    expected_bytes,
    refuse_disk,
    refuse_owed,
    refuse_unrepaired,
    ring_is_well,
)
from ring.operations.repairing import repair_node, wait_for_compactions
from ring.operations.steps import LEASE_SECONDS, Step, reach
from ring.operations.view import NodeView, ReplicationChange, RingView

REPLICATE: Final = "replicate"
REPAIR: Final = "repair"
SETTLE: Final = "settle"
RAISE_STEPS: Final = (REPLICATE, REPAIR, SETTLE)
USUAL_FACTOR: Final = 3
"""With three replicas a quorum outlives the loss of one; below it, none does."""
_AGREE_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 1.0
# Clients read the ring this much later than they mean to, on a busy machine.
_LATE_SECONDS: Final = 3.0


class ReplicationOperation:
    """Brings a keyspace to so many replicas in one datacenter."""

    name = "replication"
    step_names = (*RAISE_STEPS, CLEANUP)
    lease_seconds = LEASE_SECONDS

    def __init__(
        self, keyspace: str, factor: int, datacenter: str = "", *, accept_outage: bool = False
    ) -> None:
        """Take the keyspace, how many replicas it is to have, and where.

        Args:
            keyspace: by its name.
            factor: how many replicas.
            datacenter: where; empty: in the only one that has any.
            accept_outage: also so few that a quorum does not outlive the loss of a node.
        """
        self._keyspace = keyspace
        self._factor = factor
        self._datacenter = datacenter
        self._accept_outage = accept_outage
        self.purpose = f"replication {keyspace} {factor}"

    async def refusals(self, context: Context, view: RingView) -> Sequence[Refusal]:
        """Refuse unless the ring is well, nothing is owed, and clients' levels can be met."""
        datacenter = self._place(view)
        now = view.factor(self._keyspace, datacenter)
        # What this very operation owes it pays itself.
        own = fewer_replicas(self._keyspace) if self._factor <= now else ""
        refusals = [
            *ring_is_well(view),
            *refuse_owed(view, besides=own),
            *refuse_unrepaired(view, besides=self._keyspace),
            *refuse_factor(
                view, self._keyspace, datacenter, self._factor, accept_outage=self._accept_outage
            ),
        ]
        if not refusals and self._factor > now:
            refusals += await refuse_growth(context, view, datacenter, self._factor / now)
        return refusals

    def steps(self, context: Context, view: RingView) -> Sequence[Step]:
        """Raise or lower by one, with the repairs between; cleanups after it was lowered."""
        keyspace, datacenter = self._keyspace, self._place(view)
        nodes = members_of(view, datacenter)
        if self._factor < view.factor(keyspace, datacenter):
            steps = _lower_steps(context, view, nodes, keyspace, datacenter, self._factor)
        else:
            steps = raise_steps(context, self.name, view, nodes, keyspace, datacenter, self._factor)
        return [*steps, *cleanup_steps(context, self.name, nodes)]

    def _place(self, view: RingView) -> str:
        """Return the datacenter that was named, or the only one; empty when there is none."""
        factors = view.replication.get(self._keyspace, {})
        return self._datacenter or (next(iter(factors)) if len(factors) == 1 else "")


def fewer_replicas(keyspace: str) -> str:
    """Return who takes ranges over, in the words of a cleanup that is owed."""
    return f"fewer replicas of {keyspace}"


def refuse_factor(
    view: RingView, keyspace: str, datacenter: str, factor: int, *, accept_outage: bool = False
) -> list[Refusal]:
    """Refuse a replication factor that clients could not live with."""
    now = view.factor(keyspace, datacenter)
    nodes = len(members_of(view, datacenter))
    if not now:
        where = f"replicas in {datacenter}" if datacenter else "replicas in one datacenter alone"
        return [
            Refusal(
                f"keyspace {keyspace} has no {where} (by NetworkTopologyStrategy)",
                "Name a keyspace that catalog-ring status shows, and its --datacenter.",
            )
        ]
    if factor > nodes:
        return [
            Refusal(
                f"{factor} replicas, but {datacenter} has {nodes} node(s): writes would wait for "
                "replicas that nobody has",
                "Add nodes first: catalog-ring add HOST",
            )
        ]
    if factor < 1:
        return [Refusal(f"{factor} replicas: no row would be kept", "Keep one at least.")]
    least = min(USUAL_FACTOR, nodes)
    if factor < min(least, now) and not accept_outage:
        return [
            Refusal(
                f"{factor} replicas on {nodes} nodes: clients read and write at LOCAL_QUORUM, "
                f"which outlives the loss of a node from {USUAL_FACTOR} replicas on",
                f"Keep at least {least}, or accept that requests fail while a node is away: "
                "--accept-outage",
            )
        ]
    return []


async def refuse_growth(
    context: Context, view: RingView, datacenter: str, ratio: float
) -> list[Refusal]:
    """Refuse when a node's disk has no room for what a higher replication brings it."""
    nodes = members_of(view, datacenter)
    each = expected_bytes(view, datacenter=datacenter, nodes=len(nodes), factor_ratio=ratio)
    refusals = []
    for node in nodes:
        host = context.host_at(node.address)
        facts = await host.read_facts()
        refusals += refuse_disk(host.entry.name, facts, max(0, each - node.load_bytes))
    return refusals


def raise_steps(
    context: Context,
    operation: str,
    view: RingView,
    nodes: Sequence[NodeView],
    keyspace: str,
    datacenter: str,
    target: int,
) -> list[Step]:
    """Return the steps that raise a keyspace's replication by one as often as it takes.

    Args:
        context: of the operation.
        operation: its name.
        view: as it is now; a change that was begun is finished first.
        nodes: all of the datacenter that there will be.
        keyspace: whose replication.
        datacenter: where.
        target: how many replicas there are to be.
    """
    begun = view.change_of(keyspace)
    first = begun.factor if begun else view.factor(keyspace, datacenter) + 1
    steps: list[Step] = []
    for factor in range(first, max(target, begun.factor if begun else 0) + 1):
        change = ReplicationChange(keyspace, datacenter, factor - 1, factor, frozenset())
        steps.append(_raise_step(context, operation, change, len(nodes)))
        steps += [_repair_step(context, change, node) for node in nodes]
        steps.append(_settle_step(context, change))
    return steps


def members_of(view: RingView, datacenter: str) -> list[NodeView]:
    """Return the nodes of a datacenter that own tokens."""
    return [node for node in view.members if node.datacenter == datacenter]


def _raise_step(context: Context, operation: str, change: ReplicationChange, nodes: int) -> Step:
    async def run() -> None:
        await _announce(context, change)
        reach(f"{operation}.{REPLICATE}.announced")
        await _alter(context, change)

    def is_done(view: RingView) -> bool:
        return view.factor(change.keyspace, change.datacenter) >= change.factor

    return Step(
        REPLICATE,
        f"{change.factor} replicas instead of {change.factor_before} of {change.keyspace} in "
        f"{change.datacenter} ({nodes} nodes)",
        is_done,
        run,
        meanwhile="Clients read at LOCAL_QUORUM until it is repaired.",
    )


def _lower_steps(
    context: Context,
    view: RingView,
    nodes: Sequence[NodeView],
    keyspace: str,
    datacenter: str,
    target: int,
) -> list[Step]:
    """Return the steps that lower a keyspace's replication by one as often as it takes."""
    steps = []
    for factor in range(view.factor(keyspace, datacenter) - 1, target - 1, -1):
        # A row that only the replica which goes and one other have must be on the others first.
        change = ReplicationChange(keyspace, datacenter, factor + 1, factor, frozenset())
        steps += [_announce_step(context, change)]
        steps += [_repair_step(context, change, node) for node in nodes]
        steps += [_lower_step(context, change, nodes)]
    return steps


def _announce_step(context: Context, change: ReplicationChange) -> Step:
    return Step(
        REPLICATE,
        f"note that {change.keyspace} will have {change.factor} replicas",
        lambda view: (
            view.change_of(change.keyspace) is not None
            or view.factor(change.keyspace, change.datacenter) <= change.factor
        ),
        lambda: _announce(context, change),
    )


def _lower_step(context: Context, change: ReplicationChange, nodes: Sequence[NodeView]) -> Step:
    async def run() -> None:
        await write_cleanups(context.ring, nodes, taken_by=fewer_replicas(change.keyspace))
        await _alter(context, change)
        await remove_change(context.ring, change.keyspace)

    def is_done(view: RingView) -> bool:
        lowered = view.factor(change.keyspace, change.datacenter) <= change.factor
        return lowered and view.change_of(change.keyspace) is None

    return Step(
        SETTLE,
        f"{change.factor} replicas instead of {change.factor_before} of {change.keyspace} in "
        f"{change.datacenter} ({len(nodes)} nodes)",
        is_done,
        run,
    )


def _repair_step(context: Context, change: ReplicationChange, node: NodeView) -> Step:
    async def run() -> None:
        await wait_for_compactions(context, node.address)
        await repair_node(context, node.address, change.keyspace)
        await note_repair(context.ring, change.keyspace, await _host_id(context, node.address))

    def is_done(view: RingView) -> bool:
        begun = view.change_of(change.keyspace)
        if begun is None or begun.factor != change.factor:
            return True
        now = view.node(node.address)
        return now is not None and now.host_id in begun.repaired

    return Step(
        REPAIR,
        f"repair the primary ranges of {node.address} in {change.keyspace}",
        is_done,
        run,
        meanwhile=f"The repair on {node.address} may go on; that is safe to repeat.",
    )


def _settle_step(context: Context, change: ReplicationChange) -> Step:
    async def run() -> None:
        await remove_change(context.ring, change.keyspace)

    return Step(
        SETTLE,
        f"all {change.factor} replicas have all rows: clients may read at LOCAL_ONE again",
        lambda view: view.change_of(change.keyspace) is None,
        run,
    )


async def _host_id(context: Context, address: str) -> str:
    """Return the id of the node that is there now: a node that was to join had none before."""
    node = (await context.reader.read()).node(address)
    if node is None:
        raise OperationError(f"{address} has left the ring", advice="See: catalog-ring status")
    return node.host_id


async def _announce(context: Context, change: ReplicationChange) -> None:
    await write_change(context.ring, change)
    wait_seconds = context.settings.topology_refresh_seconds + _LATE_SECONDS
    context.say(
        f"{'':>18} Clients read this within {wait_seconds:.0f} s, and from then on at LOCAL_QUORUM "
        f"what they read at LOCAL_ONE: {change.factor // 2 + 1} of {change.factor} replicas answer "
        "together, so that one which has no rows yet is not believed. No row is missed; while a "
        "node is down, a read may wait for it."
    )
    await asyncio.sleep(wait_seconds)


async def _alter(context: Context, change: ReplicationChange) -> None:
    context.require_lock()
    view = await context.reader.read()
    factors = {**view.replication[change.keyspace], change.datacenter: change.factor}
    options = ", ".join(f"'{name}': {count}" for name, count in factors.items())
    await context.reader.run_cql(
        f'ALTER KEYSPACE "{change.keyspace}" WITH replication = '
        f"{{'class': 'NetworkTopologyStrategy', {options}}}"
    )
    await _wait_for_agreement(context)


async def _wait_for_agreement(context: Context) -> None:
    deadline = time.monotonic() + _AGREE_SECONDS
    while len((await context.reader.read()).schema_versions) > 1:
        if time.monotonic() > deadline:
            raise OperationError(
                f"the nodes do not agree on the schema after {_AGREE_SECONDS:.0f} s",
                advice="See: catalog-ring status",
            )
        await asyncio.sleep(_POLL_SECONDS)
