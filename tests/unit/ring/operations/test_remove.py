"""When a node may leave, and what an interrupted removal has still to do."""

import asyncio
from typing import Any

import pytest

from ring.operations.errors import OperationError
from ring.operations.keyspaces import read_keyspaces
from ring.operations.remove import Remove, too_few
from ring.operations.view import Membership, NodeView, ReplicationChange, RingView
from tests.support.ring_views import (
    DATACENTER,
    address_of,
    node_of,
    owed_by,
    reasons,
    view_of,
)
from tests.support.scripted_hosts import (
    Rows,
    ScriptedHost,
    as_host,
    gossip_row,
    keyspace_row,
    scripted_context,
)

_LEAVING = address_of(3)


def _answers(factor: int = 2, own: int = 2, left: tuple[int, ...] = ()) -> Any:
    rows = [
        keyspace_row("system", "LocalStrategy"),
        keyspace_row("catalog", "NetworkTopologyStrategy", datacenter1=factor),
        keyspace_row("system_distributed", "SimpleStrategy", replication_factor=own),
    ]

    def answer(cql: str) -> Rows:
        if "gossip_info" in cql:
            return [gossip_row(number, "LEFT,1,2") for number in left]
        return rows

    return answer


def _three(**changes: Any) -> tuple[NodeView, ...]:
    return (node_of(1), node_of(2), node_of(3, **changes))


def _refusals(view: RingView, host: ScriptedHost | None = None, answers: Any = None) -> str:
    host = host or ScriptedHost(3, data_bytes=1000, node_runs=True)
    context = scripted_context(view, hosts=[host], answers=answers or _answers())
    return reasons(asyncio.run(Remove(as_host(host)).refusals(context, view)))


def test_remove_when_the_ring_is_well_then_not_refused() -> None:
    """Three nodes with two replicas can lose one."""
    assert _refusals(view_of(*_three(), factor=2)) == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answers": False}, "only a live node can hand over its rows"),
        ({"membership": Membership.JOINING}, "is joining, and owns nothing yet"),
    ],
)
def test_remove_when_the_node_cannot_hand_over_then_refused(
    changes: dict[str, Any], words: str
) -> None:
    """Of a dead node nothing can be streamed."""
    assert words in _refusals(view_of(*_three(**changes), factor=2))


async def test_remove_when_the_node_is_dead_then_replace_is_named() -> None:
    """A dead node is replaced: its rows come from the other replicas."""
    view = view_of(*_three(answers=False), factor=2)
    host = ScriptedHost(3)
    context = scripted_context(view, hosts=[host], answers=_answers())
    refusals = await Remove(as_host(host)).refusals(context, view)
    assert "catalog-ring replace node3 HOST" in refusals[0].advice


def test_remove_when_it_is_leaving_already_then_watched() -> None:
    """A run that was killed meanwhile goes on; the ranges that are pending are its own."""
    assert _refusals(view_of(*_three(membership=Membership.LEAVING), factor=2)) == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answers": False}, "127.0.0.2 is down"),
        ({"membership": Membership.JOINING}, "127.0.0.2 is joining"),
        ({"membership": Membership.LEAVING}, "127.0.0.2 is leaving"),
        ({"membership": Membership.MOVING}, "127.0.0.2 is moving"),
        ({"version": "5.0.8"}, "2 versions"),
        ({"schema_version": "another"}, "versions of the schema"),
        ({"unheard_by": (address_of(1),)}, "have not heard of 127.0.0.2"),
    ],
)
def test_remove_when_another_node_is_not_well_then_refused(
    changes: dict[str, Any], words: str
) -> None:
    """Every other node may have to receive rows, or to be a replica alone."""
    nodes = (node_of(1), node_of(2, **changes), node_of(3))
    assert words in _refusals(view_of(*nodes, factor=2))


def test_remove_when_a_cleanup_is_owed_then_refused() -> None:
    """Rows deleted since could come back from a node that holds what is no longer its own."""
    view = view_of(*_three(), factor=2, cleanups=(owed_by(1, taken_by=_LEAVING),))
    assert "owes a cleanup" in _refusals(view)


def test_remove_when_replication_is_being_changed_then_refused() -> None:
    """A replica that has not been repaired may lack rows that the leaving node has."""
    change = ReplicationChange("catalog", DATACENTER, 1, 2, frozenset())
    assert "being changed" in _refusals(view_of(*_three(), factor=2, changes=(change,)))


def test_remove_when_it_is_the_last_then_refused() -> None:
    """With the last node all data would go."""
    assert "is the last node" in _refusals(view_of(node_of(3), factor=1), answers=_answers(1, 1))


