"""`catalog-ring remove HOST`: a node less; its rows are handed to the others before it goes."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from ring.hosts.host import Host, HostFacts
from ring.operations.app_tier import NGINX, nginx_step
from ring.operations.context import Context
from ring.operations.errors import OperationError, Refusal
from ring.operations.keyspaces import Keyspace, fetch_keyspaces
from ring.operations.leaving import Leaving, departed, has_left
from ring.operations.preflight import (
    expected_bytes,
    refuse_clocks,
    refuse_disk,
    refuse_owed,
    refuse_unrepaired,
    ring_is_well,
)
from ring.operations.replication import members_of, refuse_factor
from ring.operations.steps import LEASE_SECONDS, Step
from ring.operations.view import Membership, NodeView, RingView

APP: Final = "app"
REPLICAS: Final = "replicas"
LEAVE: Final = "leave"
STOP: Final = "stop"
WIPE: Final = "wipe"
SEEDS: Final = "seeds"


class Remove:
    """Takes a live node out of the ring, and everything of it off its host."""

    name = "remove"
    step_names = (NGINX, APP, REPLICAS, LEAVE, STOP, WIPE, SEEDS)
    lease_seconds = LEASE_SECONDS

    def __init__(self, host: Host) -> None:
        """Take the host whose node leaves."""
        self._host = host
        self._name = host.entry.name
        self._address = host.entry.address
        self._lowered: list[tuple[Keyspace, int]] = []
        self.purpose = f"remove {self._name} ({self._address})"

    async def refusals(self, context: Context, view: RingView) -> Sequence[Refusal]:
        """Refuse unless the node lives, the others are well, and they can hold what it holds."""
        facts = await self._host.read_facts()
        node = view.node(self._address)
        if node is None:
            return await self._refuse_unknown(context, facts)
        keyspaces = await fetch_keyspaces(context)
        # What Cassandra keeps in its own (roles, traces, histories) is whole with fewer replicas.
        self._lowered = [one for one in too_few(view, keyspaces, node) if one[0].is_own]
        refusals = [
            *refuse_state(node, self._name),
            *ring_is_well(view, besides=(self._address,)),
            *refuse_owed(view),
            *refuse_unrepaired(view),
            *refuse_few(view, keyspaces, node),
        ]
        if not refusals:
            refusals += await self._refuse_receivers(context, view, node, facts)
        return refusals

    def steps(self, context: Context, view: RingView) -> Sequence[Step]:
        """Return every step, for the ring as it was before the node left."""
        del view
        return [
            nginx_step(context, without_address=self._address),
            Step(APP, f"let the app server on {self._name} finish", _never, self._host.stop_app),
            self._replicas_step(context),
            Step(
                LEAVE,
                f"let {self._name} hand over its rows and leave the ring",
                lambda view: has_left(view, self._address),
                Leaving(context, self._host, point=f"{self.name}.{LEAVE}").run,
                f"{self._name} goes on leaving by itself; ranges are pending until it has.",
            ),
            Step(
                STOP,
                f"stop Cassandra on {self._name}",
                _never,
                self._once_left(context, self._host.stop_node),
            ),
            Step(
                WIPE,
                f"remove the data of {self._name}: it must not come back with it",
                _never,
                self._once_left(context, self._host.wipe_node),
            ),
            seeds_step(context),
        ]

    async def _refuse_unknown(self, context: Context, facts: HostFacts) -> list[Refusal]:
        """Judge a host that is no node of the ring: what an interrupted run left, or another's."""
        if not facts.data_bytes and not facts.node_runs:
            context.say(f"{self._name} is no node of the ring, and no data of one is left on it.")
            return []
        if self._address in await departed(context):
            return []
        return [
            Refusal(
                f"{self._name} is no node of the ring and has not left it lately, yet holds data "
                "of a node",
                "See whose it is; if nobody needs it, stop that node and remove its data.",
            )
        ]

    async def _refuse_receivers(
        self, context: Context, view: RingView, node: NodeView, own: HostFacts
    ) -> list[Refusal]:
        others = [one for one in members_of(view, node.datacenter) if one is not node]
        each = expected_bytes(view, datacenter=node.datacenter, nodes=len(others), factor_ratio=1.0)
        facts = {self._name: own}
        refusals = []
        for other in others:
            host = context.host_at(other.address)
            facts[host.entry.name] = await host.read_facts()
            share_bytes = max(each - other.load_bytes, node.load_bytes // len(others))
            refusals += refuse_disk(host.entry.name, facts[host.entry.name], share_bytes)
        return [*refuse_clocks(facts), *refusals]

    def _replicas_step(self, context: Context) -> Step:
        lowered = self._lowered

        async def run() -> None:
            for keyspace, nodes in lowered:
                cql = keyspace.alter_cql(self._host.entry.datacenter, nodes)
                await context.reader.run_cql(cql)

        names = ", ".join(f"{keyspace.name} {nodes}" for keyspace, nodes in lowered)
        what = f"fewer replicas of Cassandra's own keyspaces: {names or 'not needed'}"
        return Step(REPLICAS, what, lambda _view: not lowered, run)

    def _once_left(
        self, context: Context, act: Callable[[], Awaitable[None]]
    ) -> Callable[[], Awaitable[None]]:
        """Return what acts on the host only while no node counts it as a member."""

        async def run() -> None:
            if not has_left(await context.reader.read(), self._address):
                raise OperationError(
                    f"{self._name} is in the ring", advice="See: catalog-ring status"
                )
            await act()

        return run


def refuse_state(node: NodeView, name: str) -> list[Refusal]:
    """Refuse to remove what cannot hand over its rows."""
    if node.membership is Membership.JOINING:
        return [
            Refusal(
                f"{name} is joining, and owns nothing yet",
                f"Let it join (catalog-ring add {name}), then remove it; or stop it and wipe it.",
            )
        ]
    if node.is_up:
        return []
    return [
        Refusal(
            f"{name} is down ({node.state}): only a live node can hand over its rows",
            f"Start it: catalog-ring restart {name}. When it will not come back, another host "
            f"takes its place: catalog-ring replace {name} HOST",
        )
    ]


def refuse_few(view: RingView, keyspaces: Iterable[Keyspace], leaving: NodeView) -> list[Refusal]:
    """Refuse when too few nodes would stay for the replicas that keyspaces have."""
    if len(view.members) == 1:
        return [
            Refusal(
                f"{leaving.address} is the last node: with it all data would go",
                "Stop the ring instead: make down",
            )
        ]
    refusals = []
    for one, nodes in too_few(view, keyspaces, leaving):
        if one.is_own:
            continue
        advice = (
            f"Add another node first, or keep fewer: catalog-ring replication {one.name} {nodes}"
        )
        if refuse_factor(view, one.name, leaving.datacenter, nodes):
            advice += " --accept-outage"
        factor = one.factor(leaving.datacenter)
        reason = f"{one.name} keeps {factor} replicas, and {nodes} node(s) would stay"
        refusals.append(Refusal(reason, advice))
    return refusals


def nodes_left(view: RingView, keyspace: Keyspace, leaving: NodeView) -> int:
    """Return how many nodes could hold a keyspace's replicas when one has left."""
    return (
        sum(keyspace.is_simple or node.datacenter == leaving.datacenter for node in view.members)
        - 1
    )


def too_few(
    view: RingView, keyspaces: Iterable[Keyspace], leaving: NodeView
) -> list[tuple[Keyspace, int]]:
    """Return the keyspaces with more replicas than nodes would stay, and how many would stay."""
    left = [(keyspace, nodes_left(view, keyspace, leaving)) for keyspace in keyspaces]
    return [(one, nodes) for one, nodes in left if one.factor(leaving.datacenter) > nodes]


def seeds_step(context: Context) -> Step:
    """Return the step that names the ring's seeds to all of its nodes, for their next start."""

    async def run() -> None:
        view = await context.reader.read()
        for node in view.up_normal:
            await context.host_at(node.address).write_seeds(view.seeds())

    # The nodes' files are no part of the ring; written again, they stay as they are.
    return Step(SEEDS, "name the ring's seeds to every node", _never, run)


def _never(_view: RingView) -> bool:
    return False
