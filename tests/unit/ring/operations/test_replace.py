"""When a host may take a dead node's place, and what is still to do."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from ring.operations import dead_nodes
from ring.operations import replace as replace_module
from ring.operations.dead_nodes import refuse_heard
from ring.operations.errors import OperationError
from ring.operations.repairs import Repaired
from ring.operations.replace import OldNodeBackError, Replace
from ring.operations.view import Membership, NodeView, RingView
from tests.support.ring_views import address_of, node_of, owed_by, reasons, view_of
from tests.support.scripted_hosts import ScriptedHost, as_host, keyspace_row, scripted_context

_ROWS = [keyspace_row("catalog", "NetworkTopologyStrategy", datacenter1=3)]
_ALWAYS = ["fence"]
_LAST = ["wipe", "seeds"]


def _dead(**changes: Any) -> NodeView:
    return node_of(3, **{"answers": False, "silent_seconds": 60.0, **changes})


def _joining(**changes: Any) -> NodeView:
    return node_of(
        4, membership=Membership.JOINING, answers=False, member_for=frozenset(), **changes
    )


def _new(**changes: Any) -> NodeView:
    everyone = frozenset(address_of(number) for number in (1, 2, 4))
    return node_of(4, **{"member_for": everyone, **changes})


def _two(**changes: Any) -> tuple[NodeView, ...]:
    everyone = frozenset(address_of(number) for number in (1, 2, 3, 4))
    return tuple(node_of(number, member_for=everyone, **changes) for number in (1, 2))


def _ring(*nodes: NodeView, **changes: Any) -> RingView:
    changes.setdefault("front", (address_of(1), address_of(2)))
    return view_of(*_two(), *nodes, factor=3, **changes)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the ring has noted of an earlier run, and of repairs."""
    noted: dict[str, Any] = {"begun": False, "repaired": ()}

    async def is_begun(*_arguments: object) -> bool:
        return bool(noted["begun"])

    async def fetch_repairs(*_arguments: object) -> Sequence[Repaired]:
        repaired: Sequence[Repaired] = noted["repaired"]
        return repaired

    monkeypatch.setattr(replace_module, "_is_begun", is_begun)
    monkeypatch.setattr(replace_module, "fetch_repairs", fetch_repairs)
    return noted


def _replace(new: ScriptedHost | None = None, old: ScriptedHost | None = None) -> Replace:
    return Replace(as_host(old or ScriptedHost(3)), as_host(new or ScriptedHost(4)))


def _refusals(
    view: RingView,
    new: ScriptedHost | None = None,
    rows: Any = _ROWS,
    **options: bool,
) -> str:
    new = new or ScriptedHost(4)
    context = scripted_context(view, hosts=[new], answers=lambda _cql: rows)
    replace = Replace(as_host(ScriptedHost(3)), as_host(new), **options)
    return reasons(asyncio.run(replace.refusals(context, view)))


def test_replace_when_the_node_is_dead_and_the_host_fresh_then_not_refused(
    begun: dict[str, Any],
) -> None:
    """Two of three replicas are left, and take the third's place in a quorum."""
    del begun
    assert _refusals(_ring(_dead())) == ""


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (node_of(3), "is up (UN): it can hand over its rows itself"),
        (_dead(membership=Membership.JOINING), "owned nothing yet"),
    ],
)
def test_replace_when_the_node_is_not_dead_then_refused(
    begun: dict[str, Any], node: NodeView, words: str
) -> None:
    """A live node is removed; one that was never a member has nothing to be replaced."""
    del begun
    assert words in _refusals(_ring(node))


def test_replace_when_the_node_was_never_there_then_refused(begun: dict[str, Any]) -> None:
    """A name that was mistyped must not wipe anybody."""
    del begun
    assert "node3 is no node of the ring" in _refusals(_ring())
    assert "node3 is no node of the ring" in _refusals(_ring(_new()))


def test_replace_when_the_host_is_a_node_then_refused(begun: dict[str, Any]) -> None:
    """HOST takes DEAD's place, with nothing of its own."""
    del begun
    assert "node4 is in the ring already" in _refusals(_ring(_dead(), _new()))
    assert "node4 is joining the ring already" in _refusals(_ring(_dead(), _joining()))


