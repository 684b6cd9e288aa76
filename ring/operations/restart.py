"""`catalog-ring restart [HOST…]`: one node after the other, while the others serve."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ring.hosts.host import Host
from ring.operations.context import Context
from ring.operations.earlier import PLAN, fetch_unfinished, plan_step
from ring.operations.errors import Refusal
from ring.operations.preflight import refuse_disagreement, refuse_down, refuse_pending
from ring.operations.restarting import TURN_STEPS, Turn, seeds_for, turn_steps
from ring.operations.steps import LEASE_SECONDS, Step
from ring.operations.view import Membership, NodeView, RingView, address_order

OUTAGE_LEASE_SECONDS: Final = 1200.0
"""Of an operation that takes away the nodes which hold its lock: as long as a start may take."""


class Restart:
    """Restarts nodes, rack by rack, and never two at once."""

    name = "restart"
    step_names = (PLAN, *TURN_STEPS)

    def __init__(
        self, hosts: Sequence[Host], *, accept_outage: bool = False, anew: bool = False
    ) -> None:
        """Take the hosts whose nodes are restarted, all of the ring's when there are none.

        Args:
            hosts: of the inventory.
            accept_outage: also where reads and writes at a quorum fail meanwhile.
            anew: also those that an interrupted run of the same command has restarted.
        """
        self._addresses = tuple(host.entry.address for host in hosts)
        self._accept_outage = accept_outage
        self._anew = anew
        self._noted: Mapping[str, Any] | None = None
        self._started: dict[str, int] = {}
        names = ", ".join(host.entry.name for host in hosts)
        self.purpose = f"restart {names or 'all nodes'}"

    @property
    def lease_seconds(self) -> float:
        """The lock cannot be renewed while there is no quorum."""
        return OUTAGE_LEASE_SECONDS if self._accept_outage else LEASE_SECONDS

    async def refusals(self, context: Context, view: RingView) -> Sequence[Refusal]:
        """Refuse while another node is away, ranges are pending, or a quorum would be lost."""
        if not self._anew:
            self._noted = await fetch_unfinished(context, self.purpose)
        targets = self._targets(view)
        refusals = [
            Refusal(f"{address} is no node of the ring", "See: catalog-ring status")
            for address in self._addresses
            if view.node(address) is None
        ]
        going = [node for node in targets if node.is_up]
        # What is started takes nothing from anybody, and may be what a leaving node waits for.
        anything = self._accept_outage or not going
        refusals += refuse_pending(view, besides=_leaving(view) if anything else ())
        if not self._accept_outage:
            refusals += refuse_down(view, besides=self._may_be_down(targets))
            refusals += refuse_outage(view, going)
        if going:
            refusals += refuse_disagreement(view)
        return refusals

    def steps(self, context: Context, view: RingView) -> Sequence[Step]:
        """Return a note of who runs since when, and each node's turn: first those that are down."""
        targets = self._targets(view)
        since = self._since(targets)
        note = None if self._noted else {"generations": since}
        steps = [plan_step(context, self.purpose, "note which node runs since when", note)]
        for node in in_turns(targets):
            steps += turn_steps(context, self._turn(view, node, since[node.host_id]))
        return steps

    async def start_what_is_down(self, context: Context) -> None:
        """Start the targets that are down, where lock and records cannot be had without them.

        Without a lock, then: a member that starts takes nothing from anybody. Nothing is done where
        the records can be read, or while a node joins, which may be to take a dead one's place.

        Raises:
            OperationError: no node answers, or one does not come back; with its log's cause.
        """
        view = await context.read_view(strict=False)
        joins = any(node.membership is Membership.JOINING for node in view.nodes)
        if not view.debts_problem or joins:
            return
        for node in self._targets(view):
            host = context.host_at(node.address)
            if node.is_up or not (await host.read_facts()).data_bytes:
                continue
            context.say(f"{host.entry.name} is down, and the lock may need it: starting it first")
            for step in turn_steps(context, self._turn(view, node, node.generation)):
                if step.blind:
                    await step.run()
            self._started[node.host_id] = node.generation

    def _turn(self, view: RingView, node: NodeView, since: int) -> Turn:
        def is_back(now: NodeView) -> bool:
            return now.generation > since

        return Turn(
            node=node,
            is_back=is_back,
            front=bool(view.front),
            seeds=seeds_for(view, node.address),
            others_away=self._accept_outage,
        )

    def _targets(self, view: RingView) -> list[NodeView]:
        return [n for n in view.members if not self._addresses or n.address in self._addresses]

    def _since(self, targets: Sequence[NodeView]) -> dict[str, int]:
        """Return by host id the generation before the restart, as an earlier run noted it."""
        noted = {**(self._noted["generations"] if self._noted else {}), **self._started}
        return {node.host_id: int(noted.get(node.host_id, node.generation)) for node in targets}

    def _may_be_down(self, targets: Sequence[NodeView]) -> list[str]:
        """Named nodes, and those that an interrupted run of this command may have stopped."""
        return [node.address for node in targets] if self._addresses or self._noted else []


def _leaving(view: RingView) -> list[str]:
    """Return the nodes whose ranges may be pending: one that joins may take a dead one's place."""
    return [node.address for node in view.moving if node.membership is not Membership.JOINING]


def in_turns(nodes: Sequence[NodeView]) -> list[NodeView]:
    """Return nodes in the order of their turns: those that are down, then rack by rack."""
    return sorted(
        nodes,
        key=lambda node: (node.is_up, node.datacenter, node.rack, address_order(node.address)),
    )


def refuse_outage(view: RingView, nodes: Sequence[NodeView]) -> list[Refusal]:
    """Refuse where a keyspace has no quorum while one of the nodes is away."""
    lost = sorted(
        {
            keyspace
            for keyspace in view.replication
            for node in nodes
            if not outlives_one(view, keyspace, node.datacenter)
        }
    )
    if not lost:
        return []
    return [
        Refusal(
            f"while one node is away, {', '.join(lost)} has no quorum: reads and writes at "
            "LOCAL_QUORUM would fail",
            "Have three nodes and three replicas (catalog-ring add, replication), or let them "
            "fail: --accept-outage",
        )
    ]


def outlives_one(view: RingView, keyspace: str, datacenter: str) -> bool:
    """Whether a keyspace's quorum in a datacenter outlives the loss of one node."""
    factor = view.factor(keyspace, datacenter)
    if not factor:
        return True
    nodes = sum(node.datacenter == datacenter for node in view.members)
    return min(factor, nodes) - 1 >= factor // 2 + 1
