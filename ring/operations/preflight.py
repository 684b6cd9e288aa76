"""The rules of what must hold before an operation may begin: each a function with its own words.

A rule looks at a view (and at what hosts say of themselves) and returns its refusals, none when it
is content. Operations put together the rules that they need.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from ring.hosts.host import HostEntry, HostFacts
from ring.operations.errors import Refusal
from ring.operations.view import RingView

CLOCKS_APART_SECONDS: Final = 1.0
"""Of two writes of one cell the later clock wins: clocks further apart would decide wrongly."""
DISK_SPARE: Final = 1.25
"""What is received is compacted: the disk needs more room than its bytes."""
_STATUS: Final = "See: catalog-ring status"


def refuse_unreadable(view: RingView) -> list[Refusal]:
    """Refuse when lock and debts cannot be read: nobody may act on half of what is known."""
    if not view.debts_problem:
        return []
    return [Refusal(f"the ring's records cannot be read: {view.debts_problem}", _STATUS)]


def refuse_down(view: RingView, *, besides: Sequence[str] = ()) -> list[Refusal]:
    """Refuse when a node is down, or not heard by another, except those `besides`."""
    refusals = []
    for node in view.members:
        if node.address in besides:
            continue
        if not node.is_up:
            refusals.append(
                Refusal(
                    f"{node.address} is down ({node.state})",
                    f"Start it, or, when it will not come back: catalog-ring replace "
                    f"{node.address} HOST",
                )
            )
        elif node.unheard_by:
            refusals.append(
                Refusal(
                    f"{', '.join(node.unheard_by)} have not heard of {node.address} for long",
                    f"See whether the network between them is well. {_STATUS}",
                )
            )
    return refusals


def refuse_pending(view: RingView, *, besides: Sequence[str] = ()) -> list[Refusal]:
    """Refuse while a node joins, leaves or moves, for then ranges are pending."""
    words = {"J": "joining", "L": "leaving", "M": "moving"}
    return [
        Refusal(
            f"{node.address} is {words[node.membership]}: ranges are pending",
            f"Wait until it has ended, or run the operation that was at it again. {_STATUS}",
        )
        for node in view.moving
        if node.address not in besides
    ]


def refuse_disagreement(view: RingView) -> list[Refusal]:
    """Refuse when nodes have different schemas, or one does not know of another."""
    refusals = []
    if len(view.schema_versions) > 1:
        refusals.append(
            Refusal(
                f"the nodes have {len(view.schema_versions)} versions of the schema",
                "Wait a moment; if it stays, restart the node that differs. " + _STATUS,
            )
        )
    refusals += [
        Refusal(
            f"{', '.join(sorted(view.answering - node.member_for))} does not know {node.address}",
            f"Wait a moment: gossip tells. {_STATUS}",
        )
        for node in view.members
        if node.member_for and not node.member_for >= view.answering
    ]
    return refusals


def refuse_versions(view: RingView) -> list[Refusal]:
    """Refuse when nodes run different versions of Cassandra: they cannot stream to each other."""
    if len(view.versions) <= 1:
        return []
    return [
        Refusal(
            f"the nodes run {len(view.versions)} versions: {', '.join(sorted(view.versions))}",
            "Finish the upgrade: catalog-ring upgrade VERSION",
        )
    ]


def refuse_owed(view: RingView, *, besides: str = "") -> list[Refusal]:
    """Refuse while a node owes a cleanup: what was deleted since could come back.

    Args:
        view: the ring.
        besides: because of whom one may be owed.
    """
    return [
        Refusal(
            f"{debt.address} owes a cleanup since {debt.taken_by} took ranges of it",
            "Pay it first: catalog-ring cleanup",
        )
        for debt in view.cleanups
        if debt.taken_by != besides
    ]


def refuse_unrepaired(view: RingView, *, besides: str = "") -> list[Refusal]:
    """Refuse while a keyspace, except `besides`, is altered in its replication and not repaired."""
    return [
        Refusal(
            f"the replication of {change.keyspace} is being changed from {change.factor_before} to "
            f"{change.factor}: not everything has been repaired",
            f"Finish it: catalog-ring replication {change.keyspace} {change.factor}",
        )
        for change in view.changes
        if change.keyspace != besides
    ]


def refuse_clocks(facts: Mapping[str, HostFacts]) -> list[Refusal]:
    """Refuse when the clocks of hosts (by name) are too far apart."""
    if not facts:
        return []
    offsets = {name: one.clock_offset_seconds for name, one in facts.items()}
    slow, fast = min(offsets, key=offsets.__getitem__), max(offsets, key=offsets.__getitem__)
    apart = offsets[fast] - offsets[slow]
    if apart <= CLOCKS_APART_SECONDS:
        return []
    return [
        Refusal(
            f"the clock of {fast} is {apart:.1f} s ahead of that of {slow}",
            "Let an NTP client keep all clocks.",
        )
    ]


def refuse_disk(name: str, facts: HostFacts, receives_bytes: int) -> list[Refusal]:
    """Refuse when a host has not enough room for what it would receive."""
    if facts.free_disk_bytes > receives_bytes * DISK_SPARE:
        return []
    return [
        Refusal(
            f"{name} would receive about {megabytes(receives_bytes)} and has "
            f"{megabytes(facts.free_disk_bytes)} free",
            "Make room there, or choose a host with a larger disk.",
        )
    ]


def refuse_used(
    entry: HostEntry, facts: HostFacts, view: RingView, *, is_ours: bool
) -> list[Refusal]:
    """Refuse a new host that another node or ring has used.

    Args:
        entry: the host.
        facts: what it says of itself.
        view: the ring.
        is_ours: whether its data is what an interrupted operation of ours left there.
    """
    refusals = []
    version = next(iter(view.versions), "")
    if facts.installed_version and version and facts.installed_version != version:
        refusals.append(
            Refusal(
                f"{entry.name} has Cassandra {facts.installed_version}, the ring runs {version}",
                f"Remove that installation; Cassandra {version} is then installed.",
            )
        )
    if facts.cluster_name and facts.cluster_name != view.cluster_name:
        refusals.append(
            Refusal(
                f"{entry.name} is configured for the ring {facts.cluster_name!r}, this one is "
                f"{view.cluster_name!r}",
                "Choose another host, or remove that node and its configuration.",
            )
        )
    if facts.data_bytes and not is_ours:
        refusals.append(
            Refusal(
                f"{entry.name} holds {megabytes(facts.data_bytes)} of a node's data",
                "A node that left must not come back with it: choose another host, or remove "
                f"the data if nobody needs it (catalog-ring add {entry.name} --wipe).",
            )
        )
    elif facts.node_runs and not is_ours:
        refusals.append(
            Refusal(
                f"a Cassandra that is no node of this ring runs on {entry.name}",
                "Stop it, or choose another host.",
            )
        )
    return refusals


def expected_bytes(view: RingView, *, datacenter: str, nodes: int, factor_ratio: float) -> int:
    """Return about how much each node of a datacenter will hold.

    Args:
        view: the ring as it is; each node's load counts.
        datacenter: whose nodes.
        nodes: how many there will be.
        factor_ratio: by how much replication grows; 1.0 when it stays.
    """
    held = sum(node.load_bytes for node in view.members if node.datacenter == datacenter)
    return round(held * factor_ratio / max(1, nodes))


def megabytes(count: float) -> str:
    """Return bytes in words."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"


def ring_is_well(view: RingView, *, besides: Sequence[str] = ()) -> list[Refusal]:
    """All that must hold for any change: up, settled, agreed, one version, records readable."""
    return [
        *refuse_down(view, besides=besides),
        *refuse_pending(view, besides=besides),
        *refuse_disagreement(view),
        *refuse_versions(view),
        *refuse_unreadable(view),
    ]
