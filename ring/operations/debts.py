"""What operations owe: cleanups of old nodes, repairs after a change of replication.

Each is written before that which makes it necessary, and removed after it was paid: whoever comes
after an operation that was killed sees it in the ring.
"""

import time
import uuid
from collections.abc import Iterable
from typing import Final

from ring.client import RingClient
from ring.operations.view import NodeView, OwedCleanup, ReplicationChange
from ring.statements import Consistency, Statement

_RING: Final = "ring"
_TIMEOUT_SECONDS: Final = 10.0
# At a lower level a debt could be overseen; nodes of other datacenters owe as well.
_LEVEL: Final = Consistency.QUORUM

_WRITE_CLEANUP: Final = Statement(
    "write_ring_cleanup",
    "INSERT INTO ring_cleanups (name, host_id, address, taken_by, since) VALUES (?, ?, ?, ?, ?)",
    _LEVEL,
    idempotent=True,
)
_DELETE_CLEANUP: Final = Statement(
    "delete_ring_cleanup",
    "DELETE FROM ring_cleanups WHERE name = ? AND host_id = ?",
    _LEVEL,
    idempotent=True,
)
_SELECT_CLEANUPS: Final = Statement(
    "select_ring_cleanups",
    "SELECT host_id, address, taken_by, since FROM ring_cleanups WHERE name = ?",
    _LEVEL,
    idempotent=True,
)
_WRITE_CHANGE: Final = Statement(
    "write_ring_replication",
    "INSERT INTO ring_replications (name, keyspace_name, datacenter, factor_before, factor,"
    " repaired, since) VALUES (?, ?, ?, ?, ?, ?, ?)",
    _LEVEL,
    idempotent=True,
)
_NOTE_REPAIR: Final = Statement(
    "note_ring_repair",
    "UPDATE ring_replications SET repaired = repaired + ? WHERE name = ? AND keyspace_name = ?",
    _LEVEL,
    idempotent=True,
)
_DELETE_CHANGE: Final = Statement(
    "delete_ring_replication",
    "DELETE FROM ring_replications WHERE name = ? AND keyspace_name = ?",
    _LEVEL,
    idempotent=True,
)
_SELECT_CHANGES: Final = Statement(
    "select_ring_replications",
    "SELECT keyspace_name, datacenter, factor_before, factor, repaired FROM ring_replications"
    " WHERE name = ?",
    _LEVEL,
    idempotent=True,
)
DEBT_STATEMENTS: Final = (
    _WRITE_CLEANUP,
    _DELETE_CLEANUP,
    _SELECT_CLEANUPS,
    _WRITE_CHANGE,
    _NOTE_REPAIR,
    _DELETE_CHANGE,
    _SELECT_CHANGES,
)
"""What a client that reads or writes debts must be opened with."""
DEBT_TABLES: Final = frozenset({"ring_cleanups", "ring_replications"})


async def fetch_cleanups(ring: RingClient) -> tuple[OwedCleanup, ...]:
    """Return which nodes owe a cleanup, and because of whom. Consistency: QUORUM.

    Raises:
        RingError: too few nodes answered.
    """
    rows = await ring.execute(_SELECT_CLEANUPS.name, (_RING,), timeout_seconds=_TIMEOUT_SECONDS)
    return tuple(
        OwedCleanup(str(host_id), address, taken_by, since)
        for host_id, address, taken_by, since in rows
    )


async def write_cleanups(ring: RingClient, nodes: Iterable[NodeView], *, taken_by: str) -> None:
    """Note that nodes are going to owe a cleanup, since a node takes ranges of theirs.

    Consistency: QUORUM. Raises RingError.
    """
    now_milliseconds = time.time_ns() // 1_000_000
    for node in nodes:
        values = (_RING, uuid.UUID(node.host_id), node.address, taken_by, now_milliseconds)
        await ring.execute(_WRITE_CLEANUP.name, values, timeout_seconds=_TIMEOUT_SECONDS)


async def remove_cleanup(ring: RingClient, host_id: str) -> None:
    """Note that a node was cleaned up, or is gone for good.

    Consistency: QUORUM. Raises RingError.
    """
    await ring.execute(
        _DELETE_CLEANUP.name, (_RING, uuid.UUID(host_id)), timeout_seconds=_TIMEOUT_SECONDS
    )


async def fetch_changes(ring: RingClient) -> tuple[ReplicationChange, ...]:
    """Return the changes of replication that are not finished. Consistency: QUORUM.

    Raises:
        RingError: too few nodes answered.
    """
    rows = await ring.execute(_SELECT_CHANGES.name, (_RING,), timeout_seconds=_TIMEOUT_SECONDS)
    return tuple(
        ReplicationChange(
            keyspace, datacenter, before, factor, frozenset(str(one) for one in repaired or ())
        )
        for keyspace, datacenter, before, factor, repaired in rows
    )


async def write_change(ring: RingClient, change: ReplicationChange) -> None:
    """Note a change of replication before it is made. Consistency: QUORUM. Raises RingError."""
    repaired = {uuid.UUID(host_id) for host_id in change.repaired}
    values = (
        _RING,
        change.keyspace,
        change.datacenter,
        change.factor_before,
        change.factor,
        repaired,
        time.time_ns() // 1_000_000,
    )
    await ring.execute(_WRITE_CHANGE.name, values, timeout_seconds=_TIMEOUT_SECONDS)


async def note_repair(ring: RingClient, keyspace: str, host_id: str) -> None:
    """Note that a node's primary ranges were repaired. Consistency: QUORUM. Raises RingError."""
    await ring.execute(
        _NOTE_REPAIR.name,
        ({uuid.UUID(host_id)}, _RING, keyspace),
        timeout_seconds=_TIMEOUT_SECONDS,
    )


async def remove_change(ring: RingClient, keyspace: str) -> None:
    """Note that a change of replication is finished. Consistency: QUORUM. Raises RingError."""
    await ring.execute(_DELETE_CHANGE.name, (_RING, keyspace), timeout_seconds=_TIMEOUT_SECONDS)
