"""When each node's ranges were last repaired, as Cassandra's own record of repairs has it.

So repairs count whoever ran them. A range belongs to the node that has its end among its tokens; a
node is as old as the oldest of its ranges.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ring.operations.view import NodeView

SELECT_REPAIRS: Final = (
    "SELECT keyspace_name, successful_ranges, finished_at, options"
    " FROM system_distributed.parent_repair_history"
)
"""Rows stay for thirty days; there is one a repair."""


def repaired_at(
    rows: Iterable[Mapping[str, Any]], nodes: Sequence[NodeView], keyspace: str
) -> dict[str, float]:
    """Return for each node's address when all of its ranges had been repaired; 0: never.

    Only repairs of the whole keyspace with all replicas count.
    """
    repaired: dict[int, float] = {}
    for row in rows:
        if row["keyspace_name"] != keyspace or not _is_whole(row):
            continue
        finished_at = timestamp(row["finished_at"])
        for token_range in row["successful_ranges"] or ():
            end = int(token_range.rpartition(",")[2].rstrip("]"))
            repaired[end] = max(repaired.get(end, 0.0), finished_at)
    return {
        node.address: min((repaired.get(token, 0.0) for token in node.tokens), default=0.0)
        for node in nodes
    }


def timestamp(value: datetime | None) -> float:
    """Return a CQL timestamp, which comes without its zone (UTC), in seconds; 0 for none."""
    return 0.0 if value is None else value.replace(tzinfo=UTC).timestamp()


def _is_whole(row: Mapping[str, Any]) -> bool:
    options = dict(row["options"] or {})
    limited = any(options.get(name) for name in ("columnFamilies", "dataCenters", "hosts"))
    return not limited and options.get("previewKind", "NONE") == "NONE"
