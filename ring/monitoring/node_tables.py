"""Reads what a node tells of itself in its virtual tables: over CQL, without JMX or a process."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ring.monitoring.picture import Hints, NodeTables, Pool, Streams
from ring.transport import CqlConnection, query

_QUERIES: Final = (
    # Written once, when the node became a member.
    "SELECT WRITETIME(bootstrapped) AS joined FROM system.local",
    (
        "SELECT status, bytes_received, bytes_to_receive, bytes_sent, bytes_to_send"
        " FROM system_views.streaming"
    ),
    "SELECT progress, total, unit FROM system_views.sstable_tasks",
    (
        "SELECT name, active_tasks, pending_tasks, completed_tasks, blocked_tasks_all_time"
        " FROM system_views.thread_pools"
    ),
    "SELECT address, files, oldest FROM system_views.pending_hints",
    "SELECT port FROM system_views.clients",
)
_RUNNING: Final = ("init", "start")


async def read_node_tables(connection: CqlConnection, *, timeout_seconds: float) -> NodeTables:
    """Read one node's figures: six small queries that go in one write.

    Consistency: ONE, on node-local tables.

    Raises:
        TransportError: the node did not answer in time.
    """
    local, streams, tasks, pools, hints, clients = await asyncio.gather(
        *(query(connection, cql, timeout_seconds=timeout_seconds) for cql in _QUERIES)
    )
    return NodeTables(
        joined_at=(local[0]["joined"] or 0) / 1e6 if local else 0.0,
        streams=_streams(streams),
        compaction_left_bytes=sum(
            task["total"] - task["progress"] for task in tasks if task["unit"] == "bytes"
        ),
        pools={row["name"]: _pool(row) for row in pools},
        hints={
            str(row["address"]): Hints(row["files"], row["oldest"].timestamp())
            for row in hints
            if row["address"] is not None
        },
        clients=len(clients),
    )


def _pool(row: Mapping[str, Any]) -> Pool:
    return Pool(
        active=row["active_tasks"],
        pending=row["pending_tasks"],
        completed=row["completed_tasks"],
        blocked=row["blocked_tasks_all_time"],
    )


def _streams(rows: Iterable[Mapping[str, Any]]) -> Streams:
    running = [row for row in rows if row["status"] in _RUNNING]

    def total(column: str) -> int:
        return sum(row[column] or 0 for row in running)

    return Streams(
        count=len(running),
        received_bytes=total("bytes_received"),
        to_receive_bytes=total("bytes_to_receive"),
        sent_bytes=total("bytes_sent"),
        to_send_bytes=total("bytes_to_send"),
    )
