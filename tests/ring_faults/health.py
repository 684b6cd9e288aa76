"""What the ring, its app servers and its records are like, seen without the scripts under test."""

import asyncio
import re
from collections.abc import Collection
from pathlib import Path

from benchmarks.ring_load.stored import connected, fetch_ring
from benchmarks.ring_stack import APP_PORT
from ring import Consistency, RingSettings
from ring.control import fetch_state
from ring.nodes.probes import http_status
from ring.operation_lock import RING_LOCK
from ring.transport import TransportError, query

HTTP_OK = 200
READY_SECONDS = 5.0
GOSSIP = "SELECT address, status, status_with_port FROM system_views.gossip_info"
# What must be empty when nothing is under way and nothing is owed.
RECORDS = ("ring_cleanups", "ring_replications", "operation_locks")


def find_problem(settings: RingSettings, addresses: Collection[str], upstream: Path) -> str:
    """Say what is not as it must be, with just these nodes; empty when all is well.

    Args:
        settings: of a client that reaches the ring.
        addresses: of the nodes that there must be, an app server beside each.
        upstream: the file that names the app servers to nginx.
    """
    served = set(re.findall(r"^\s*server ([0-9.]+):", upstream.read_text(), re.MULTILINE))
    if served != set(addresses):
        return f"nginx serves {sorted(served)}, not {sorted(addresses)}"
    return asyncio.run(_ring_problem(settings, addresses))


async def _ring_problem(settings: RingSettings, addresses: Collection[str]) -> str:
    for address in sorted(addresses):
        try:
            problem = await _node_problem(settings, address, set(addresses))
        except TransportError as error:
            problem = f"{address}: {error}"
        if problem:
            return problem
        if http_status(address, APP_PORT, "/readyz", timeout_seconds=READY_SECONDS) != HTTP_OK:
            return f"the app server at {address} is not ready"
    return await _records_problem(settings)


async def _node_problem(settings: RingSettings, address: str, expected: set[str]) -> str:
    """Say who is unknown to a node, or not in its place, as that node sees it."""
    async with connected(settings, address) as connection:
        state = await fetch_state(connection, settings)
        states = {
            str(row["address"]): str(row["status_with_port"] or row["status"])
            for row in await query(connection, GOSSIP)
        }
    known = {node.address for node in state.nodes}
    if known != expected:
        return f"{address} knows {sorted(known)}, not {sorted(expected)}"
    # Gossip remembers for three days who has left.
    odd = {
        one: status
        for one, status in states.items()
        if (one in expected) != status.startswith("NORMAL")
        and not status.startswith(("LEFT", "removed"))
    }
    return f"{address} sees {odd}" if odd else ""


async def _records_problem(settings: RingSettings) -> str:
    async with connected(settings) as connection:
        for table in RECORDS:
            rows = await query(
                connection,
                f"SELECT * FROM {table} WHERE name = '{RING_LOCK}'",  # noqa: S608 -- our own names
                # What a transaction wrote is read as it was decided.
                consistency=Consistency.SERIAL,
            )
            if rows:
                return f"{table} still has {rows}"
    return ""


async def fetch_addresses(settings: RingSettings) -> set[str]:
    """Return the addresses of all nodes that the ring has, up or down."""
    return {node.address for node in (await fetch_ring(settings)).nodes}


async def fetch_factor(settings: RingSettings) -> int:
    """Return how many replicas the catalog's keyspace has."""
    return sum((await fetch_ring(settings)).replication.factors.values())
