"""Whom a restart stops, in which order, when it refuses, and where it goes on."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from ring.operations.errors import OperationError
from ring.operations.restart import Restart, in_turns, outlives_one
from ring.operations.restarting import Turn, turn_steps
from ring.operations.view import Membership, NodeView, RingView
from tests.support.ring_views import (
    DATACENTER,
    address_of,
    host_id_of,
    node_of,
    reasons,
    view_of,
)
from tests.support.scripted_hosts import ScriptedHost, as_host, scripted_context

_OLD, _NEW = 100, 200
_TURN = ["front-out", "drain", "stop", "start", "settle", "warm", "front-in"]


def _node(number: int, generation: int = _OLD, **changes: Any) -> NodeView:
    return node_of(number, generation=generation, **changes)


def _ring(*generations: int, **changes: Any) -> RingView:
    nodes = [_node(number, generation) for number, generation in enumerate(generations, 1)]
    return view_of(*nodes, factor=3, **changes)


def _restart(*numbers: int, noted: Mapping[str, Any] | None = None, **options: bool) -> Restart:
    restart = Restart([as_host(ScriptedHost(number)) for number in numbers], **options)
    restart._noted = noted
    return restart


def _refusals(restart: Restart, view: RingView, noted: Mapping[str, Any] | None = None) -> str:
    with pytest.MonkeyPatch.context() as patch:

        async def fetch(*_arguments: object) -> Mapping[str, Any] | None:
            return noted

        patch.setattr("ring.operations.restart.fetch_unfinished", fetch)
        return reasons(asyncio.run(restart.refusals(scripted_context(view), view)))


def _left(view: RingView, restart: Restart, later: RingView | None = None) -> list[str]:
    """Names of the steps that are not done in a later view of the ring."""
    steps = restart.steps(scripted_context(view), view)
    assert {step.name for step in steps} <= set(Restart.step_names)
    return [step.name for step in steps if not step.is_done(later or view)]


def test_restart_when_nothing_was_done_then_a_note_and_a_turn_for_each() -> None:
    """The note comes first: without it a killed run would begin with the first node again."""
    assert _left(_ring(_OLD, _OLD, _OLD), _restart()) == ["plan", *_TURN * 3]
    assert _left(_ring(_OLD, _OLD, _OLD), _restart(2)) == ["plan", *_TURN]


def test_restart_when_a_run_was_interrupted_then_nodes_started_since_are_done() -> None:
    """A start counts its generation up; the note has what it was before."""
    noted = {"generations": {host_id_of(number): _OLD for number in (1, 2, 3)}}
    assert _left(_ring(_NEW, _OLD, _OLD), _restart(noted=noted)) == _TURN * 2
    assert _left(_ring(_NEW, _NEW, _NEW), _restart(noted=noted)) == []


def test_restart_when_no_note_was_left_then_all_are_restarted() -> None:
    """What cannot be known is done again: that costs time and harms nobody."""
    assert _left(_ring(_NEW, _OLD, _OLD), _restart()) == ["plan", *_TURN * 3]


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        # Killed after nginx was told.
        ({}, _TURN[1:]),
        # Drained or stopped: it answers nobody.
        ({"answers": False}, _TURN[2:]),
        # Started, and gossiping, and not yet serving: whether it ever will is not known.
        ({"answers": False, "generation": _NEW}, _TURN[2:]),
        # It serves, and one node does not know yet.
        ({"generation": _NEW, "unheard_by": (address_of(2),)}, _TURN[4:]),
        ({"generation": _NEW, "member_for": frozenset()}, _TURN[4:]),
        # It serves, and nginx does not know.
        ({"generation": _NEW}, _TURN[5:]),
    ],
)
def test_turn_when_interrupted_then_goes_on_at_its_next_step(
    changes: dict[str, Any], left: list[str]
) -> None:
    """A node whose turn was begun stays out of nginx until it serves again."""
    others = (_node(2), _node(3))
    before = view_of(_node(1), *others, factor=3)
    node = _node(1, **{"generation": _OLD, **changes})
    now = view_of(node, *others, factor=3, front=(address_of(2), address_of(3)))
    assert _left(before, _restart(1), now)[1:] == left


def test_turn_when_nginx_serves_nobody_then_it_is_left_alone() -> None:
    """A ring without app servers has nothing to be taken out of."""
    before, now = _ring(_OLD, _OLD, _OLD, front=()), _ring(_NEW, _OLD, _OLD, front=())
    assert _left(before, _restart(1), now) == ["plan"]
    assert "front-out" not in _left(before, _restart(1))


def test_turn_when_it_is_the_last_in_nginx_then_it_stays_there() -> None:
    """Nginx needs somebody: an outage was accepted, a configuration that fails was not."""
    view = view_of(_node(1), factor=1)
    assert "front-out" not in _left(view, _restart(1, accept_outage=True))


def test_turns_when_planned_then_the_down_ones_first_then_rack_by_rack() -> None:
    """What is down is mended before anything else is stopped."""
    nodes = [
        _node(10, rack="a"),
        _node(2, rack="b"),
        _node(3, rack="a"),
        _node(4, rack="b", answers=False),
    ]
    assert [node.address for node in in_turns(nodes)] == [address_of(n) for n in (4, 3, 10, 2)]


@pytest.mark.parametrize(
    ("factor", "nodes", "outlives"),
    [
        *((1, 1, False), (1, 3, False), (2, 2, False), (2, 3, False), (3, 2, False)),
        *((3, 3, True), (3, 5, True), (4, 4, True), (5, 5, True)),
    ],
)
def test_quorum_when_one_node_is_away_then_it_takes_three_replicas(
    factor: int, nodes: int, *, outlives: bool
) -> None:
    """A replica that no node has counts as one that is away for ever."""
    view = view_of(*(_node(number) for number in range(1, nodes + 1)), factor=factor)
    assert outlives_one(view, "catalog", DATACENTER) is outlives


def test_restart_when_a_quorum_would_be_lost_then_only_with_a_word_for_it() -> None:
    """With two replicas, reads and writes fail while one is away."""
    view = view_of(_node(1), _node(2), factor=2)
    assert "catalog has no quorum" in _refusals(_restart(), view)
    assert _refusals(_restart(accept_outage=True), view) == ""


def test_restart_when_the_one_that_is_down_is_meant_then_no_quorum_is_asked_for() -> None:
    """Starting it takes nothing from anybody."""
    view = view_of(_node(1), _node(2, answers=False), factor=2)
    assert _refusals(_restart(2), view) == ""


def test_restart_when_another_node_is_down_then_refused() -> None:
    """Two away at once would be two replicas of some row."""
    view = view_of(_node(1), _node(2), _node(3, answers=False), factor=3)
    assert "127.0.0.3 is down" in _refusals(_restart(1), view)
    assert "127.0.0.3 is down" in _refusals(_restart(), view)
    assert _refusals(_restart(3), view) == ""


def test_restart_when_an_earlier_run_left_a_node_down_then_it_is_mended() -> None:
    """The same command again starts it: it was that command which stopped it."""
    front = (address_of(1), address_of(3))
    nodes = (_node(1, _NEW), _node(2, answers=False), _node(3))
    view = view_of(*nodes, factor=3, front=front)
    noted = {"generations": {host_id_of(number): _OLD for number in (1, 2, 3)}}
    restart = _restart()
    assert _refusals(restart, view, noted) == ""
    assert _left(view, restart) == [*_TURN[2:], *_TURN]


@pytest.mark.parametrize("membership", [Membership.JOINING, Membership.LEAVING, Membership.MOVING])
def test_restart_when_ranges_are_pending_then_refused(membership: Membership) -> None:
    """A node that is stopped would end a stream, or be missed where a write waits for one more."""
    view = view_of(_node(1), _node(2), _node(3, membership=membership), factor=3)
    assert "ranges are pending" in _refusals(_restart(1), view)


def test_restart_when_a_leaving_node_died_then_it_may_be_started() -> None:
    """Nothing else would get the ring out of that."""
    node = _node(3, membership=Membership.LEAVING, answers=False)
    assert _refusals(_restart(3), view_of(_node(1), _node(2), node, factor=3)) == ""


@pytest.mark.parametrize(("membership", "refused"), [("L", False), ("M", False), ("J", True)])
def test_restart_when_a_node_is_down_that_a_move_needs_then_it_may_be_started(
    membership: str, *, refused: bool
) -> None:
    """A leaving node waits for its receivers; a joining one may be taking a dead one's place."""
    moving = _node(2, membership=Membership(membership))
    view = view_of(_node(1), moving, _node(3, answers=False), factor=3)
    assert ("ranges are pending" in _refusals(_restart(3), view)) is refused
    assert "ranges are pending" in _refusals(_restart(1, 3), view)


