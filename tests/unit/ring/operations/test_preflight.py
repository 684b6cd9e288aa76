"""Each rule of preflight: what it lets pass, what it refuses, and in which words."""

from ring.hosts.host import HostEntry
from ring.operations.preflight import (
    expected_bytes,
    megabytes,
    refuse_clocks,
    refuse_disagreement,
    refuse_disk,
    refuse_down,
    refuse_owed,
    refuse_pending,
    refuse_unreadable,
    refuse_unrepaired,
    refuse_used,
    refuse_versions,
    ring_is_well,
)
from ring.operations.view import Membership, ReplicationChange
from tests.support.ring_views import (
    DATACENTER,
    KEYSPACE,
    address_of,
    facts_of,
    node_of,
    owed_by,
    reasons,
    view_of,
)

_HOST = HostEntry("node3", "127.0.0.3")


def test_ring_when_all_is_well_then_nothing_is_refused() -> None:
    """Up, normal, agreed, one version, records readable."""
    assert ring_is_well(view_of(node_of(1), node_of(2), node_of(3))) == []


def test_down_when_a_node_does_not_answer_then_refused_with_replace() -> None:
    """A dead node is replaced; the one that the operation is about is left to it."""
    view = view_of(node_of(1), node_of(2, answers=False))
    (refusal,) = refuse_down(view)
    assert "127.0.0.2 is down (DN)" in refusal.reason
    assert "catalog-ring replace 127.0.0.2" in refusal.advice
    assert refuse_down(view, besides=(address_of(2),)) == []


def test_down_when_a_node_is_not_heard_then_refused() -> None:
    """Both answer us, and not each other."""
    view = view_of(node_of(1), node_of(2, unheard_by=("127.0.0.1",)))
    assert reasons(refuse_down(view)) == "127.0.0.1 have not heard of 127.0.0.2 for long"


def test_pending_when_a_node_joins_leaves_or_moves_then_refused() -> None:
    """Also one that joins and is dead: gossip has not forgotten it."""
    for membership, word in (
        (Membership.JOINING, "joining"),
        (Membership.LEAVING, "leaving"),
        (Membership.MOVING, "moving"),
    ):
        view = view_of(node_of(1), node_of(2, membership=membership, answers=False))
        assert f"127.0.0.2 is {word}: ranges are pending" in reasons(refuse_pending(view))
        assert refuse_pending(view, besides=(address_of(2),)) == []


def test_disagreement_when_schemas_differ_then_refused() -> None:
    """Two versions among nodes that are up."""
    view = view_of(node_of(1), node_of(2, schema_version="another"))
    assert "2 versions of the schema" in reasons(refuse_disagreement(view))


def test_disagreement_when_a_node_does_not_know_another_then_refused() -> None:
    """Gossip has not told everyone."""
    known = frozenset({address_of(1), address_of(3)})
    view = view_of(node_of(1), node_of(2), node_of(3, member_for=known))
    assert reasons(refuse_disagreement(view)) == "127.0.0.2 does not know 127.0.0.3"


def test_versions_when_they_differ_then_refused_with_upgrade() -> None:
    """Nodes of two versions do not stream to each other."""
    (refusal,) = refuse_versions(view_of(node_of(1), node_of(2, version="5.0.8")))
    assert refusal.reason == "the nodes run 2 versions: 5.0.8, 5.0.9"
    assert "catalog-ring upgrade" in refusal.advice


def test_records_when_they_cannot_be_read_then_refused() -> None:
    """What is owed is not known."""
    view = view_of(node_of(1), debts_problem="no quorum")
    assert "no quorum" in reasons(refuse_unreadable(view))
    assert "no quorum" in reasons(ring_is_well(view))


def test_owed_when_a_cleanup_is_then_refused() -> None:
    """Deleted rows could come back."""
    (refusal,) = refuse_owed(view_of(node_of(1), cleanups=(owed_by(1, taken_by="127.0.0.2"),)))
    assert refusal.reason == "127.0.0.1 owes a cleanup since 127.0.0.2 took ranges of it"
    assert refusal.advice == "Pay it first: catalog-ring cleanup"


