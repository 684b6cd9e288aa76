"""Views of rings that never were, for decisions."""

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from ring.hosts.host import HostFacts
from ring.operations.errors import Refusal
from ring.operations.view import (
    GossipEntry,
    Membership,
    NodeReading,
    NodeView,
    OwedCleanup,
    RingView,
)

VERSION: Final = "5.0.9"
KEYSPACE: Final = "catalog"
DATACENTER: Final = "datacenter1"
SCHEMA: Final = "d03783d7-b468-3c1a-82f1-8e30b2edde8b"


def host_id_of(number: int) -> str:
    """The host id of node N."""
    return f"00000000-0000-0000-0000-{number:012}"


def address_of(number: int) -> str:
    """The address of node N."""
    return f"127.0.0.{number}"


def node_of(number: int, **changes: Any) -> NodeView:
    """Node N, up and normal, for a ring of up to three unless `member_for` says else."""
    node = NodeView(
        address=address_of(number),
        host_id=host_id_of(number),
        datacenter=DATACENTER,
        rack="rack1",
        membership=Membership.NORMAL,
        answers=True,
        silent_seconds=0.0,
        version=VERSION,
        schema_version=SCHEMA,
        load_bytes=1_000_000,
        tokens=(number,),
        member_for=frozenset(address_of(other) for other in (1, 2, 3)),
    )
    return dataclasses.replace(node, **changes)


def view_of(*nodes: NodeView, factor: int = 1, **changes: Any) -> RingView:
    """A ring of these nodes."""
    view = RingView(
        cluster_name="catalog",
        nodes=nodes,
        replication={KEYSPACE: {DATACENTER: factor}},
        apps={node.address: True for node in nodes},
        front=tuple(node.address for node in nodes),
    )
    return dataclasses.replace(view, **changes)


def facts_of(**changes: Any) -> HostFacts:
    """What a fresh host says of itself."""
    facts = HostFacts(
        clock_offset_seconds=0.0,
        free_disk_bytes=10_000_000_000,
        data_bytes=0,
        installed_version=None,
        cluster_name=None,
        node_runs=False,
        app_runs=False,
    )
    return dataclasses.replace(facts, **changes)


def gossip_of(number: int, status: str = "NORMAL", **changes: Any) -> GossipEntry:
    """What is heard of node N."""
    entry = GossipEntry(
        address=address_of(number),
        host_id=host_id_of(number),
        status=status,
        datacenter=DATACENTER,
        rack="rack1",
        version=VERSION,
        schema_version=SCHEMA,
        load_bytes=number * 1000,
        generation=1,
        heartbeat=100,
    )
    return dataclasses.replace(entry, **changes)


def reading_of(
    number: int, gossip: Sequence[GossipEntry], *, members: Sequence[int] | None = None
) -> NodeReading:
    """What node N tells: all that it hears of are its members unless `members` says else."""
    known = [int(entry.address.rpartition(".")[2]) for entry in gossip]
    return NodeReading(
        address=address_of(number),
        host_id=host_id_of(number),
        datacenter=DATACENTER,
        rack="rack1",
        version=VERSION,
        schema_version=SCHEMA,
        cluster_name="catalog",
        tokens=(number,),
        members={address_of(one): (one,) for one in (known if members is None else members)},
        gossip={entry.address: entry for entry in gossip},
    )


def owed_by(number: int, *, taken_by: str) -> OwedCleanup:
    """A cleanup that node N owes."""
    since = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return OwedCleanup(host_id_of(number), address_of(number), taken_by, since)


def reasons(refusals: Sequence[Refusal]) -> str:
    """All reasons as one text."""
    return "\n".join(refusal.reason for refusal in refusals)
