"""Asks every node that answers for its picture of the ring, over CQL; no JVM is started for it."""

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ring.connection_options import connection_options
from ring.operations.errors import OperationError
from ring.operations.view import (
    GossipEntry,
    NodeReading,
    RingView,
    Stream,
    Task,
    build_nodes,
)
from ring.settings import RingSettings
from ring.transport import (
    CqlConnection,
    Endpoint,
    ServerError,
    TransportError,
    connect,
    query,
)

_CONNECT_SECONDS: Final = 2.0
_QUERY_SECONDS: Final = 5.0
_SCHEMA_SECONDS: Final = 120.0
_LOCAL: Final = "SELECT * FROM system.local"
_PEERS: Final = "SELECT native_address, tokens, host_id FROM system.peers_v2"
_GOSSIP: Final = (
    "SELECT address, generation, heartbeat, host_id, status, status_with_port, dc, rack,"
    ' release_version, "schema", load FROM system_views.gossip_info'
)
_STREAMS: Final = (
    "SELECT id, operation, peers, status, failure_cause, bytes_received, bytes_sent,"
    " bytes_to_receive, bytes_to_send FROM system_views.streaming"
)
_TASKS: Final = (
    "SELECT keyspace_name, table_name, kind, progress, total FROM system_views.sstable_tasks"
)
_COMPACTIONS: Final = (
    "SELECT pending_tasks FROM system_views.thread_pools WHERE name = 'CompactionExecutor'"
)
_KEYSPACES: Final = "SELECT keyspace_name, replication FROM system_schema.keyspaces"
# system_distributed and the like are Cassandra's own and keep the replication that they came with.
_OWN_KEYSPACES: Final = "system"


class RingReader:
    """Reads views of the ring; keeps a connection to each node that answers.

    Attributes:
        settings: credentials, ports, and the catalog's keyspace.
    """

    def __init__(self, settings: RingSettings, candidates: Iterable[str]) -> None:
        """Take addresses at which nodes may be; contact points come first, where some are set.

        Those of no setting would be this machine's, whichever ring runs there.
        """
        self.settings = settings
        is_set = settings.contact_points != RingSettings().contact_points
        points = settings.contact_points if is_set else ()
        self._candidates = tuple(dict.fromkeys((*points, *candidates)))
        self._known: frozenset[str] = frozenset()
        self._connections: dict[str, CqlConnection] = {}
        self._heard: dict[str, tuple[int, int, float]] = {}
        self._options = dataclasses.replace(
            connection_options(settings),
            keyspace=None,
            compression=None,
            application_name="catalog-ring",
        )

    async def read(self) -> RingView:
        """Return what the nodes tell now: nodes, replication, tables, streams, tasks.

        Consistency: ONE, on node-local tables of every node that answers.

        Raises:
            OperationError: no node answers.
        """
        readings = await self._read_all()
        self._known = frozenset(address for reading in readings for address in reading.members)
        keyspaces = await self._ask(readings[0].address, _KEYSPACES)
        tables = await self._ask(
            readings[0].address,
            # The settings admit letters, digits and _ in the name.
            "SELECT table_name FROM system_schema.tables"  # noqa: S608
            f" WHERE keyspace_name = '{self.settings.keyspace}'",
        )
        return RingView(
            cluster_name=readings[0].cluster_name,
            nodes=build_nodes(readings, self._silence(readings)),
            replication=read_replication(keyspaces),
            tables=frozenset(str(row["table_name"]) for row in tables),
            streams=tuple(stream for reading in readings for stream in reading.streams),
            tasks=tuple(task for reading in readings for task in reading.tasks),
        )

    async def run_cql(
        self,
        cql: str,
        *,
        address: str | None = None,
        consistency: int = 1,
        timeout_seconds: float = _SCHEMA_SECONDS,
    ) -> list[dict[str, Any]]:
        """Run a statement on one node (any that answers, unless given) and return its rows.

        Raises:
            OperationError: the node refused it or did not answer in time; it may have been done.
        """
        if address is None:
            address = next(iter(self._connections), "")
        connection = await self._connect(address)
        if connection is None:
            raise OperationError(
                f"{address or 'no node'} answers CQL", advice="See: catalog-ring status"
            )
        try:
            return await query(
                connection, cql, consistency=consistency, timeout_seconds=timeout_seconds
            )
        except TransportError as error:
            raise OperationError(
                f"{cql}: {error}", advice="See what the node says in its system.log."
            ) from error

    async def aclose(self) -> None:
        """Close every connection."""
        for connection in self._connections.values():
            await connection.aclose()
        self._connections.clear()

    async def _read_all(self) -> list[NodeReading]:
        """Read the known nodes; where none answers, look for one among the candidates."""
        asked: set[str] = set()
        readings: dict[str, NodeReading] = {}
        wanted = set(self._known) or set(await self._first_that_answers())
        while wanted - asked:
            batch = sorted(wanted - asked)
            asked |= wanted
            for reading in await asyncio.gather(*(self._read_one(one) for one in batch)):
                if reading is not None:
                    readings[reading.address] = reading
                    wanted |= reading.members.keys()
            if not readings:
                wanted |= set(await self._first_that_answers())
        if not readings:
            points = ", ".join(self._candidates[:5])
            raise OperationError(
                f"no node of the ring answers CQL on port {self.settings.cql_port}"
                f" (asked: {points}{', …' if len(self._candidates) > 5 else ''})",
                advice="Start the ring (make up), or let CATALOG_CONTACT_POINTS name a node of it.",
            )
        return list(readings.values())

    async def _first_that_answers(self) -> Sequence[str]:
        for candidate in self._candidates:
            if await self._connect(candidate) is not None:
                return (candidate,)
        return ()

    async def _connect(self, address: str) -> CqlConnection | None:
        connection = self._connections.get(address)
        if connection is not None and connection.is_open:
            return connection
        self._connections.pop(address, None)
        endpoint = Endpoint(address, self.settings.cql_port)
        try:
            connection = await connect(endpoint, self._options, _CONNECT_SECONDS)
        except TransportError:
            return None
        self._connections[address] = connection
        return connection

    async def _ask(self, address: str, cql: str) -> list[dict[str, Any]]:
        return await self.run_cql(cql, address=address, timeout_seconds=_QUERY_SECONDS)

    async def _read_one(self, address: str) -> NodeReading | None:
        connection = await self._connect(address)
        if connection is None:
            return None
        statements = (_LOCAL, _PEERS, _GOSSIP, _STREAMS, _TASKS, _COMPACTIONS)
        try:
            answers = await asyncio.gather(
                *(query(connection, cql, timeout_seconds=_QUERY_SECONDS) for cql in statements)
            )
        except ServerError as error:
            raise OperationError(
                f"{address} does not tell of the ring: {error}",
                advice="Operations need Cassandra 5.0 or later.",
            ) from error
        except TransportError:
            # Frozen, or cut off: the next reading tries a fresh connection.
            self._connections.pop(address, None)
            with contextlib.suppress(TransportError):
                await connection.aclose()
            return None
        return read_node(address, *answers)

    def _silence(self, readings: Sequence[NodeReading]) -> dict[str, float]:
        """Return for how long nobody has heard anything new of each address."""
        now = time.monotonic()
        for entry in (entry for reading in readings for entry in reading.gossip.values()):
            known = self._heard.get(entry.address)
            if known is None or known[:2] < (entry.generation, entry.heartbeat):
                self._heard[entry.address] = (entry.generation, entry.heartbeat, now)
        return {address: now - at for address, (_, _, at) in self._heard.items()}


