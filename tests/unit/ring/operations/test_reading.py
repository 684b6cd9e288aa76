"""What is made of the rows that a node answers with."""

from typing import Any

import pytest

from ring.operations.reading import read_node, read_replication

_LOCAL: dict[str, Any] = {
    "host_id": "id-1",
    "data_center": "datacenter1",
    "rack": "rack1",
    "release_version": "5.0.9",
    "schema_version": "s",
    "cluster_name": "catalog",
    "bootstrapped": "COMPLETED",
    "tokens": ["5", "-7"],
}
_STREAM: dict[str, Any] = {
    "id": "plan",
    "operation": "Bootstrap",
    "peers": ["/127.0.0.3:7000", "host/10.0.0.1:7000", "/[2001:db8:0:0:0:0:0:1]:7000"],
    "status": "start",
    "failure_cause": None,
    "bytes_received": 1,
    "bytes_sent": 2,
    "bytes_to_receive": 10,
    "bytes_to_send": 20,
}


def _read(**rows: Any) -> Any:
    tables = ("local", "peers", "gossip", "streams", "tasks", "compactions")
    given = {"local": [_LOCAL]} | rows
    return read_node("127.0.0.1", *(given.get(table, []) for table in tables))


def test_node_when_read_then_itself_and_whole_peers_are_members() -> None:
    """A peer that joins or leaves has a row with holes."""
    peers = [
        {"native_address": "127.0.0.2", "host_id": "id-2", "tokens": ["3"]},
        {"native_address": "127.0.0.3", "host_id": "id-3", "tokens": None},
        {"native_address": None, "host_id": None, "tokens": ["3"]},
    ]
    reading = _read(peers=peers)
    assert reading.members == {"127.0.0.1": (-7, 5), "127.0.0.2": (3,)}


def test_node_when_it_is_still_joining_then_no_member_of_its_own_ring() -> None:
    """It may answer CQL a moment before it has joined."""
    assert _read(local=[_LOCAL | {"bootstrapped": "IN_PROGRESS"}]).members == {}


def test_gossip_when_read_then_status_without_token_and_holes_filled() -> None:
    """A node that has just begun to gossip has no status, load or schema."""
    gossip = [
        {
            "address": "127.0.0.1",
            "generation": 7,
            "heartbeat": 9,
            "status": "LEAVING,1",
            "status_with_port": "NORMAL,-12",
            "load": "73822.0",
        },
        {"address": "127.0.0.2", "generation": 1, "heartbeat": 2, "status": "BOOT,5"},
        {"address": "127.0.0.3", "generation": 1, "heartbeat": 2, "load": None},
    ]
    told = _read(gossip=gossip).gossip
    assert [(one.status, one.load_bytes) for one in told.values()] == [
        ("NORMAL", 73822),
        ("BOOT", 0),
        ("", 0),
    ]


def test_stream_when_read_then_addresses_of_peers_and_both_directions() -> None:
    """Java writes addresses in its own ways."""
    (stream,) = _read(streams=[_STREAM]).streams
    assert stream.peers == ("127.0.0.3", "10.0.0.1", "2001:db8:0:0:0:0:0:1")
    assert (stream.bytes_done, stream.bytes_total, stream.under_way) == (3, 30, True)
    for status in ("success", "failure"):
        (ended,) = _read(streams=[_STREAM | {"status": status}]).streams
        assert not ended.under_way


def test_tasks_when_read_then_bytes_done_of_all() -> None:
    """And compactions that wait are counted."""
    task = {
        "keyspace_name": "catalog",
        "table_name": "products_by_id",
        "kind": "cleanup",
        "progress": 5,
        "total": 9,
    }
    reading = _read(tasks=[task], compactions=[{"pending_tasks": 4}])
    (seen,) = reading.tasks
    assert (seen.node, seen.kind, seen.done, seen.total) == ("127.0.0.1", "cleanup", 5, 9)
    assert reading.pending_compactions == 4


@pytest.mark.parametrize(
    ("name", "options", "read"),
    [
        (
            "catalog",
            {"class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "dc1": "3/1"},
            {"catalog": {"dc1": 3}},
        ),
        ("system_traces", {"class": "NetworkTopologyStrategy", "dc1": "3"}, {}),
        ("old", {"class": "SimpleStrategy", "replication_factor": "2"}, {}),
    ],
)
def test_replication_when_read_then_of_our_own_keyspaces_by_datacenter(
    name: str, options: dict[str, str], read: dict[str, dict[str, int]]
) -> None:
    """Cassandra's own keyspaces keep what they came with."""
    assert read_replication([{"keyspace_name": name, "replication": options}]) == read
