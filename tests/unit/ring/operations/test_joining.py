"""What is to be done about a host on its way into the ring."""

import pytest

from ring.hosts.host import HostFacts
from ring.operations.joining import Verdict, judge
from ring.operations.view import Membership, NodeView
from tests.support.ring_views import facts_of, node_of

_JOINING = node_of(3, membership=Membership.JOINING, answers=False, silent_seconds=1.0)
_SILENT = node_of(3, membership=Membership.JOINING, answers=False, silent_seconds=61.0)
_FAILED = "ERROR [main] Some data streaming failed. Use nodetool to check bootstrap state"
_RUNS = facts_of(node_runs=True, data_bytes=1000)
_ENDED = facts_of(node_runs=False, data_bytes=1000)


@pytest.mark.parametrize(
    ("node", "facts", "log", "verdict"),
    [
        # Fresh, and fresh again after it was wiped.
        (None, facts_of(), "", Verdict.START),
        # Started by an earlier run, before or after gossip knew it.
        (None, _RUNS, "", Verdict.WATCH),
        (_JOINING, _RUNS, "", Verdict.WATCH),
        # Killed while it joined; gossip may have forgotten it by now.
        (_JOINING, _ENDED, "", Verdict.WIPE_AND_START),
        (None, _ENDED, "", Verdict.WIPE_AND_START),
        # Wiped, and gossip has not forgotten it yet.
        (_JOINING, facts_of(), "", Verdict.WIPE_AND_START),
        # It lives and will never be a member.
        (_JOINING, _RUNS, _FAILED, Verdict.STOP_WIPE_AND_START),
        (_SILENT, _RUNS, "", Verdict.STOP_WIPE_AND_START),
        # A member's data is never touched.
        (node_of(3, answers=False), _ENDED, "", Verdict.START),
        (node_of(3, answers=False), _RUNS, _FAILED, Verdict.WATCH),
        (node_of(3), _RUNS, "", Verdict.WATCH),
    ],
)
def test_host_when_judged_then_by_what_ring_and_host_say(
    node: NodeView | None, facts: HostFacts, log: str, verdict: Verdict
) -> None:
    """Data of a node that owns tokens is never wiped; a dead joiner always is."""
    assert judge(node, facts, is_settled=False, log=log) is verdict


def test_host_when_settled_then_nothing_is_to_be_done() -> None:
    """Whatever its log says."""
    assert judge(node_of(3), _RUNS, is_settled=True, log=_FAILED) is Verdict.SETTLED
