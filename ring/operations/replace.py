"""`catalog-ring replace DEAD HOST`: another host takes a dead node's place, tokens and rows."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from ring.errors import RingError
from ring.hosts.errors import HostError
from ring.hosts.host import Host, NodeStart
from ring.operations.app_tier import APP, NGINX, app_step, nginx_step
from ring.operations.checks import check_reads
from ring.operations.context import Context
from ring.operations.dead_nodes import (
    refuse_dead,
    refuse_heard,
    refuse_lost,
    refuse_place,
    refuse_taken,
)
from ring.operations.debts import remove_cleanup
from ring.operations.earlier import was_begun
from ring.operations.errors import OperationError, Refusal
from ring.operations.joining import Joining, forget
from ring.operations.journal import fetch_journal
from ring.operations.keyspaces import fetch_keyspaces
from ring.operations.preflight import (
    expected_bytes,
    refuse_clocks,
    refuse_disk,
    refuse_unreadable,
    refuse_used,
    ring_is_well,
)
from ring.operations.progress import POLL_SECONDS
from ring.operations.remove import SEEDS, WIPE, seeds_step
from ring.operations.repair import worth_repairing
from ring.operations.repairing import repair_node
from ring.operations.repairs import fetch_repairs
from ring.operations.replication import members_of
from ring.operations.steps import Step
from ring.operations.view import Membership, NodeView, RingView

FENCE: Final = "fence"
INSTALL: Final = "install"
JOIN: Final = "join"
CHECK: Final = "check"
REPAIR: Final = "repair"
FORGET: Final = "forget"
_DAYS: Final = 7
# While one replica of three is dead and a fourth streams, the lock's transactions need all three
# that answer: a pause of one of them must not end the operation.
_LEASE_SECONDS: Final = 300.0
Act = Callable[[], Awaitable[None]]


class OldNodeBackError(OperationError):
    """The node whose place is being taken was heard of again."""


class Replace:
    """Puts a host in the place of a dead node."""

    name = "replace"
    step_names = (FENCE, NGINX, INSTALL, JOIN, CHECK, APP, REPAIR, FORGET, WIPE, SEEDS)
    lease_seconds = _LEASE_SECONDS

    def __init__(self, dead: Host, host: Host, *, accept_loss: bool = False) -> None:
        """Take the host of the dead node, and the one that is to take its place.

        Args:
            dead: its host.
            host: another one, of the same rack.
            accept_loss: also where a keyspace had its only replica on the dead node.
        """
        self._old, self._new = dead.entry, host.entry
        self._old_host, self._new_host = dead, host
        self._accept_loss = accept_loss
        self._keyspaces: tuple[str, ...] = ()
        self._repaired: set[tuple[str, str]] = set()
        self.purpose = f"replace {self._old.name} ({self._old.address}) by {self._new.name}"

    async def refusals(self, context: Context, view: RingView) -> Sequence[Refusal]:
        """Refuse unless the node is dead for all, and the host can be what it was."""
        keyspaces = await fetch_keyspaces(context)
        self._keyspaces = tuple(one.name for one in worth_repairing(keyspaces))
        is_begun = await _is_begun(context, self.purpose)
        dead, new = view.node(self._old.address), view.node(self._new.address)
        if is_begun and self._is_replaced(view):
            self._repaired = {
                (one.host_id, one.keyspace) for one in await fetch_repairs(context.ring)
            }
            return refuse_unreadable(view)
        refusals = [
            *refuse_dead(dead, self._old.name),
            *refuse_place(dead, self._old, self._new),
            *refuse_taken(new, self._new.name, is_begun=is_begun),
            *ring_is_well(view, besides=(self._old.address, self._new.address)),
        ]
        if dead is not None and not self._accept_loss:
            refusals += refuse_lost(keyspaces, dead)
        if not refusals and dead is not None:
            refusals += await refuse_heard(context, self._old)
            refusals += await self._refuse_host(context, view, dead, is_begun=is_begun)
        return refusals

    def steps(self, context: Context, view: RingView) -> Sequence[Step]:
        """Return every step, for the ring as it was before the node was replaced."""
        new = self._new.address
        return [
            Step(FENCE, f"see that no node runs on {self._old.name}", _never, self._fence(context)),
            nginx_step(context, without_address=self._old.address),
            self._install_step(view),
            self._join_step(context),
            self._check_step(context),
            app_step(context, new),
            nginx_step(context, with_address=new),
            *(self._repair_step(context, keyspace) for keyspace in self._keyspaces),
            self._forget_step(context),
            Step(
                WIPE,
                f"remove the data of {self._old.name}: it must not come back with it",
                _never,
                self._wipe(context),
            ),
            seeds_step(context),
        ]

    def _is_replaced(self, view: RingView) -> bool:
        """Whether the host is a member, and no node counts the dead one as one."""
        dead = view.node(self._old.address)
        return view.is_settled(self._new.address) and (dead is None or not dead.member_for)

    async def _refuse_host(
        self, context: Context, view: RingView, dead: NodeView, *, is_begun: bool
    ) -> list[Refusal]:
        clocks = {}
        for node in view.up_normal:
            host = context.host_at(node.address)
            clocks[host.entry.name] = await host.read_facts()
        facts = clocks[self._new.name] = await self._new_host.read_facts()
        # What a node that restarted since then has not been told of the dead one, the others tell.
        nodes = len(members_of(view, dead.datacenter))
        share_bytes = expected_bytes(
            view, datacenter=dead.datacenter, nodes=max(1, nodes - 1), factor_ratio=1.0
        )
        return [
            *refuse_clocks(clocks),
            *refuse_disk(self._new.name, facts, dead.load_bytes or share_bytes),
            *refuse_used(self._new, facts, view, is_ours=is_begun),
        ]

    def _fence(self, context: Context) -> Act:
        async def run() -> None:
            try:
                if (await self._old_host.read_facts()).node_runs:
                    context.say(f"{'':>18} a process hangs there; it is ended")
                await self._old_host.stop_node()
                await self._old_host.stop_app()
            except HostError as error:
                context.say(f"{'':>18} {error}")
                context.say(
                    f"{'':>18} {self._old.name} cannot be reached: it must not come back. A node "
                    f"that starts there would take its tokens from {self._new.name} again."
                )

        return run

    def _install_step(self, view: RingView) -> Step:
        version = next(iter(view.versions), "")

        async def run() -> None:
            await self._new_host.install(version)

        return Step(
            INSTALL,
            f"Cassandra {version} and the app on {self._new.name}",
            self._is_replaced,
            run,
        )

    def _join_step(self, context: Context) -> Step:
        async def run() -> None:
            now = await context.reader.read()
            start = NodeStart(
                seeds=now.seeds(without=(self._old.address, self._new.address)),
                replace_address=self._old.address,
            )
            point = f"{self.name}.{JOIN}"
            joining = Joining(
                context, self._new_host, start, point=point, on_view=self._require_silence
            )
            try:
                await joining.run()
            except OldNodeBackError:
                await self._give_up(context)
                raise

        return Step(
            JOIN,
            f"start Cassandra on {self._new.name} in the place of {self._old.name}",
            self._is_replaced,
            run,
            meanwhile=f"{self._new.name} goes on joining by itself.",
        )

    def _require_silence(self, view: RingView) -> None:
        dead = view.node(self._old.address)
        if dead is None or not (dead.answers or dead.silent_seconds < POLL_SECONDS):
            return
        raise OldNodeBackError(
            f"{self._old.name} has come back, so {self._new.name} cannot take its place; what "
            f"{self._new.name} held is removed, and nothing is lost",
            advice=f"Keep {self._old.name}, and repair what it has missed: catalog-ring repair "
            f"{self._old.name}. Or stop it for good.",
        )

    async def _give_up(self, context: Context) -> None:
        view = await context.reader.read()
        node = view.node(self._new.address)
        if node is not None and node.membership is not Membership.JOINING:
            # It owns tokens by now: its data is the ring's.
            return
        await self._new_host.stop_node()
        await self._new_host.wipe_node()

    def _check_step(self, context: Context) -> Step:
        async def run() -> None:
            tables = await check_reads(context, self._new.address)
            context.say(f"{'':>18} {tables} tables read at QUORUM through {self._new.address}")

        return Step(
            CHECK,
            f"read at QUORUM through {self._new.name}",
            lambda view: view.apps.get(self._new.address, False),
            run,
        )

    def _repair_step(self, context: Context, keyspace: str) -> Step:
        async def run() -> None:
            await repair_node(context, self._new.address, keyspace, all_ranges=True)

        def is_done(view: RingView) -> bool:
            node = view.node(self._new.address)
            return node is not None and (node.host_id, keyspace) in self._repaired

        return Step(
            REPAIR,
            f"repair what {self._new.name} has of {keyspace}",
            is_done,
            run,
            meanwhile=f"The repair on {self._new.name} goes on; a later run waits for it.",
        )

    def _forget_step(self, context: Context) -> Step:
        address = self._old.address

        async def run() -> None:
            view = await context.read_view()
            for debt in view.cleanups:
                if debt.address == address:
                    await remove_cleanup(context.ring, debt.host_id)
            await forget(context, address)

        return Step(
            FORGET,
            f"wait until every node has forgotten {self._old.name}",
            lambda view: (
                view.node(address) is None
                and all(debt.address != address for debt in view.cleanups)
            ),
            run,
        )

    def _wipe(self, context: Context) -> Act:
        async def run() -> None:
            if not self._is_replaced(await context.reader.read()):
                raise OperationError(
                    f"{self._old.name} counts as a member", advice="See: catalog-ring status"
                )
            try:
                await self._old_host.stop_node()
                await self._old_host.wipe_node()
            except HostError as error:
                context.say(f"{'':>18} {error}")
                context.say(
                    f"{'':>18} NOT WIPED: remove the data of {self._old.name} before it can start; "
                    "its node would take its tokens back, and the rows written since with them."
                )

        return run


async def _is_begun(context: Context, purpose: str) -> bool:
    """Whether an earlier run has been at this; the journal tells, for a week."""
    try:
        return was_begun(await fetch_journal(context.ring, days=_DAYS), purpose)
    except (RingError, OperationError):
        return False


def _never(_view: RingView) -> bool:
    return False
