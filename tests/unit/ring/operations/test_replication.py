"""The order in which replication is raised and lowered, and what is refused."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ring.operations.context import Context
from ring.operations.replication import (
    ReplicationOperation,
    fewer_replicas,
    raise_steps,
    refuse_factor,
)
from ring.operations.steps import Step
from ring.operations.view import NodeView, ReplicationChange, RingView
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

_CONTEXT = cast(Context, SimpleNamespace())
_NODES = [node_of(1), node_of(2), node_of(3)]


def _raise(view: RingView, target: int, nodes: list[NodeView] | None = None) -> list[Step]:
    return raise_steps(_CONTEXT, "add", view, nodes or _NODES, KEYSPACE, DATACENTER, target)


def _change(factor: int, *repaired: int) -> ReplicationChange:
    ids = frozenset(host_id_of(number) for number in repaired)
    return ReplicationChange(KEYSPACE, DATACENTER, factor - 1, factor, ids)


def test_replication_when_raised_by_two_then_one_at_a_time_with_repairs_between() -> None:
    """Two new empty replicas of three could make a quorum."""
    steps = _raise(view_of(*_NODES, factor=1), 3)
    once = ["replicate", "repair", "repair", "repair", "settle"]
    assert [step.name for step in steps] == once * 2
    assert "2 replicas instead of 1" in steps[0].what
    assert "3 replicas instead of 2" in steps[5].what


def test_replication_when_it_is_high_enough_then_no_step() -> None:
    """A ring of five keeps three."""
    assert _raise(view_of(*_NODES, factor=3), 3) == []


@pytest.mark.parametrize(
    ("factor", "change", "undone"),
    [
        # Noted and not altered.
        (1, _change(2), ["replicate", "repair 1", "repair 2", "repair 3", "settle"]),
        # Altered and not repaired, or in part.
        (2, _change(2), ["repair 1", "repair 2", "repair 3", "settle"]),
        (2, _change(2, 1, 3), ["repair 2", "settle"]),
        # All repaired, and not noted.
        (2, _change(2, 1, 2, 3), ["settle"]),
    ],
)
def test_replication_when_a_change_was_begun_then_it_is_finished_first(
    factor: int, change: ReplicationChange, undone: list[str]
) -> None:
    """What is left of it is read from the ring."""
    view = view_of(*_NODES, factor=factor, changes=(change,))
    steps = _raise(view, 2)
    found = [
        f"repair {next(n for n in (1, 2, 3) if address_of(n) in step.what)}"
        if step.name == "repair"
        else step.name
        for step in steps
        if not step.is_done(view)
    ]
    assert found == undone


def test_replication_when_a_begun_change_is_all_there_is_then_it_is_finished_all_the_same() -> None:
    """The keyspace has as many replicas as it shall, and some of them are empty."""
    view = view_of(*_NODES, factor=2, changes=(_change(2),))
    assert [step.name for step in _raise(view, 2)][-1] == "settle"


def test_replication_when_a_node_is_to_join_then_it_is_repaired_as_well() -> None:
    """Its host id is known when it has joined."""
    itself = node_of(3, host_id="")
    view = view_of(node_of(1), node_of(2), factor=2)
    steps = _raise(view, 3, [node_of(1), node_of(2), itself])
    repair = steps[3]
    assert address_of(3) in repair.what
    joined = view_of(*_NODES, factor=3, changes=(_change(3, 1, 2),))
    assert not repair.is_done(joined)
    assert repair.is_done(view_of(*_NODES, factor=3, changes=(_change(3, 1, 2, 3),)))


def test_replication_when_lowered_then_repaired_before_and_cleaned_up_after() -> None:
    """A row that only the replica which goes and another have must be on the others first."""
    nodes = [node_of(number) for number in range(1, 6)]
    view = view_of(*nodes, factor=5)
    steps = ReplicationOperation(KEYSPACE, 3, DATACENTER).steps(_CONTEXT, view)
    once = ["replicate", *["repair"] * 5, "settle"]
    assert [step.name for step in steps] == [*once, *once, *["cleanup"] * 5]


def test_replication_when_lowering_was_killed_before_the_cleanups_then_they_are_left() -> None:
    """It has as few replicas as it shall; what it owes it pays."""
    owed = tuple(owed_by(number, taken_by=fewer_replicas(KEYSPACE)) for number in (2, 3))
    view = view_of(*_NODES, node_of(4), factor=3, cleanups=owed)
    steps = ReplicationOperation(KEYSPACE, 3).steps(_CONTEXT, view)
    assert [step.name for step in steps if not step.is_done(view)] == ["cleanup", "cleanup"]


async def test_replication_when_a_cleanup_is_owed_then_refused_but_for_its_own() -> None:
    """A node that becomes a replica again with rows of old could bring back deleted ones."""
    for taken_by, factor, reason in (
        (fewer_replicas(KEYSPACE), 2, ""),
        (fewer_replicas(KEYSPACE), 3, "owes a cleanup"),
        ("127.0.0.9", 2, "owes a cleanup"),
    ):
        view = view_of(*_NODES, factor=2, cleanups=(owed_by(1, taken_by=taken_by),))
        operation = ReplicationOperation(KEYSPACE, factor, accept_outage=True)
        refusals = await operation.refusals(_CONTEXT, view)
        assert reason in reasons(refusals)
        assert bool(reason) == bool(refusals)


@pytest.mark.parametrize(
    ("now", "nodes", "asked", "reason"),
    [
        (1, 2, 3, "3 replicas, but datacenter1 has 2 node(s)"),
        (3, 3, 2, "2 replicas on 3 nodes"),
        (2, 2, 1, "1 replicas on 2 nodes"),
        (3, 5, 1, "1 replicas on 5 nodes"),
        (1, 1, 0, "0 replicas: no row would be kept"),
        (1, 2, 2, ""),
        (1, 3, 2, ""),
        (5, 5, 3, ""),
    ],
)
def test_factor_when_clients_could_not_live_with_it_then_refused(
    now: int, nodes: int, asked: int, reason: str
) -> None:
    """Never more than nodes; never fewer than a quorum needs to outlive a node."""
    view = view_of(*(node_of(number) for number in range(1, nodes + 1)), factor=now)
    refusals = refuse_factor(view, KEYSPACE, DATACENTER, asked)
    assert reason in reasons(refusals)
    assert bool(reason) == bool(refusals)
    accepted = refuse_factor(view, KEYSPACE, DATACENTER, asked, accept_outage=True)
    assert bool(accepted) == (not 1 <= asked <= nodes)


def test_factor_when_keyspace_or_datacenter_is_unknown_then_refused() -> None:
    """Also a keyspace without NetworkTopologyStrategy."""
    view = view_of(node_of(1))
    for keyspace, datacenter in (("other", DATACENTER), (KEYSPACE, "elsewhere"), (KEYSPACE, "")):
        assert f"keyspace {keyspace} has no replicas in" in reasons(
            refuse_factor(view, keyspace, datacenter, 1)
        )


async def test_replication_when_a_disk_is_too_small_for_it_then_refused() -> None:
    """Twice the replicas on as many nodes: each receives as much as it has."""

    async def read_facts() -> Any:
        return facts_of(free_disk_bytes=1_000_000)

    host = SimpleNamespace(read_facts=read_facts, entry=SimpleNamespace(name="node1"))
    context = cast(Context, SimpleNamespace(host_at=lambda _address: host))
    view = view_of(node_of(1), node_of(2), factor=1)
    operation = ReplicationOperation(KEYSPACE, 2, DATACENTER)
    refusals = await operation.refusals(context, view)
    assert reasons(refusals) == "\n".join(
        ["node1 would receive about 1.0 MB and has 1.0 MB free"] * 2
    )
