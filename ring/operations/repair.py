"""`catalog-ring repair`: all replicas get the same rows, one node's primary ranges at a time."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Final

from ring.hosts.host import Host
from ring.operations.context import Context
from ring.operations.earlier import PLAN, fetch_unfinished, plan_step
from ring.operations.errors import OperationError, Refusal
from ring.operations.keyspaces import Keyspace, fetch_keyspaces
from ring.operations.preflight import ring_is_well
from ring.operations.repairing import MANY_COMPACTIONS, pending_compactions, repair_node
from ring.operations.repairs import Repaired, fetch_repairs
from ring.operations.steps import LEASE_SECONDS, Step
from ring.operations.view import NodeView, RingView

REPAIR: Final = "repair"
SUM_UP: Final = "sum-up"
# Traces, and the histories of builds and repairs: nobody reads them from several replicas.
_NOT_WORTH_IT: Final = frozenset({"system_traces", "system_distributed"})


class Repair:
    """Repairs nodes one after the other; each range once when it is all of them."""

    name = "repair"
    step_names = (PLAN, REPAIR, SUM_UP)
    lease_seconds = LEASE_SECONDS

    def __init__(self, hosts: Sequence[Host], *, keyspace: str = "") -> None:
        """Take the hosts, all of the ring's when there are none, and a keyspace, or all."""
        self._addresses = tuple(host.entry.address for host in hosts)
        self._keyspace = keyspace
        self._keyspaces: tuple[str, ...] = ()
        self._began: dt.datetime | None = None
        self._repaired: tuple[Repaired, ...] = ()
        self._skipped: list[str] = []
        names = ", ".join(host.entry.name for host in hosts)
        self.purpose = f"repair {names or 'all nodes'}{f' of {keyspace}' if keyspace else ''}"

    async def refusals(self, context: Context, view: RingView) -> Sequence[Refusal]:
        """Refuse unless the ring is well: a repair needs every replica, of one version."""
        keyspaces = await fetch_keyspaces(context)
        self._keyspaces = tuple(one.name for one in worth_repairing(keyspaces, self._keyspace))
        refusals = ring_is_well(view)
        refusals += [
            Refusal(f"{address} is no node of the ring", "See: catalog-ring status")
            for address in self._addresses
            if view.node(address) is None
        ]
        if self._keyspace and not self._keyspaces:
            refusals += [
                Refusal(
                    f"keyspace {self._keyspace} is not there, or has one replica of each row",
                    "Name one that catalog-ring status shows with more.",
                )
            ]
        if not refusals:
            note = await fetch_unfinished(context, self.purpose)
            self._began = dt.datetime.fromisoformat(note["began"]) if note else None
            self._repaired = await fetch_repairs(context.ring)
        return refusals

    def steps(self, context: Context, view: RingView) -> Sequence[Step]:
        """Return a step for each node and keyspace; what an interrupted run repaired is done."""
        now = dt.datetime.now(dt.UTC)
        note = None if self._began else {"began": now.isoformat()}
        paid = since(self._repaired, self._began or now)
        return [
            plan_step(context, self.purpose, "note when it began", note),
            *(
                self._step(context, node, keyspace, is_paid=(node.host_id, keyspace) in paid)
                for node in view.members
                if not self._addresses or node.address in self._addresses
                for keyspace in self._keyspaces
            ),
            self._sum_up_step(),
        ]

    def _step(self, context: Context, node: NodeView, keyspace: str, *, is_paid: bool) -> Step:
        async def run() -> None:
            count = await pending_compactions(context, node.address)
            if count > MANY_COMPACTIONS:
                # A repair writes more of what they have to compact, and reads what they read.
                self._skipped.append(f"{node.address} ({keyspace})")
                context.say(f"{'':>18} {node.address} has {count} compactions pending: skipped")
                return
            await repair_node(context, node.address, keyspace)

        return Step(
            REPAIR,
            f"repair the primary ranges of {node.address} in {keyspace}",
            lambda _view: is_paid,
            run,
            meanwhile=f"The repair on {node.address} goes on; a later run waits for it.",
        )

    def _sum_up_step(self) -> Step:
        async def run() -> None:
            if self._skipped:
                raise OperationError(
                    f"not repaired, for they have more than {MANY_COMPACTIONS} compactions "
                    f"pending: {', '.join(self._skipped)}",
                    advice="Wait until nodetool compactionstats shows fewer.",
                )

        return Step(SUM_UP, "see whether a node was skipped", lambda _view: False, run)


def worth_repairing(keyspaces: Iterable[Keyspace], only: str = "") -> list[Keyspace]:
    """Return the keyspaces that have replicas to compare, or the only one asked for."""
    return [
        one
        for one in keyspaces
        if one.most > 1 and (one.name == only if only else one.name not in _NOT_WORTH_IT)
    ]


def since(repaired: Iterable[Repaired], began: dt.datetime) -> frozenset[tuple[str, str]]:
    """Return which nodes (by host id) and keyspaces were repaired since a moment."""
    return frozenset((one.host_id, one.keyspace) for one in repaired if one.began >= began)
