"""The ring as its nodes tell it at one moment: what every decision of an operation is made from.

Pure: `reading.py` asks the nodes, `build_nodes` puts together what they told, and the rest are
questions that have one answer for one view.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from ring.operation_lock import Holder

# A node counts its heartbeat up about once a second. One that is this far behind at another node is
# not heard there; gossip itself may take a few seconds on a busy machine.
_UNHEARD_HEARTBEATS: Final = 30
# A joining node answers no CQL: it lives while its heartbeat moves.
SILENT_SECONDS: Final = 15.0
_SEEDS: Final = 3
_GONE: Final = frozenset({"LEFT", "removed"})
_DIGITS: Final = re.compile(r"(\d+)")


class Membership(StrEnum):
    """What a node is to the ring, by the letter of `nodetool status`."""

    NORMAL = "N"
    JOINING = "J"
    LEAVING = "L"
    MOVING = "M"


_MEMBERSHIP_OF_STATUS: Final = {
    "NORMAL": Membership.NORMAL,
    "shutdown": Membership.NORMAL,
    "LEAVING": Membership.LEAVING,
    "removing": Membership.LEAVING,
    "MOVING": Membership.MOVING,
    "BOOT": Membership.JOINING,
    "BOOT_REPLACE": Membership.JOINING,
    "hibernate": Membership.JOINING,
    # It has begun to gossip and not said yet what it is going to be.
    "": Membership.JOINING,
}


@dataclass(frozen=True, slots=True)
class GossipEntry:
    """What one node has heard of another; `status` without its token, empty before it has one."""

    address: str
    host_id: str
    status: str
    datacenter: str
    rack: str
    version: str
    schema_version: str
    load_bytes: int
    generation: int
    heartbeat: int


@dataclass(frozen=True, slots=True)
class Stream:
    """One session of a streaming plan, as one of its two nodes tells it.

    Attributes:
        plan_id: shared by all sessions of one bootstrap, repair or decommission.
        operation: Cassandra's word: "Bootstrap", "Unbootstrap", "Repair", ….
        node, peers: who tells, and with whom it streams.
        bytes_done, bytes_received: of both directions; of those that came to this node.
        bytes_total: of what it is known to send or receive; grows while plans are made.
    """

    plan_id: str
    operation: str
    node: str
    peers: tuple[str, ...]
    bytes_done: int
    bytes_total: int
    status: str
    failure: str = ""
    bytes_received: int = 0

    @property
    def under_way(self) -> bool:
        """Whether it goes on."""
        return self.status not in ("success", "failure")


@dataclass(frozen=True, slots=True)
class Task:
    """A compaction, cleanup, validation, … that runs on a node; `done` and `total` in bytes."""

    node: str
    kind: str
    keyspace: str
    table: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class NodeReading:
    """All that one node told; `members` are the addresses it counts as owners of tokens."""

    address: str
    host_id: str
    datacenter: str
    rack: str
    version: str
    schema_version: str
    cluster_name: str
    tokens: tuple[int, ...] = field(repr=False)
    members: Mapping[str, tuple[int, ...]] = field(repr=False)
    gossip: Mapping[str, GossipEntry] = field(repr=False)
    streams: tuple[Stream, ...] = ()
    tasks: tuple[Task, ...] = ()
    pending_compactions: int = 0
    hinted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node, as all that answer see it.

    Attributes:
        answers: it speaks CQL with us.
        silent_seconds: how long nobody has heard of it, as far as we have looked.
        unheard_by: nodes that answer and have not heard of it for long, although it lives.
        member_for: nodes that answer and count it as an owner of its tokens.
        load_bytes: of its data, as it told within the last minute or so.
        generation: counts its starts: when it started, in seconds since 1970 by its own clock.
        pending_compactions: that wait for a thread; None when it does not answer.
    """

    address: str
    host_id: str
    datacenter: str
    rack: str
    membership: Membership
    answers: bool
    silent_seconds: float
    version: str
    schema_version: str
    load_bytes: int
    generation: int = 0
    tokens: tuple[int, ...] = field(default=(), repr=False)
    unheard_by: tuple[str, ...] = ()
    member_for: frozenset[str] = frozenset()
    pending_compactions: int | None = None

    @property
    def is_up(self) -> bool:
        """Whether it answers; of one that cannot yet, whether it is heard of."""
        joins = self.membership is Membership.JOINING
        return self.answers or (joins and self.silent_seconds < SILENT_SECONDS)

    @property
    def state(self) -> str:
        """Two letters as in `nodetool status`: "UN", "DN", "UJ", …."""
        return ("U" if self.is_up else "D") + self.membership