def test_restart_when_a_leaving_must_be_ended_then_a_word_for_it() -> None:
    """A receiver is dead for good: the leaving node stays a member once it is started anew."""
    leaving = _node(2, membership=Membership.LEAVING)
    view = view_of(_node(1), leaving, _node(3, answers=False), factor=3)
    assert _refusals(_restart(2, accept_outage=True), view) == ""


def test_restart_when_a_host_has_no_node_then_refused() -> None:
    """A host of the inventory need not be in the ring."""
    assert "127.0.0.7 is no node of the ring" in _refusals(_restart(7), _ring(_OLD, _OLD, _OLD))


def _turn(node: NodeView, **options: Any) -> Turn:
    return Turn(node, lambda now: now.generation > _OLD, front=True, seeds=(), **options)


@pytest.mark.parametrize("others_away", [False, True])
async def test_drain_when_another_node_went_away_meanwhile_then_the_node_stays(
    *, others_away: bool
) -> None:
    """The ring was well when the restart began, which may be an hour ago."""
    host = ScriptedHost(1)
    view = view_of(_node(1), _node(2), _node(3, answers=False), factor=3)
    context = scripted_context(view, hosts=[host])
    drain = turn_steps(context, _turn(_node(1), others_away=others_away))[1]
    if others_away:
        await drain.run()
        assert host.asked == [("nodetool", "drain")]
        return
    with pytest.raises(OperationError, match=r"127\.0\.0\.3 went away"):
        await drain.run()
    assert host.asked == []