@pytest.mark.parametrize(("nodes", "option"), [(3, " --accept-outage"), (4, "")])
async def test_remove_when_too_few_nodes_would_stay_then_replication_is_named(
    nodes: int, option: str
) -> None:
    """With fewer than three replicas, a quorum does not outlive the loss of a node."""
    everyone = frozenset(address_of(n) for n in range(1, nodes + 1))
    members = [node_of(n, member_for=everyone) for n in range(1, nodes + 1)]
    view = view_of(*members, factor=nodes)
    host = ScriptedHost(3)
    context = scripted_context(view, hosts=[host], answers=_answers(nodes))
    refusals = await Remove(as_host(host)).refusals(context, view)
    assert f"catalog keeps {nodes} replicas, and {nodes - 1} node(s)" in reasons(refusals)
    assert refusals[0].advice.endswith(f"catalog-ring replication catalog {nodes - 1}{option}")


async def test_remove_when_only_cassandras_own_has_too_many_replicas_then_they_are_lowered() -> (
    None
):
    """Cassandra refuses to decommission otherwise, and what is in them is whole with fewer."""
    view = view_of(*_three(), factor=2)
    host = ScriptedHost(3)
    context = scripted_context(view, hosts=[host], answers=_answers(2, 3))
    remove = Remove(as_host(host))
    assert not await remove.refusals(context, view)
    step = next(one for one in remove.steps(context, view) if one.name == "replicas")
    assert not step.is_done(view)
    await step.run()
    assert context.reader.statements[-1] == (  # type: ignore[attr-defined]
        'ALTER KEYSPACE "system_distributed" WITH replication = '
        "{'class': 'SimpleStrategy', 'replication_factor': '2'}"
    )


def test_nodes_when_they_stand_elsewhere_then_they_hold_no_replica_here() -> None:
    """NetworkTopologyStrategy counts each datacenter alone, SimpleStrategy none."""
    view = view_of(node_of(1), node_of(2, datacenter="east"), node_of(3))
    rows = _answers(factor=2, own=2)("")
    assert [(one.name, left) for one, left in too_few(view, read_keyspaces(rows), node_of(3))] == [
        ("catalog", 1)
    ]


def test_remove_when_a_receivers_disk_is_too_small_then_refused() -> None:
    """Every one that may receive rows needs room for them."""
    nodes = (node_of(1), node_of(2), node_of(3, load_bytes=30_000_000_000))
    assert "node1 would receive about" in _refusals(view_of(*nodes, factor=2))


def test_remove_when_clocks_are_apart_then_refused() -> None:
    """A row that moves keeps its time; the later one wins."""
    host = ScriptedHost(3, clock_offset_seconds=5.0)
    assert "the clock of node3" in _refusals(view_of(*_three(), factor=2), host)


def _left(view: RingView) -> list[str]:
    host = ScriptedHost(3)
    steps = Remove(as_host(host)).steps(scripted_context(view), view)
    assert {step.name for step in steps} <= set(Remove.step_names)
    return [step.name for step in steps if not step.is_done(view)]


def test_remove_when_interrupted_then_goes_on_where_the_ring_is() -> None:
    """Out of nginx, leaving, or gone and not wiped: the ring and nginx tell."""
    always = ["stop", "wipe", "seeds"]
    assert _left(view_of(*_three())) == ["nginx", "app", "leave", *always]
    front = (address_of(1), address_of(2))
    assert _left(view_of(*_three(), front=front)) == ["app", "leave", *always]
    assert _left(view_of(node_of(1), node_of(2))) == ["app", *always]


def test_remove_when_it_has_left_and_was_not_wiped_then_wiped() -> None:
    """Its data must not come back; that it left is remembered by gossip for three days."""
    view = view_of(node_of(1), node_of(2), factor=2)
    host = ScriptedHost(3, data_bytes=1000)
    assert _refusals(view, host, _answers(left=(3,))) == ""
    assert "has not left it lately" in _refusals(view, host, _answers(left=(2,)))


def test_remove_when_nothing_is_left_to_do_then_not_refused() -> None:
    """The same command again, after all was done, is no mistake."""
    view = view_of(node_of(1), node_of(2), factor=2)
    assert _refusals(view, ScriptedHost(3)) == ""


@pytest.mark.parametrize("name", ["stop", "wipe"])
async def test_wipe_when_the_node_is_in_the_ring_then_its_data_stays(name: str) -> None:
    """Whatever a plan said: the ring is asked again just before."""
    view = view_of(*_three())
    host = ScriptedHost(3)
    context = scripted_context(view, hosts=[host])
    step = next(s for s in Remove(as_host(host)).steps(context, view) if s.name == name)
    with pytest.raises(OperationError, match="node3 is in the ring"):
        await step.run()
    assert host.asked == []
