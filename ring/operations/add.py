"""`catalog-ring add HOST`: a node more, with its app server and its line in nginx.

Whatever moment the operation was killed at, the ring tells where it goes on: who is a member, who
owes a cleanup, which replication is altered and not repaired, which app servers answer, whom nginx
knows.
"""

from collections.abc import Sequence
from typing import Final

from ring.hosts.host import Host, NodeStart
from ring.nodes.tokens import allocation_replicas
from ring.operations.app_tier import APP, NGINX, app_step, nginx_step
from ring.operations.checks import check_reads
from ring.operations.cleaning import CLEANUP, cleanup_steps
from ring.operations.context import Context
from ring.operations.debts import write_cleanups
from ring.operations.errors import Refusal
from ring.operations.joining import Joining
from ring.operations.preflight import (
    expected_bytes,
    refuse_clocks,
    refuse_disk,
    refuse_unrepaired,
    refuse_used,
    ring_is_well,
)
from ring.operations.replication import RAISE_STEPS, USUAL_FACTOR, members_of, raise_steps
from ring.operations.steps import LEASE_SECONDS, Step
from ring.operations.view import Membership, NodeView, RingView

INSTALL: Final = "install"
OWE: Final = "owe"
JOIN: Final = "join"
CHECK: Final = "check"
SEEDS: Final = "seeds"


class Add:
    """Brings a host of the inventory into the ring."""

    name = "add"
    # Cleanup before replication is raised: an old node that became a replica again of what it gave
    # away, with rows that were deleted since, could bring them back.
    step_names = (INSTALL, OWE, JOIN, CHECK, APP, NGINX, CLEANUP, *RAISE_STEPS, SEEDS)
    lease_seconds = LEASE_SECONDS

    def __init__(self, host: Host, *, wipe: bool = False) -> None:
        """Take the host; `wipe` removes what another node left on it."""
        self._host = host
        self._address = host.entry.address
        self._datacenter = host.entry.datacenter
        self._wipe = wipe
        self.purpose = f"add {host.entry.name} ({self._address})"

    async def refusals(self, context: Context, view: RingView) -> Sequence[Refusal]:
        """Refuse unless the ring is well, and the host empty, large enough and on time."""
        keyspace = context.settings.keyspace
        refusals = [
            *ring_is_well(view, besides=(self._address,)),
            *refuse_unrepaired(view, besides=keyspace),
            *_refuse_place(view, self._datacenter, keyspace),
        ]
        if not refusals and not self._is_member(view):
            refusals += await self._refuse_host(context, view)
        return refusals

    async def _refuse_host(self, context: Context, view: RingView) -> list[Refusal]:
        entry = self._host.entry
        facts = await self._host.read_facts()
        clocks = {entry.name: facts}
        for node in members_of(view, self._datacenter):
            host = context.host_at(node.address)
            clocks[host.entry.name] = await host.read_facts()
        nodes = len(members_of(view, self._datacenter)) + 1
        now = view.factor(context.settings.keyspace, self._datacenter)
        receives_bytes = expected_bytes(
            view,
            datacenter=self._datacenter,
            nodes=nodes,
            factor_ratio=max(now, min(USUAL_FACTOR, nodes)) / now,
        )
        return [
            *refuse_clocks(clocks),
            *refuse_disk(entry.name, facts, receives_bytes),
            *refuse_used(entry, facts, view, is_ours=self._wipe or self._is_begun(view)),
        ]

    def steps(self, context: Context, view: RingView) -> Sequence[Step]:
        """Return every step, for the ring as it was before the node joined."""
        others = [node for node in view.members if node.address != self._address]
        itself = view.node(self._address) or _to_be(self._host)
        local = [node for node in others if node.datacenter == self._datacenter]
        target = min(USUAL_FACTOR, len(local) + 1)
        keyspace = context.settings.keyspace
        return [
            self._install_step(context, view),
            self._owe_step(context, others),
            self._join_step(context),
            self._check_step(context),
            app_step(context, self._address),
            nginx_step(context, with_address=self._address),
            *cleanup_steps(context, self.name, others),
            *raise_steps(
                context, self.name, view, [*local, itself], keyspace, self._datacenter, target
            ),
            self._seeds_step(context),
        ]

    def _install_step(self, context: Context, view: RingView) -> Step:
        version = next(iter(view.versions), "")

        async def run() -> None:
            if await self._host.install(version):
                context.say(f"{'':>18} installed")

        return Step(
            INSTALL,
            f"Cassandra {version} and the app on {self._host.entry.name}",
            self._is_member,
            run,
        )

    def _owe_step(self, context: Context, others: Sequence[NodeView]) -> Step:
        async def run() -> None:
            await write_cleanups(context.ring, others, taken_by=self._address)

        return Step(
            OWE, f"note that {len(others)} node(s) will owe a cleanup", self._is_member, run
        )

    def _join_step(self, context: Context) -> Step:
        async def run() -> None:
            now = await context.reader.read()
            peers = members_of(now, self._datacenter)
            racks = {node.rack for node in peers}
            if self._wipe and now.node(self._address) is None:
                await self._host.stop_node()
                await self._host.wipe_node()
            start = NodeStart(
                seeds=now.seeds(without=(self._address,)),
                auto_bootstrap=True,
                allocation_replicas=allocation_replicas(len(peers), len(racks)),
            )
            await Joining(context, self._host, start, point=f"{self.name}.{JOIN}").run()

        name = self._host.entry.name
        return Step(
            JOIN,
            f"start Cassandra on {name}, and stream what it will own",
            lambda now: now.is_settled(self._address),
            run,
            meanwhile=f"{name} goes on joining by itself; ranges are pending until it has.",
        )

    def _check_step(self, context: Context) -> Step:
        async def run() -> None:
            tables = await check_reads(context, self._address)
            context.say(f"{'':>18} {tables} tables read at QUORUM through {self._address}")

        return Step(
            CHECK,
            f"read at QUORUM through {self._host.entry.name}",
            lambda view: view.apps.get(self._address, False),
            run,
        )

    def _seeds_step(self, context: Context) -> Step:
        async def run() -> None:
            view = await context.reader.read()
            for node in view.up_normal:
                await context.host_at(node.address).write_seeds(view.seeds())

        # The nodes' files are no part of the ring; written again, they stay as they are.
        return Step(SEEDS, "name the ring's seeds to every node", lambda _view: False, run)

    def _is_member(self, view: RingView) -> bool:
        node = view.node(self._address)
        return node is not None and node.membership is not Membership.JOINING

    def _is_begun(self, view: RingView) -> bool:
        """Whether an earlier run of this operation has been at the host."""
        owed = any(debt.taken_by == self._address for debt in view.cleanups)
        return owed or view.node(self._address) is not None


def _refuse_place(view: RingView, datacenter: str, keyspace: str) -> list[Refusal]:
    if view.factor(keyspace, datacenter):
        return []
    return [
        Refusal(
            f"keyspace {keyspace} has no replicas in datacenter {datacenter}",
            "Name a datacenter of the ring in the inventory, as catalog-ring status shows it.",
        )
    ]


def _to_be(host: Host) -> NodeView:
    """Return the node as it will be; its host id comes with it."""
    entry = host.entry
    return NodeView(
        address=entry.address,
        host_id="",
        datacenter=entry.datacenter,
        rack=entry.rack,
        membership=Membership.JOINING,
        answers=False,
        silent_seconds=0.0,
        version="",
        schema_version="",
        load_bytes=0,
    )