Rows = Sequence[Mapping[str, Any]]


def read_node(
    address: str,
    local: Rows,
    peers: Rows,
    gossip: Rows,
    streams: Rows,
    tasks: Rows,
    compactions: Rows,
) -> NodeReading:
    """Turn the rows that one node answered with into a reading."""
    own = local[0]
    tokens = _tokens(own)
    # A peer that is joining or leaving has a row with holes.
    members = {
        str(row["native_address"]): _tokens(row)
        for row in peers
        if row.get("native_address") and row.get("host_id") and row.get("tokens")
    }
    if own.get("bootstrapped") == "COMPLETED":
        members[address] = tokens
    return NodeReading(
        address=address,
        host_id=str(own["host_id"]),
        datacenter=str(own["data_center"]),
        rack=str(own["rack"]),
        version=str(own["release_version"]),
        schema_version=str(own["schema_version"]),
        cluster_name=str(own["cluster_name"]),
        tokens=tokens,
        members=members,
        gossip={entry.address: entry for entry in map(_gossip_entry, gossip)},
        streams=tuple(_stream(address, row) for row in streams),
        tasks=tuple(_task(address, row) for row in tasks),
        pending_compactions=sum(int(row["pending_tasks"]) for row in compactions),
    )


def read_replication(rows: Rows) -> dict[str, dict[str, int]]:
    """Return keyspace → datacenter → replicas, of NetworkTopologyStrategy, ours alone."""
    found = {}
    for row in rows:
        options = dict(row["replication"])
        is_own = str(row["keyspace_name"]).startswith(_OWN_KEYSPACES)
        if is_own or not options.get("class", "").endswith("NetworkTopologyStrategy"):
            continue
        found[str(row["keyspace_name"])] = {
            datacenter: int(str(factor).split("/", 1)[0])
            for datacenter, factor in options.items()
            if datacenter != "class"
        }
    return found


def _tokens(row: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(sorted(int(token) for token in row.get("tokens") or ()))


def _gossip_entry(row: Mapping[str, Any]) -> GossipEntry:
    status = str(row.get("status_with_port") or row.get("status") or "")
    return GossipEntry(
        address=str(row["address"]),
        host_id=str(row.get("host_id") or ""),
        status=status.split(",", 1)[0],
        datacenter=str(row.get("dc") or ""),
        rack=str(row.get("rack") or ""),
        version=str(row.get("release_version") or ""),
        schema_version=str(row.get("schema") or ""),
        load_bytes=round(float(row.get("load") or 0)),
        generation=int(row.get("generation") or 0),
        heartbeat=int(row.get("heartbeat") or 0),
    )


def _stream(node: str, row: Mapping[str, Any]) -> Stream:
    return Stream(
        plan_id=str(row["id"]),
        operation=str(row.get("operation") or ""),
        node=node,
        peers=tuple(_host(str(peer)) for peer in row.get("peers") or ()),
        bytes_done=int(row.get("bytes_received") or 0) + int(row.get("bytes_sent") or 0),
        bytes_total=int(row.get("bytes_to_receive") or 0) + int(row.get("bytes_to_send") or 0),
        status=str(row.get("status") or ""),
        failure=str(row.get("failure_cause") or ""),
        bytes_received=int(row.get("bytes_received") or 0),
    )


def _task(node: str, row: Mapping[str, Any]) -> Task:
    return Task(
        node=node,
        kind=str(row["kind"]),
        keyspace=str(row["keyspace_name"]),
        table=str(row["table_name"]),
        done=int(row.get("progress") or 0),
        total=int(row.get("total") or 0),
    )


def _host(peer: str) -> str:
    """Return the address of "/127.0.0.1:7000" and its like; of IPv6 what stands in brackets."""
    text = peer.rpartition("/")[2]
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.rpartition(":")[0] if text.count(":") == 1 else text