def test_replace_when_the_host_is_the_dead_one_then_refused(begun: dict[str, Any]) -> None:
    """While a node has the address of the dead one, no write reaches it until it has joined."""
    del begun
    assert "cannot replace itself" in _refusals(_ring(_dead()), ScriptedHost(3))


def test_replace_when_the_rack_is_another_then_refused(begun: dict[str, Any]) -> None:
    """It takes the tokens: its replicas would stand beside others of the same rows."""
    del begun
    assert "datacenter1/rack9" in _refusals(_ring(_dead()), ScriptedHost(4, rack="rack9"))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"data_bytes": 5_000_000}, "holds 5.0 MB of a node's data"),
        ({"cluster_name": "other"}, "is configured for the ring 'other'"),
        ({"free_disk_bytes": 1000}, "node4 would receive about 1.0 MB"),
        ({"clock_offset_seconds": -9.0}, "ahead of that of node4"),
        ({"node_runs": True}, "a Cassandra that is no node of this ring runs on node4"),
    ],
)
def test_replace_when_the_host_is_not_fit_then_refused(
    begun: dict[str, Any], facts: dict[str, Any], words: str
) -> None:
    """Used, too small, or of another time."""
    del begun
    assert words in _refusals(_ring(_dead()), ScriptedHost(4, **facts))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answers": False}, "127.0.0.1 is down"),
        ({"membership": Membership.LEAVING}, "127.0.0.1 is leaving"),
        ({"version": "5.0.8"}, "2 versions"),
    ],
)
def test_replace_when_another_node_is_not_well_then_refused(
    begun: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    """The rows come from the other replicas."""
    del begun
    view = view_of(*_two(**changes), _dead(), factor=3)
    assert words in _refusals(view)


def test_replace_when_rows_had_one_replica_then_only_with_a_word_for_it(
    begun: dict[str, Any],
) -> None:
    """Nobody else has them."""
    del begun
    rows = [*_ROWS, keyspace_row("notes", "NetworkTopologyStrategy", datacenter1=1)]
    assert "notes has one replica of each row" in _refusals(_ring(_dead()), rows=rows)
    assert _refusals(_ring(_dead()), rows=rows, accept_loss=True) == ""


def test_replace_when_an_earlier_run_was_at_the_host_then_its_data_is_ours(
    begun: dict[str, Any],
) -> None:
    """Half a replacement is watched, or wiped and tried again."""
    begun["begun"] = True
    used = ScriptedHost(4, data_bytes=1000, cluster_name="catalog", node_runs=True)
    assert _refusals(_ring(_dead(), _joining()), used) == ""
    assert _refusals(_ring(_dead()), used) == ""


async def test_node_when_others_hear_of_it_then_it_is_not_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That it does not answer us may be our own network's fault."""
    monkeypatch.setattr(dead_nodes, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(dead_nodes, "SILENT_SECONDS", 0.1)
    heard = scripted_context(_ring(_dead(silent_seconds=0.0)))
    assert "other nodes hear of node3" in reasons(await refuse_heard(heard, ScriptedHost(3).entry))
    silent = scripted_context(_ring(_dead(silent_seconds=0.0)), _ring(_dead(silent_seconds=0.2)))
    assert await refuse_heard(silent, ScriptedHost(3).entry) == []


def _left(view: RingView, noted: dict[str, Any]) -> list[str]:
    replace = _replace()
    context = scripted_context(view, answers=lambda _cql: _ROWS)
    noted["begun"] = True
    asyncio.run(replace.refusals(context, view))
    steps = replace.steps(context, view)
    assert {step.name for step in steps} <= set(Replace.step_names)
    return [step.name for step in steps if not step.is_done(view)]


def test_replace_when_interrupted_then_goes_on_where_the_ring_is(begun: dict[str, Any]) -> None:
    """Joining, joined, served, repaired, forgotten: each is read from the ring."""
    rest = ["check", "app", "nginx", "repair", "forget", *_LAST]
    apps = {address_of(number): True for number in (1, 2)}
    in_front = (*(address_of(number) for number in (1, 2, 3)),)
    assert _left(_ring(_dead(), apps=apps, front=in_front), begun) == [
        *("fence", "nginx", "install", "join"),
        *rest,
    ]
    assert _left(_ring(_dead(), _joining(), apps=apps), begun) == [
        *("fence", "install", "join"),
        *rest,
    ]
    # Gossip still knows the dead one; nobody counts it as a member.
    ghost = _dead(member_for=frozenset())
    assert _left(_ring(ghost, _new(), apps=apps), begun) == ["fence", *rest]
    front = (*(address_of(number) for number in (1, 2, 4)),)
    assert _left(_ring(ghost, _new(), front=front), begun) == ["fence", "repair", "forget", *_LAST]
    now = Repaired(_new().host_id, "catalog", address_of(4), None, 1.0)  # type: ignore[arg-type]
    begun["repaired"] = (now,)
    assert _left(_ring(_new(), front=front), begun) == ["fence", *_LAST]


def test_replace_when_the_dead_one_owed_a_cleanup_then_that_is_forgotten_too(
    begun: dict[str, Any],
) -> None:
    """The new node streams what it owns, and nothing else."""
    front = (*(address_of(number) for number in (1, 2, 4)),)
    view = _ring(_new(), front=front, cleanups=(owed_by(3, taken_by=address_of(2)),))
    assert "forget" in _left(view, begun)


def _step(name: str, context: Any, view: RingView, replace: Replace) -> Any:
    return next(step for step in replace.steps(context, view) if step.name == name)


async def test_fence_when_a_process_hangs_then_it_is_ended() -> None:
    """A frozen node that thaws would come back in the middle of its replacement."""
    old = ScriptedHost(3, node_runs=True)
    view = _ring(_dead())
    context = scripted_context(view, hosts=[old])
    await _step("fence", context, view, _replace(old=old)).run()
    assert old.asked == [("stop_node",), ("stop_app",)]


@pytest.mark.parametrize("name", ["fence", "wipe"])
async def test_old_host_when_it_cannot_be_reached_then_that_is_told(name: str) -> None:
    """Nobody can keep it from coming back but who reads this."""
    old = ScriptedHost(3)
    old.unreachable = True
    view = _ring(_new())
    context = scripted_context(view, hosts=[old])
    await _step(name, context, view, _replace(old=old)).run()
    assert "take its tokens" in " ".join(context.said)  # type: ignore[attr-defined]


async def test_wipe_when_the_dead_one_is_a_member_then_its_data_stays() -> None:
    """Whatever a plan said: the ring is asked again just before."""
    old = ScriptedHost(3)
    view = _ring(_dead())
    context = scripted_context(view, hosts=[old])
    with pytest.raises(OperationError, match="node3 counts as a member"):
        await _step("wipe", context, view, _replace(old=old)).run()
    assert old.asked == []


@pytest.mark.parametrize(
    ("node", "is_back"),
    [
        (_dead(), False),
        (None, False),
        (node_of(3), True),
        (_dead(silent_seconds=0.0), True),
    ],
)
async def test_join_when_the_old_node_comes_back_then_given_up(
    monkeypatch: pytest.MonkeyPatch, node: NodeView | None, *, is_back: bool
) -> None:
    """What the new one holds goes: two nodes must never claim the same tokens."""
    new = ScriptedHost(4)
    view = _ring(*([node] if node else []), _joining())

    class _Joining:
        def __init__(self, *_arguments: object, on_view: Any, **_options: object) -> None:
            self._on_view = on_view

        async def run(self) -> None:
            self._on_view(view)

    monkeypatch.setattr(replace_module, "Joining", _Joining)
    context = scripted_context(view, hosts=[new])
    join = _step("join", context, view, _replace(new))
    if not is_back:
        await join.run()
        assert new.asked == []
        return
    with pytest.raises(OldNodeBackError, match="node3 has come back"):
        await join.run()
    assert new.asked == [("stop_node",), ("wipe_node",)]