async def test_settle_when_the_process_ended_then_its_logs_cause() -> None:
    """The first that does not come back ends the restart, with what its log says."""
    host = ScriptedHost(1, node_runs=False, log="ERROR No space left on device\n")
    context = scripted_context(view_of(_node(1, answers=False), _node(2)), hosts=[host])
    settle = turn_steps(context, _turn(_node(1)))[4]
    with pytest.raises(OperationError, match="the disk is full"):
        await settle.run()


async def test_settle_when_the_node_serves_again_then_it_ends() -> None:
    """It waits while the node starts."""
    host = ScriptedHost(1, node_runs=True)
    starting = view_of(_node(1, answers=False), _node(2), _node(3))
    context = scripted_context(starting, _ring(_NEW, _OLD, _OLD), hosts=[host])
    await turn_steps(context, _turn(_node(1)))[4].run()
    assert context.said == ["                   node1 is starting"]  # type: ignore[attr-defined]


class _Down(ScriptedHost):
    """A host whose node is down and keeps its data; a start makes the ring's next view come."""

    async def start_node(self, start: Any) -> None:
        """Note it."""
        self.asked.append(("start_node", start.seeds))


@pytest.mark.parametrize("problem", ["too few nodes answered", ""])
async def test_start_when_the_lock_cannot_be_had_then_what_is_down_is_started_first(
    problem: str,
) -> None:
    """Two of two replicas make a quorum: the lock's row cannot be changed while one is away."""
    host = _Down(2, data_bytes=1000, node_runs=True)
    down = view_of(_node(1), _node(2, answers=False), factor=2, debts_problem=problem)
    up = view_of(_node(1), _node(2, _NEW), factor=2)
    context = scripted_context(up, hosts=[host])

    async def read_view(*, strict: bool = True) -> RingView:
        del strict
        return down

    context.read_view = read_view  # type: ignore[method-assign]
    restart = _restart(2, accept_outage=True)
    await restart.start_what_is_down(context)
    assert host.asked == ([("stop_node",), ("start_node", (address_of(1),))] if problem else [])
    # What was started is not restarted once more.
    assert _left(up, restart) == (["plan"] if problem else ["plan", *_TURN])


async def test_start_when_a_node_joins_then_nothing_is_started() -> None:
    """It may be taking the place of the one that is down."""
    host = _Down(2, data_bytes=1000)
    joining = _node(3, membership=Membership.JOINING)
    down = view_of(_node(1), _node(2, answers=False), joining, debts_problem="no quorum")
    context = scripted_context(down, hosts=[host])

    async def read_view(*, strict: bool = True) -> RingView:
        del strict
        return down

    context.read_view = read_view  # type: ignore[method-assign]
    await _restart(2).start_what_is_down(context)
    assert host.asked == []
