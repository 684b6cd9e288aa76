"""What status says of a ring, and when it calls it well."""

import json
from types import SimpleNamespace
from typing import Any, cast

from ring.hosts.errors import InventoryError
from ring.operation_lock import Holder
from ring.operations.context import Context
from ring.operations.errors import OperationError
from ring.operations.status import fetch_status, status_lines
from ring.operations.view import Membership, ReplicationChange, RingView, Stream
from tests.support.ring_views import DATACENTER, KEYSPACE, address_of, node_of, owed_by, view_of


class _Context:
    """The ring as the test wants it; the inventory has the first two nodes."""

    def __init__(self, view: RingView) -> None:
        self._view = view

    @property
    def ring(self) -> Any:
        raise OperationError("no tables")

    async def read_view(self, *, strict: bool) -> RingView:
        assert not strict
        return self._view

    def host_at(self, address: str) -> Any:
        number = int(address.rpartition(".")[2])
        if number > 2:
            raise InventoryError(f"no host {address}")
        return SimpleNamespace(entry=SimpleNamespace(name=f"node{number}"))


async def _status(view: RingView) -> dict[str, Any]:
    status = await fetch_status(cast(Context, _Context(view)))
    assert json.loads(json.dumps(status)) == status
    return status


async def test_status_when_all_is_well_then_a_line_for_each_node_and_no_complaint() -> None:
    """Two nodes, both with an app server that nginx knows."""
    status = await _status(view_of(node_of(1), node_of(2), factor=2))
    assert status["well"]
    lines = list(status_lines(status))
    assert lines[0] == "ring catalog: 2 node(s)"
    assert lines[2].split()[:7] == [
        "node1",
        "127.0.0.1",
        "UN",
        "datacenter1",
        "rack1",
        "1",
        "1.0",
    ]
    assert "replicas     catalog datacenter1: 2" in lines
    assert "lock         free" in lines
    assert "owed         nothing" in lines


async def test_status_when_something_is_amiss_then_each_of_it_is_said() -> None:
    """A node that joins, one that is down, an app server, nginx, debts, a lock."""
    since = owed_by(1, taken_by="127.0.0.2").since
    view = view_of(
        node_of(1),
        node_of(2, answers=False),
        node_of(3, membership=Membership.JOINING, answers=False),
        apps={address_of(1): True, address_of(2): False},
        front=(address_of(2), address_of(9)),
        holder=Holder("host/12-3-4", "add node3", since, 42),
        cleanups=(owed_by(1, taken_by="127.0.0.2"),),
        changes=(ReplicationChange(KEYSPACE, DATACENTER, 1, 2, frozenset()),),
        streams=(
            Stream(
                "p", "Bootstrap", address_of(1), (address_of(3),), 1_000_000, 2_000_000, "start"
            ),
            Stream("q", "Repair", address_of(1), (address_of(2),), 1, 1, "success"),
        ),
    )
    status = await _status(view)
    assert not status["well"]
    text = "\n".join(status_lines(status))
    for words in (
        "127.0.0.2 is down (DN)",
        "127.0.0.3 is joining: ranges are pending",
        "the app server at 127.0.0.2 is not ready",
        "nginx does not know the app server at 127.0.0.1",
        "nginx sends requests to 127.0.0.9, which is no node of the ring",
        "127.0.0.1 owes a cleanup since 127.0.0.2 took ranges of it",
        "catalog is not repaired since its replication was changed",
        "lock         add node3 (process 12 on host, since 2026-01-01 00:00:00 UTC, lease 42 s)",
        "stream       Bootstrap 127.0.0.1 - 127.0.0.3: 1.0 MB of 2.0 MB",
        "unrepaired   catalog: 2 replicas instead of 1",
        "pending      127.0.0.3 UJ",
    ):
        assert words in text
    assert "Repair" not in text


async def test_status_when_nginx_and_inventory_are_someone_elses_then_no_complaint() -> None:
    """An existing Cassandra, of whose app servers nothing is known."""
    view = view_of(node_of(3), apps={}, front=None)
    status = await _status(view)
    assert status["well"]
    (node,) = status["nodes"]
    assert (node["host"], node["app_ready"], node["in_nginx"]) == ("-", None, None)
