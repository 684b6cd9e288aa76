"""Reads what a node tells of itself in its virtual tables: over CQL, without JMX or a process."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ring.monitoring.picture import NodeTables, Pool
from ring.operations.reading import RingReader

_QUERIES: Final = (
    # Written once, when the node became a member.
    "SELECT WRITETIME(bootstrapped) AS joined FROM system.local",
    (
        "SELECT name, active_tasks, pending_tasks, completed_tasks, blocked_tasks_all_time"
        " FROM system_views.thread_pools"
    ),
    "SELECT files, oldest FROM system_views.pending_hints",
    "SELECT port FROM system_views.clients",
)


async def read_node_tables(
    reader: RingReader, address: str, *, timeout_seconds: float
) -> NodeTables:
    """Read one node's figures: small queries that go in one write.

    Consistency: ONE, on node-local tables.

    Raises:
        OperationError: the node did not answer in time.
    """
    local, pools, hints, clients = await asyncio.gather(
        *(reader.run_cql(cql, address=address, timeout_seconds=timeout_seconds) for cql in _QUERIES)
    )
    return NodeTables(
        joined_at=(local[0]["joined"] or 0) / 1e6 if local else 0.0,
        pools={row["name"]: _pool(row) for row in pools},
        hint_files=sum(row["files"] for row in hints),
        oldest_hint_at=min((timestamp(row["oldest"]) for row in hints), default=None),
        clients=len(clients),
    )


def timestamp(value: datetime) -> float:
    """Return a CQL timestamp, which comes without its zone (UTC), in seconds."""
    return value.replace(tzinfo=UTC).timestamp()


def _pool(row: Mapping[str, Any]) -> Pool:
    return Pool(
        active=row["active_tasks"],
        pending=row["pending_tasks"],
        completed=row["completed_tasks"],
        blocked=row["blocked_tasks_all_time"],
    )
