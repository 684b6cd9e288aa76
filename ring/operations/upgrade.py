"""`catalog-ring upgrade VERSION`: another patch version of Cassandra, node by node."""

import re
from collections.abc import Sequence
from typing import Final

from ring.operations.context import Context
from ring.operations.errors import Refusal
from ring.operations.preflight import (
    refuse_disagreement,
    refuse_down,
    refuse_pending,
    refuse_unreadable,
    refuse_unrepaired,
)
from ring.operations.restart import OUTAGE_LEASE_SECONDS, in_turns, refuse_outage
from ring.operations.restarting import TURN_STEPS, Turn, seeds_for, turn_steps
from ring.operations.steps import LEASE_SECONDS, Step
from ring.operations.view import NodeView, RingView

INSTALL: Final = "install"
REWRITE: Final = "rewrite"
_VERSION: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_REWRITE_SECONDS: Final = 48 * 3600.0


class Upgrade:
    """Brings every node to a version; which nodes run it already is read from the ring."""

    name = "upgrade"
    step_names = (INSTALL, *TURN_STEPS, REWRITE)

    def __init__(self, version: str, *, accept_outage: bool = False) -> None:
        """Take the version; `accept_outage` goes on where a quorum fails meanwhile."""
        self._version = version
        self._accept_outage = accept_outage
        self.purpose = f"upgrade {version}"

    @property
    def lease_seconds(self) -> float:
        """The lock cannot be renewed while there is no quorum."""
        return OUTAGE_LEASE_SECONDS if self._accept_outage else LEASE_SECONDS

    async def refusals(self, context: Context, view: RingView) -> Sequence[Refusal]:
        """Refuse any other step than to a later patch version, and a ring that is not well."""
        del context
        # In a ring of two versions a node may be down because an upgrade stopped in its turn.
        mixed = [node.address for node in view.members if node.version != self._version]
        is_begun = len(mixed) < len(view.members)
        refusals = [
            *refuse_version(view, self._version),
            *refuse_down(view, besides=mixed if is_begun else ()),
            *refuse_pending(view),
            *refuse_disagreement(view),
            *refuse_unreadable(view),
            *refuse_unrepaired(view),
        ]
        if not self._accept_outage:
            going = [node for node in view.members if node.address in mixed and node.is_up]
            refusals += refuse_outage(view, going)
        return refusals

    def steps(self, context: Context, view: RingView) -> Sequence[Step]:
        """Install everywhere, then each node's turn, then what older versions wrote anew."""
        nodes = in_turns(view.members)
        steps = [self._install_step(context, node) for node in nodes]
        for node in nodes:
            turn = Turn(
                node=node,
                is_back=self._has_it,
                front=bool(view.front),
                seeds=seeds_for(view, node.address),
                others_away=self._accept_outage,
            )
            steps += turn_steps(context, turn)
        return [*steps, *(_rewrite_step(context, node) for node in nodes)]

    def _has_it(self, node: NodeView) -> bool:
        return node.version == self._version

    def _install_step(self, context: Context, node: NodeView) -> Step:
        host = context.host_at(node.address)

        async def run() -> None:
            await host.install(self._version)

        def is_done(view: RingView) -> bool:
            now = view.node(node.address)
            return now is not None and now.answers and self._has_it(now)

        return Step(
            INSTALL,
            f"Cassandra {self._version} on {host.entry.name}, beside the one that runs",
            is_done,
            run,
        )


def refuse_version(view: RingView, version: str) -> list[Refusal]:
    """Refuse what is no later patch version of what the ring runs.

    Between patch versions, nodes of both work together and read each other's files. A minor or
    major version changes formats and protocols, cannot be gone back from, and has steps of its own
    in Cassandra's NEWS.txt.
    """
    target = _parse(version)
    if target is None:
        return [Refusal(f"{version!r} is no version", 'Three numbers: "5.0.9".')]
    refusals = []
    for running in sorted(view.versions):
        now = _parse(running)
        if now is None or now[:2] != target[:2]:
            refusals.append(
                Refusal(
                    f"the ring runs {running}: {version} is no patch version of it",
                    "Choose one with the same first two numbers; for others read Cassandra's "
                    "NEWS.txt first.",
                )
            )
        elif now > target:
            refusals.append(
                Refusal(
                    f"a node runs {running} already: {version} would be a step back",
                    "What a later version wrote, an earlier one may not read. Go on to "
                    f"{running}, or later.",
                )
            )
    return refusals


def needs_rewriting(versions: str) -> bool:
    """Whether a node holds files of a format older than what it writes.

    Args:
        versions: what gossip tells of a node's SSTables: "big-nb,bti-da". A node writes some with
            each start, so of each format its own version is among them.
    """
    formats = [word.strip().split("-", 1)[0] for word in versions.split(",") if word.strip()]
    return len(formats) != len(set(formats))


def _rewrite_step(context: Context, node: NodeView) -> Step:
    host = context.host_at(node.address)
    name = host.entry.name

    async def run() -> None:
        rows = await context.reader.run_cql(
            # The address is one that the ring itself told.
            "SELECT sstable_versions FROM system_views.gossip_info"  # noqa: S608
            f" WHERE address = '{node.address}'",
            address=node.address,
        )
        told = "".join(str(row["sstable_versions"] or "") for row in rows)
        if not needs_rewriting(told):
            context.say(f"{'':>18} not needed: {told}")
            return
        await host.nodetool("upgradesstables", timeout_seconds=_REWRITE_SECONDS)

    return Step(
        REWRITE,
        f"rewrite what older versions wrote on {name}, if anything",
        lambda _view: False,
        run,
        meanwhile=f"{name} goes on rewriting.",
    )


def _parse(version: str) -> tuple[int, ...] | None:
    match = _VERSION.fullmatch(version)
    return tuple(int(part) for part in match.groups()) if match else None
