"""When nodes were last repaired, from rows as `parent_repair_history` has them."""

from datetime import UTC, datetime
from typing import Any

from ring.monitoring.repairs import repaired_at
from ring.operations.view import Membership, NodeView

EARLY, LATE = datetime(2026, 11, 1), datetime(2026, 11, 20)  # noqa: DTZ001 - as CQL gives them
WHOLE = {"columnFamilies": "", "dataCenters": "", "hosts": "", "previewKind": "NONE"}


def _node(address: str, *tokens: int) -> NodeView:
    return NodeView(
        address=address,
        host_id=address,
        datacenter="datacenter1",
        rack="rack1",
        membership=Membership.NORMAL,
        answers=True,
        silent_seconds=0.0,
        version="5.0.9",
        schema_version="x",
        load_bytes=0,
        tokens=tokens,
    )


NODES = [_node("10.0.0.1", -100, 100), _node("10.0.0.2", 0, 200)]


def _row(finished_at: datetime | None, *ranges: str, **changes: Any) -> dict[str, Any]:
    row = {
        "keyspace_name": "catalog",
        "successful_ranges": set(ranges) or None,
        "finished_at": finished_at,
        "options": WHOLE,
    }
    return row | changes


OF_FIRST = ("(200,-100]", "(0,100]")


def test_repaired_at_when_a_nodes_primary_ranges_were_repaired_then_that_node_was() -> None:
    """A range belongs to the node that has its end; the other node was never repaired."""
    found = repaired_at([_row(LATE, *OF_FIRST)], NODES, "catalog")
    assert found == {"10.0.0.1": LATE.replace(tzinfo=UTC).timestamp(), "10.0.0.2": 0.0}


def test_repaired_at_when_ranges_were_repaired_apart_then_the_oldest_counts() -> None:
    """A node is as stale as its stalest range."""
    rows = [_row(EARLY, *OF_FIRST), _row(LATE, "(0,100]")]
    assert repaired_at(rows, NODES, "catalog")["10.0.0.1"] == EARLY.replace(tzinfo=UTC).timestamp()


def test_repaired_at_when_a_repair_was_not_whole_then_it_does_not_count() -> None:
    """One table, one datacenter, some hosts, a preview, another keyspace, a failure."""
    rows = [
        _row(LATE, *OF_FIRST, options=WHOLE | {"columnFamilies": "products_by_id"}),
        _row(LATE, *OF_FIRST, options=WHOLE | {"dataCenters": "dc1"}),
        _row(LATE, *OF_FIRST, options=WHOLE | {"hosts": "10.0.0.1"}),
        _row(LATE, *OF_FIRST, options=WHOLE | {"previewKind": "ALL"}),
        _row(LATE, *OF_FIRST, keyspace_name="other"),
        _row(LATE),
        _row(None, *OF_FIRST),
    ]
    assert repaired_at(rows, NODES, "catalog") == {"10.0.0.1": 0.0, "10.0.0.2": 0.0}


def test_repaired_at_when_all_replicas_of_all_ranges_were_repaired_then_all_nodes_were() -> None:
    """A repair without -pr covers ranges of other nodes too."""
    row = _row(LATE, *OF_FIRST, "(-100,0]", "(100,200]")
    assert set(repaired_at([row], NODES, "catalog").values()) == {
        LATE.replace(tzinfo=UTC).timestamp()
    }