def test_unrepaired_when_a_replication_is_half_changed_then_refused_but_for_its_own_operation() -> (
    None
):
    """One that was begun is finished first."""
    change = ReplicationChange(KEYSPACE, DATACENTER, 1, 2, frozenset())
    view = view_of(node_of(1), changes=(change,))
    (refusal,) = refuse_unrepaired(view)
    assert refusal.advice == "Finish it: catalog-ring replication catalog 2"
    assert refuse_unrepaired(view, besides=KEYSPACE) == []


def test_clocks_when_more_than_a_second_apart_then_refused() -> None:
    """Whoever is first and last is named."""
    apart = {
        "node1": facts_of(clock_offset_seconds=-0.7),
        "node2": facts_of(clock_offset_seconds=0.6),
    }
    assert reasons(refuse_clocks(apart)) == "the clock of node2 is 1.3 s ahead of that of node1"
    assert refuse_clocks({**apart, "node2": facts_of(clock_offset_seconds=0.2)}) == []
    assert refuse_clocks({}) == []


def test_disk_when_it_has_no_room_for_what_comes_then_refused() -> None:
    """A quarter more than the bytes themselves."""
    assert refuse_disk("node3", facts_of(free_disk_bytes=1_260_000), 1_000_000) == []
    refusals = refuse_disk("node3", facts_of(free_disk_bytes=1_240_000), 1_000_000)
    assert reasons(refusals) == "node3 would receive about 1.0 MB and has 1.2 MB free"


def test_expected_when_replication_grows_then_more() -> None:
    """Three nodes of 1 MB, four in future; at twice the replicas each has 1.5 MB."""
    view = view_of(node_of(1), node_of(2), node_of(3), node_of(4, datacenter="elsewhere"))
    same = expected_bytes(view, datacenter=DATACENTER, nodes=4, factor_ratio=1.0)
    twice = expected_bytes(view, datacenter=DATACENTER, nodes=4, factor_ratio=2.0)
    assert (same, twice) == (750_000, 1_500_000)


def test_host_when_it_is_fresh_then_taken() -> None:
    """With or without the ring's own Cassandra installed."""
    view = view_of(node_of(1))
    assert refuse_used(_HOST, facts_of(), view, is_ours=False) == []
    ready = facts_of(installed_version="5.0.9", cluster_name="catalog")
    assert refuse_used(_HOST, ready, view, is_ours=False) == []


def test_host_when_it_holds_data_then_refused_unless_it_is_ours() -> None:
    """What an interrupted run of ours left there is streamed anew."""
    view = view_of(node_of(1))
    used = facts_of(data_bytes=5_000_000)
    (refusal,) = refuse_used(_HOST, used, view, is_ours=False)
    assert refusal.reason == "node3 holds 5.0 MB of a node's data"
    assert "--wipe" in refusal.advice
    assert refuse_used(_HOST, used, view, is_ours=True) == []


def test_host_when_another_ring_or_version_is_there_then_refused() -> None:
    """Each reason by itself."""
    view = view_of(node_of(1))
    cases = {
        "configured for the ring 'other', this one is 'catalog'": facts_of(cluster_name="other"),
        "has Cassandra 4.1.3, the ring runs 5.0.9": facts_of(installed_version="4.1.3"),
        "a Cassandra that is no node of this ring runs on node3": facts_of(node_runs=True),
    }
    for words, facts in cases.items():
        assert words in reasons(refuse_used(_HOST, facts, view, is_ours=False))


def test_bytes_when_said_then_in_the_unit_that_fits() -> None:
    """Decimal units, as disks have them."""
    assert [megabytes(count) for count in (0, 900, 2_500_000, 3e9)] == [
        "0 kB",
        "1 kB",
        "2.5 MB",
        "3.0 GB",
    ]