@dataclass(frozen=True, slots=True)
class OwedCleanup:
    """A node that still holds rows of ranges that it gave away, and which node took them.

    Attributes:
        since: when this was noted (UTC), before the other node began to stream.
    """

    host_id: str
    address: str
    taken_by: str
    since: datetime


@dataclass(frozen=True, slots=True)
class ReplicationChange:
    """A keyspace whose replication is being changed: altered, or about to be, and not repaired.

    Attributes:
        datacenter: whose replicas become `factor`, having been `factor_before`.
        repaired: host ids of nodes whose primary ranges have been repaired since.
    """

    keyspace: str
    datacenter: str
    factor_before: int
    factor: int
    repaired: frozenset[str]


@dataclass(frozen=True, slots=True)
class RingView:
    """The ring, its debts and what stands before it.

    Attributes:
        nodes: by address; also those that join or are down.
        replication: of each keyspace that is not Cassandra's own, by datacenter.
        tables: of the catalog's keyspace.
        cleanups, changes: what earlier operations still owe.
        debts_problem: why those and the lock's holder could not be read; empty when they were.
        apps: of each host that was asked, whether its app server is ready.
        front: addresses of the app servers that nginx sends requests to; None when not asked.
    """

    cluster_name: str = ""
    nodes: tuple[NodeView, ...] = ()
    replication: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    tables: frozenset[str] = frozenset()
    streams: tuple[Stream, ...] = ()
    tasks: tuple[Task, ...] = ()
    holder: Holder | None = None
    cleanups: tuple[OwedCleanup, ...] = ()
    changes: tuple[ReplicationChange, ...] = ()
    debts_problem: str = ""
    apps: Mapping[str, bool] = field(default_factory=dict)
    front: tuple[str, ...] | None = None

    def node(self, address: str) -> NodeView | None:
        """Return the node at an address; None when no node knows it."""
        return next((node for node in self.nodes if node.address == address), None)

    @property
    def members(self) -> tuple[NodeView, ...]:
        """Nodes that own tokens: all but those that join."""
        return tuple(node for node in self.nodes if node.membership is not Membership.JOINING)

    @property
    def moving(self) -> tuple[NodeView, ...]:
        """Nodes that join, leave or move: while there is one, ranges are pending."""
        return tuple(node for node in self.nodes if node.membership is not Membership.NORMAL)

    @property
    def up_normal(self) -> tuple[NodeView, ...]:
        """Nodes that serve."""
        return tuple(node for node in self.nodes if node.state == "UN")

    @property
    def answering(self) -> frozenset[str]:
        """Addresses of the nodes that answer."""
        return frozenset(node.address for node in self.nodes if node.answers)

    @property
    def versions(self) -> frozenset[str]:
        """Versions of Cassandra in the ring; empty words of nodes that did not say are left out."""
        return frozenset(node.version for node in self.nodes if node.version)

    @property
    def schema_versions(self) -> frozenset[str]:
        """Versions of the schema on the nodes that are up; more than one is a disagreement."""
        return frozenset(
            node.schema_version for node in self.members if node.is_up and node.schema_version
        )

    def is_settled(self, address: str) -> bool:
        """Whether a node is up and normal for every node that answers, and schemas agree."""
        node = self.node(address)
        return (
            node is not None
            and node.state == "UN"
            and node.member_for >= self.answering
            and len(self.schema_versions) == 1
        )

    def seeds(self, *, without: Iterable[str] = ()) -> tuple[str, ...]:
        """Return the addresses that nodes ask first when they start: up to three that serve."""
        leave_out = set(without)
        return tuple(node.address for node in self.up_normal if node.address not in leave_out)[
            :_SEEDS
        ]

    def factor(self, keyspace: str, datacenter: str) -> int:
        """Return how many replicas a keyspace has in a datacenter; 0 when it has none there."""
        return self.replication.get(keyspace, {}).get(datacenter, 0)

    def change_of(self, keyspace: str) -> ReplicationChange | None:
        """Return the change of a keyspace's replication that is not finished, if there is one."""
        return next((change for change in self.changes if change.keyspace == keyspace), None)


