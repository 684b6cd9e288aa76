"""Which steps an `add` has, and which are left, by what the ring says."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ring.hosts.host import Host, HostEntry
from ring.operations.add import Add
from ring.operations.app_tier import front_addresses
from ring.operations.context import Context
from ring.operations.view import Membership, NodeView, ReplicationChange, RingView
from tests.support.ring_views import (
    DATACENTER,
    KEYSPACE,
    address_of,
    facts_of,
    host_id_of,
    node_of,
    owed_by,
    reasons,
    view_of,
)

_NEW = address_of(3)


def _host(number: int, **facts: Any) -> Any:
    async def read_facts() -> Any:
        return facts_of(**facts)

    entry = HostEntry(f"node{number}", address_of(number))
    return SimpleNamespace(entry=entry, read_facts=read_facts)


def _context(**facts: Any) -> Context:
    def host_at(address: str) -> Any:
        return _host(int(address.rpartition(".")[2]), **facts)

    settings = SimpleNamespace(keyspace=KEYSPACE)
    return cast(Context, SimpleNamespace(settings=settings, host_at=host_at))


def _add(**facts: Any) -> Add:
    return Add(cast(Host, _host(3, **facts)))


def _left(view: RingView) -> list[str]:
    steps = _add().steps(_context(), view)
    return [step.name for step in steps if not step.is_done(view)]


def _old(*more: NodeView) -> tuple[NodeView, ...]:
    return (node_of(1), node_of(2), *more)


def test_add_when_the_host_is_new_then_everything_in_order() -> None:
    """Cleanup before replication is raised: deleted rows must not come back."""
    view = view_of(*_old(), factor=2)
    steps = _add().steps(_context(), view)
    assert [step.name for step in steps] == [
        *("install", "owe", "join", "check", "app", "nginx", "cleanup", "cleanup"),
        *("replicate", "repair", "repair", "repair", "settle", "seeds"),
    ]
    assert {step.name for step in steps} <= set(Add.step_names)


_OWED = (owed_by(1, taken_by=_NEW), owed_by(2, taken_by=_NEW))
_BEGUN = ReplicationChange(KEYSPACE, DATACENTER, 2, 3, frozenset({host_id_of(1)}))
_LAST = ["seeds"]
_REPAIRS = ["repair", "repair", "settle", *_LAST]


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        # Joined, and nothing after it.
        (
            {"apps": {}, "front": (), "cleanups": _OWED, "factor": 2},
            ["check", "app", "nginx", "cleanup", "cleanup", "replicate", *_LAST],
        ),
        # App and nginx, one of two cleaned up.
        ({"cleanups": _OWED[1:], "factor": 2}, ["cleanup", "replicate", *_LAST]),
        # Altered, one repaired.
        ({"factor": 3, "changes": (_BEGUN,)}, _REPAIRS),
        # All of it.
        ({"factor": 3}, _LAST),
    ],
)
def test_add_when_it_was_killed_after_joining_then_what_is_left(
    changes: dict[str, Any], left: list[str]
) -> None:
    """Read from the ring alone."""
    assert _left(view_of(*_old(node_of(3)), **changes)) == left


def test_add_when_the_node_joins_still_then_it_is_watched() -> None:
    """What was installed is brought again, which does nothing where it is there."""
    joining = node_of(3, membership=Membership.JOINING, answers=False)
    view = view_of(*_old(joining), factor=2, cleanups=_OWED)
    assert _left(view)[:3] == ["install", "owe", "join"]


async def test_add_when_ring_and_host_are_well_then_not_refused() -> None:
    """Also when the node is a member already and has died since."""
    assert await _add().refusals(_context(), view_of(*_old(), factor=2)) == []
    died = view_of(*_old(node_of(3, answers=False)), factor=2)
    assert await _add(data_bytes=1).refusals(_context(), died) == []


async def test_add_when_another_node_is_joining_then_refused() -> None:
    """One change at a time, also one that was not made by us."""
    view = view_of(*_old(node_of(4, membership=Membership.JOINING)), factor=2)
    assert "127.0.0.4 is joining" in reasons(await _add().refusals(_context(), view))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"data_bytes": 5}, "holds 0 kB of a node's data"),
        ({"cluster_name": "other"}, "configured for the ring 'other'"),
        ({"installed_version": "4.1.3"}, "has Cassandra 4.1.3"),
        ({"free_disk_bytes": 10}, "would receive about"),
        ({"clock_offset_seconds": 3.0}, "the clock of node3 is 3.0 s ahead"),
    ],
)
async def test_add_when_the_host_is_not_fit_then_refused(
    facts: dict[str, Any], reason: str
) -> None:
    """Before anything was changed."""
    view = view_of(*_old(), factor=2)
    assert reason in reasons(await _add(**facts).refusals(_context(), view))


async def test_add_when_an_earlier_run_left_data_then_taken() -> None:
    """It noted the cleanups that this host will cause, before it started the node."""
    view = view_of(*_old(), factor=2, cleanups=_OWED)
    assert await _add(data_bytes=5).refusals(_context(), view) == []
    other = view_of(*_old(), factor=2, cleanups=(owed_by(1, taken_by=address_of(2)),))
    assert "of a node's data" in reasons(await _add(data_bytes=5).refusals(_context(), other))


async def test_add_when_the_datacenter_has_no_replicas_then_refused() -> None:
    """A misspelt one in the inventory."""
    view = view_of(*_old(), replication={KEYSPACE: {"elsewhere": 2}})
    assert "no replicas in datacenter datacenter1" in reasons(
        await _add().refusals(_context(), view)
    )


def test_front_when_made_from_the_ring_then_ready_ones_and_those_that_it_knows() -> None:
    """What is down for a moment nginx notices by itself; what left the ring goes."""
    view = view_of(
        node_of(1),
        node_of(2),
        node_of(3),
        node_of(4),
        apps={address_of(1): True, address_of(2): False, address_of(4): False},
        front=(address_of(2), address_of(9)),
    )
    assert front_addresses(view) == [address_of(1), address_of(2)]
    assert front_addresses(view, also=(address_of(3),), besides=(address_of(1),)) == [
        address_of(2),
        address_of(3),
    ]
