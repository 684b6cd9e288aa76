"""`catalog-ring status`: the ring as it is, in words or as JSON."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ring.client import RingClient
from ring.nodes.errors import NodesError
from ring.operations.context import Context
from ring.operations.owner import describe
from ring.operations.preflight import megabytes, ring_is_well
from ring.operations.view import NodeView, RingView
from ring.transport import Endpoint

_CONNECT_SECONDS: Final = 1.5
_POLL_SECONDS: Final = 0.05
_COLUMNS: Final = (
    ("host", 10),
    ("address", 16),
    ("state", 6),
    ("datacenter", 12),
    ("rack", 8),
    ("tokens", 7),
    ("load", 10),
    ("version", 9),
    ("app", 10),
    ("nginx", 6),
    ("client", 0),
)


async def fetch_status(context: Context) -> dict[str, Any]:
    """Return the ring's status as JSON's types.

    `well` says whether every node is up and agrees with the others, every app server is ready and
    in nginx, and nothing is owed.

    Raises:
        OperationError: no node answers.
    """
    view = await context.read_view(strict=False)
    circuits = await _circuits(context)
    problems = list(_problems(view, circuits))
    return {
        "well": not problems,
        "problems": problems,
        "cluster": view.cluster_name,
        "nodes": [_node(context, view, node, circuits) for node in view.nodes],
        "schema_versions": sorted(view.schema_versions),
        "pending": [f"{node.address} {node.state}" for node in view.moving],
        "replication": {name: dict(factors) for name, factors in view.replication.items()},
        "streams": [
            {
                "operation": one.operation,
                "node": one.node,
                "peers": list(one.peers),
                "bytes_done": one.bytes_done,
                "bytes_total": one.bytes_total,
            }
            for one in view.streams
            if one.under_way
        ],
        "nginx": None if view.front is None else list(view.front),
        "lock": _lock(view),
        "owed_cleanups": [
            {"address": debt.address, "taken_by": debt.taken_by} for debt in view.cleanups
        ],
        "unrepaired": [
            {
                "keyspace": change.keyspace,
                "datacenter": change.datacenter,
                "factor_before": change.factor_before,
                "factor": change.factor,
            }
            for change in view.changes
        ],
    }


def status_lines(status: Mapping[str, Any]) -> Iterator[str]:
    """Yield a status in words: one line a node, and what else there is to know."""
    yield f"ring {status['cluster']}: {len(status['nodes'])} node(s)"
    yield _row({name: name for name, _ in _COLUMNS})
    for node in status["nodes"]:
        yield _row(_cells(node))
    agreed = status["schema_versions"]
    yield f"schema       {'agreed' if len(agreed) == 1 else ', '.join(agreed)}"
    replicas = [
        f"{keyspace} {datacenter}: {factor}"
        for keyspace, factors in status["replication"].items()
        for datacenter, factor in factors.items()
    ]
    yield f"replicas     {'; '.join(replicas) or 'none'}"
    yield f"pending      {', '.join(status['pending']) or 'no ranges'}"
    for one in status["streams"]:
        done, total = megabytes(one["bytes_done"]), megabytes(one["bytes_total"])
        peers = ", ".join(one["peers"])
        yield f"stream       {one['operation']} {one['node']} - {peers}: {done} of {total}"
    lock = status["lock"]
    yield f"lock         {lock['words'] if lock else 'free'}"
    owed = ", ".join(debt["address"] for debt in status["owed_cleanups"])
    yield f"owed         {f'cleanup of {owed}' if owed else 'nothing'}"
    for one in status["unrepaired"]:
        before, factor = one["factor_before"], one["factor"]
        yield f"unrepaired   {one['keyspace']}: {factor} replicas instead of {before}"
    for problem in status["problems"]:
        yield f"NOT WELL     {problem}"


async def _circuits(context: Context) -> dict[str, str]:
    """Return what keeps our own client from each node: nothing, or its problem."""
    try:
        client = context.ring
    except NodesError:
        return {}
    deadline = time.monotonic() + _CONNECT_SECONDS
    # The nodes were learnt a moment ago: let their connections come about.
    while time.monotonic() < deadline and not _all_connected(client):  # noqa: ASYNC110
        await asyncio.sleep(_POLL_SECONDS)
    nodes: Mapping[Endpoint, Any] = client.nodes
    return {
        endpoint.address: "" if node.is_connected else node.problem or "not connected"
        for endpoint, node in nodes.items()
    }


def _all_connected(client: RingClient) -> bool:
    return all(node.is_connected for node in client.nodes.values())


def _problems(view: RingView, circuits: Mapping[str, str]) -> Iterator[str]:
    for refusal in ring_is_well(view):
        yield refusal.reason
    for address, ready in view.apps.items():
        if not ready:
            yield f"the app server at {address} is not ready"
    yield from _front_problems(view)
    for address, problem in circuits.items():
        if problem:
            yield f"a client cannot reach {address}: {problem}"
    for debt in view.cleanups:
        yield f"{debt.address} owes a cleanup since {debt.taken_by} took ranges of it"
    for change in view.changes:
        yield f"{change.keyspace} is not repaired since its replication was changed"


def _front_problems(view: RingView) -> Iterator[str]:
    if not view.front:
        return
    ready = {address for address, is_ready in view.apps.items() if is_ready}
    for address in sorted(ready - set(view.front)):
        yield f"nginx does not know the app server at {address}"
    for address in view.front:
        if view.node(address) is None:
            yield f"nginx sends requests to {address}, which is no node of the ring"


def _node(
    context: Context, view: RingView, node: NodeView, circuits: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "host": _host_name(context, node.address),
        "address": node.address,
        "host_id": node.host_id,
        "state": node.state,
        "datacenter": node.datacenter,
        "rack": node.rack,
        "tokens": len(node.tokens),
        "load_bytes": node.load_bytes,
        "version": node.version,
        "schema_version": node.schema_version,
        "pending_compactions": node.pending_compactions,
        "app_ready": view.apps.get(node.address),
        "in_nginx": None if view.front is None else node.address in view.front,
        "client": circuits.get(node.address),
    }


def _host_name(context: Context, address: str) -> str:
    try:
        return context.host_at(address).entry.name
    except NodesError:
        return "-"


def _lock(view: RingView) -> dict[str, Any] | None:
    holder = view.holder
    if holder is None:
        return None
    return {
        "owner": holder.owner,
        "purpose": holder.purpose,
        "since": holder.since.isoformat(),
        "lease_seconds": holder.lease_seconds,
        "words": f"{holder.purpose} ({describe(holder.owner)}, since "
        f"{holder.since:%Y-%m-%d %H:%M:%S} UTC, lease {holder.lease_seconds} s)",
    }


def _cells(node: Mapping[str, Any]) -> dict[str, str]:
    words = {True: "ready", False: "not ready", None: "-"}
    front = {True: "yes", False: "no", None: "-"}
    client = node["client"]
    return {
        **{name: str(node[name]) for name in ("host", "address", "state", "datacenter", "rack")},
        "tokens": str(node["tokens"]),
        "load": megabytes(node["load_bytes"]),
        "version": node["version"],
        "app": words[node["app_ready"]],
        "nginx": front[node["in_nginx"]],
        "client": "-" if client is None else client or "in service",
    }


def _row(cells: Mapping[str, str]) -> str:
    return "".join(f"{cells[name]:<{width}} " for name, width in _COLUMNS).rstrip()
