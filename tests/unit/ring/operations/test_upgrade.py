"""Which versions an upgrade goes to, what it has still to do, and what it rewrites."""

import asyncio
import dataclasses
from typing import Any

import pytest

from ring.operations.upgrade import Upgrade, needs_rewriting, refuse_version
from ring.operations.view import Membership, RingView
from tests.support.ring_views import address_of, node_of, reasons, view_of
from tests.support.scripted_hosts import ScriptedHost, scripted_context

_RING = view_of(*(node_of(n, version="5.0.8") for n in (1, 2, 3)), factor=3)


def _mixed(*versions: str, **changes: Any) -> RingView:
    nodes = [node_of(n, version=version) for n, version in enumerate(versions, 1)]
    return view_of(*nodes, factor=3, **changes)


def _refusals(view: RingView, version: str = "5.0.9", **options: Any) -> str:
    upgrade = Upgrade(version, **options)
    return reasons(asyncio.run(upgrade.refusals(scripted_context(view), view)))


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("5.0.9", ""),
        ("5.0.8", ""),
        ("5.0.10", ""),
        ("5.0.7", "5.0.7 would be a step back"),
        ("5.1.0", "no patch version"),
        ("4.1.9", "no patch version"),
        ("6.0.0", "no patch version"),
        ("5.0", "is no version"),
        ("5.0.9-SNAPSHOT", "is no version"),
        ("latest", "is no version"),
    ],
)
def test_version_when_it_is_no_later_patch_then_refused(version: str, words: str) -> None:
    """Only patch versions of one minor version read each other's files and speak to each other."""
    refused = reasons(refuse_version(_RING, version))
    assert words in refused
    assert bool(words) == bool(refused)


def test_version_when_one_node_has_a_later_one_then_refused() -> None:
    """The latest in the ring counts: an upgrade to 5.0.9 had begun."""
    assert "step back" in reasons(refuse_version(_mixed("5.0.8", "5.0.9"), "5.0.8"))


def test_upgrade_when_the_ring_is_well_then_not_refused() -> None:
    """Three nodes with three replicas outlive the loss of one."""
    assert _refusals(_RING) == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answers": False}, "127.0.0.3 is down"),
        ({"membership": Membership.JOINING}, "joining"),
        ({"membership": Membership.LEAVING}, "leaving"),
        ({"schema_version": "another"}, "versions of the schema"),
    ],
)
def test_upgrade_when_the_ring_is_not_well_then_refused(
    changes: dict[str, Any], words: str
) -> None:
    """An upgrade stops nodes: nobody else may be away or on the move."""
    nodes = [node_of(n, version="5.0.8") for n in (1, 2)]
    nodes.append(node_of(3, version="5.0.8", **changes))
    assert words in _refusals(view_of(*nodes, factor=3))


def test_upgrade_when_a_quorum_would_be_lost_then_only_with_a_word_for_it() -> None:
    """Of two replicas both make a quorum."""
    view = dataclasses.replace(_RING, replication={"catalog": {"datacenter1": 2}})
    assert "catalog has no quorum" in _refusals(view)
    assert _refusals(view, accept_outage=True) == ""


def test_upgrade_when_it_stopped_in_a_turn_then_that_node_may_be_down() -> None:
    """A run that was killed between stop and start goes on; one that is up to date must be up."""
    nodes = [node_of(1, version="5.0.9"), node_of(2, version="5.0.8", answers=False)]
    assert _refusals(view_of(*nodes, node_of(3, version="5.0.8"), factor=3)) == ""
    nodes = [node_of(1, version="5.0.9", answers=False), node_of(2, version="5.0.8")]
    assert "127.0.0.1 is down" in _refusals(view_of(*nodes, node_of(3, version="5.0.8"), factor=3))


def _left(view: RingView) -> list[str]:
    steps = Upgrade("5.0.9").steps(scripted_context(view), view)
    assert {step.name for step in steps} <= set(Upgrade.step_names)
    return [step.name for step in steps if not step.is_done(view)]


_TURN = ["front-out", "drain", "stop", "start", "settle", "warm", "front-in"]


def test_upgrade_when_nothing_was_done_then_installs_everywhere_first() -> None:
    """A version that cannot be fetched is noticed before any node was stopped."""
    assert _left(_RING) == ["install"] * 3 + _TURN * 3 + ["rewrite"] * 3


def test_upgrade_when_interrupted_then_goes_on_where_the_ring_is() -> None:
    """What a node runs is read from the node; what nginx serves, from nginx."""
    assert _left(_mixed("5.0.9", "5.0.8", "5.0.8")) == (
        ["install"] * 2 + _TURN * 2 + ["rewrite"] * 3
    )
    front = (address_of(2), address_of(3))
    assert _left(_mixed("5.0.9", "5.0.9", "5.0.9", front=front)) == (
        ["warm", "front-in"] + ["rewrite"] * 3
    )


@pytest.mark.parametrize(
    ("versions", "needed"),
    [("bti-da", False), ("big-nb,bti-da", False), ("bti-ca,bti-da", True), ("", False)],
)
def test_files_when_a_format_has_two_versions_then_rewritten(
    versions: str, *, needed: bool
) -> None:
    """Patch versions seldom change a format; where none did there is nothing to rewrite."""
    assert needs_rewriting(versions) is needed


@pytest.mark.parametrize("versions", ["bti-da", "bti-ca,bti-da"])
async def test_rewrite_when_not_needed_then_nodetool_is_not_asked(versions: str) -> None:
    """It reads every file of a node, and blocks its compactions."""
    hosts = [ScriptedHost(1)]
    view = view_of(node_of(1))
    context = scripted_context(
        view, hosts=hosts, answers=lambda _cql: [{"sstable_versions": versions}]
    )
    await Upgrade("5.0.9").steps(context, view)[-1].run()
    assert bool(hosts[0].asked) == ("ca" in versions)
