"""Watching a node that leaves: what ends the watch, and with which words."""

import asyncio

import pytest

from ring.hosts.errors import HostError
from ring.operations import leaving
from ring.operations.errors import OperationError
from ring.operations.leaving import Leaving, departed
from ring.operations.view import Membership, RingView, Stream
from tests.support.ring_views import address_of, node_of, view_of
from tests.support.scripted_hosts import ScriptedHost, as_host, gossip_row, scripted_context

_WELL = view_of(node_of(1), node_of(2), node_of(3))
_LEAVING = view_of(node_of(1), node_of(2), node_of(3, membership=Membership.LEAVING))
_LEFT = view_of(node_of(1), node_of(2))


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POLL_SECONDS", "_MODE_SECONDS"):
        monkeypatch.setattr(leaving, name, 0.0)


async def _watch(host: ScriptedHost, *views: RingView) -> list[str]:
    context = scripted_context(*views, hosts=[host])
    async with asyncio.timeout(5.0):
        await Leaving(context, as_host(host), point="remove.leave").run()
    said: list[str] = context.said  # type: ignore[attr-defined]
    return [line.strip() for line in said]


def _host(*, mode: str = "LEAVING", log: str = "") -> ScriptedHost:
    host = ScriptedHost(3, log=log)
    host.answers["netstats"] = lambda: f"Mode: {mode}\nNot sending any streams.\n"
    return host


async def test_node_when_all_have_forgotten_it_then_the_watch_ends() -> None:
    """The command is asked for once; what it answers does not matter."""
    streaming = Stream("plan", "Unbootstrap", address_of(3), (address_of(1),), 5, 10, "start")
    view = view_of(*_LEAVING.nodes, streams=(streaming,))
    host = _host()
    said = await _watch(host, _WELL, _LEAVING, view, _WELL, _LEFT)
    assert [one for one in host.asked if "decommission" in one] == [("nodetool", "decommission")]
    assert said[:2] == [
        "node3 is about to leave",
        "node3 is leaving: it waits until all nodes know",
    ]
    assert said[2].startswith("node3 is streaming: ")
    assert said[3] == "node3 has left; waiting until all nodes know"


async def test_node_when_it_says_that_it_failed_then_its_logs_cause() -> None:
    """The caller may have died long ago: the node's own word counts."""
    host = _host(mode="DECOMMISSION_FAILED", log="ERROR No space left on device\n")
    with pytest.raises(OperationError, match="could not leave the ring: the disk is full"):
        await _watch(host, _LEAVING)


async def test_node_when_it_refuses_then_its_words() -> None:
    """Cassandra knows reasons that we do not."""
    host = _host(mode="NORMAL")

    def refuse() -> str:
        raise HostError("nodetool decommission failed: Not enough live nodes")

    host.answers["decommission"] = refuse
    with pytest.raises(OperationError, match="Not enough live nodes"):
        await _watch(host, _WELL)


async def test_node_when_only_the_caller_failed_then_it_goes_on() -> None:
    """A lost connection to JMX says nothing about the node."""
    host = _host()

    def lose() -> str:
        raise HostError("nodetool decommission failed: connection reset")

    host.answers["decommission"] = lose
    await _watch(host, _WELL, _LEAVING, _LEAVING, _LEAVING, _LEFT)


async def test_node_when_it_died_then_what_to_do() -> None:
    """It is a member still, with all its rows."""
    dead = node_of(3, membership=Membership.LEAVING, answers=False, silent_seconds=1.0)
    with pytest.raises(OperationError, match="died while it was leaving") as caught:
        await _watch(_host(), _LEAVING, view_of(node_of(1), node_of(2), dead))
    assert "catalog-ring restart node3" in caught.value.advice
    assert "catalog-ring replace node3" in caught.value.advice


async def test_departed_when_gossip_says_left_then_only_those() -> None:
    """A node that is removed by force, or just down, has not left of itself."""
    rows = [gossip_row(1, "NORMAL,5"), gossip_row(2, "LEFT,5,6"), gossip_row(3, "removed,x,y")]
    context = scripted_context(_WELL, answers=lambda _cql: rows)
    assert await departed(context) == {address_of(2)}