def build_nodes(
    readings: Sequence[NodeReading], silent_seconds: Mapping[str, float]
) -> tuple[NodeView, ...]:
    """Put together what the nodes that answer told of each node.

    Args:
        readings: one of each node that answers.
        silent_seconds: of each address, how long its heartbeat has stood still for all of them.

    Returns:
        Nodes by address. Where nodes disagree about one, the least settled word counts.
    """
    told = {reading.address: reading for reading in readings}
    addresses = {address for reading in readings for address in reading.members}
    addresses |= {
        entry.address
        for reading in readings
        for entry in reading.gossip.values()
        if not _is_gone(entry.status)
    }
    return tuple(
        _build_node(address, told, silent_seconds.get(address, 0.0))
        for address in sorted(addresses | told.keys(), key=address_order)
    )


def _build_node(address: str, told: Mapping[str, NodeReading], silent_seconds: float) -> NodeView:
    own = told.get(address)
    entries = {
        observer: reading.gossip[address]
        for observer, reading in told.items()
        if address in reading.gossip
    }
    newest = max(
        entries.values(), key=lambda entry: (entry.generation, entry.heartbeat), default=None
    )
    member_for = frozenset(o for o, reading in told.items() if address in reading.members)
    tokens = next((r.members[address] for r in told.values() if address in r.members), ())
    source = own or newest
    return NodeView(
        address=address,
        host_id=source.host_id if source else "",
        datacenter=source.datacenter if source else "",
        rack=source.rack if source else "",
        membership=_membership(entries.values(), is_member=bool(member_for)),
        answers=own is not None,
        silent_seconds=0.0 if own else silent_seconds,
        version=source.version if source else "",
        schema_version=source.schema_version if source else "",
        load_bytes=newest.load_bytes if newest else 0,
        generation=newest.generation if newest else 0,
        tokens=tokens,
        unheard_by=_unheard_by(address, entries) if own else (),
        member_for=member_for,
        pending_compactions=own.pending_compactions if own else None,
    )


def _membership(entries: Iterable[GossipEntry], *, is_member: bool) -> Membership:
    words = set()
    for entry in entries:
        if _is_gone(entry.status):
            continue
        # A node of which nothing but its saved address is known after everyone restarted.
        known = entry.status or ("NORMAL" if is_member else "")
        words.add(_MEMBERSHIP_OF_STATUS.get(known, Membership.JOINING))
    for word in (Membership.LEAVING, Membership.MOVING, Membership.JOINING):
        if word in words:
            return word
    return Membership.NORMAL


def _unheard_by(address: str, entries: Mapping[str, GossipEntry]) -> tuple[str, ...]:
    """Who is far behind what the node says of itself."""
    own = entries.get(address)
    if own is None:
        return ()
    return tuple(
        observer
        for observer, entry in sorted(entries.items())
        if entry.generation < own.generation
        or own.heartbeat - entry.heartbeat > _UNHEARD_HEARTBEATS
    )


def _is_gone(status: str) -> bool:
    return status in _GONE


def address_order(address: str) -> tuple[tuple[int, str], ...]:
    """Order addresses and names by the numbers in them: node2 before node10."""
    return tuple(
        (int(part), "") if part.isdigit() else (-1, part) for part in _DIGITS.split(address)
    )
