"""The control connection: reads the ring from the system tables and hears of its changes."""

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from ring.settings import RingSettings
from ring.statements import Consistency
from ring.token_ring import Replication
from ring.topology import RingNode, RingState, build_state
from ring.transport import (
    ConnectionOptions,
    CqlConnection,
    Endpoint,
    ErrorCode,
    ReplyTimeoutError,
    ServerError,
    TransportError,
    connect,
    query,
    register,
)

_LOG: Final = logging.getLogger("ring.control")
_EVENTS: Final = ("TOPOLOGY_CHANGE", "STATUS_CHANGE", "SCHEMA_CHANGE")
# A change comes as a burst of events; the tables are complete a moment later.
_SETTLE_SECONDS: Final = 0.2
_QUERY_TIMEOUT_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 0.3
_FILLING_TIMEOUT_SECONDS: Final = 2.0
# The table is not there, or not for this user: then nobody changes the replication either.
_NO_TABLE: Final = (ErrorCode.INVALID, ErrorCode.UNAUTHORIZED, ErrorCode.SYNTAX_ERROR)
_ANY: Final = ("0.0.0.0", "::", "None")  # noqa: S104 - compared with, never listened on


async def fetch_state(connection: CqlConnection, settings: RingSettings) -> RingState:
    """Read the ring through one node: three small queries.

    Consistency: ONE, on node-local tables.

    Raises:
        TransportError: the node did not answer.
    """
    local, peers, keyspaces = await asyncio.gather(
        query(connection, "SELECT * FROM system.local", timeout_seconds=_QUERY_TIMEOUT_SECONDS),
        query(connection, "SELECT * FROM system.peers_v2", timeout_seconds=_QUERY_TIMEOUT_SECONDS),
        query(
            connection,
            # The settings admit letters, digits and _ in the name.
            f"SELECT replication FROM system_schema.keyspaces"  # noqa: S608
            f" WHERE keyspace_name = '{settings.keyspace}'",
            timeout_seconds=_QUERY_TIMEOUT_SECONDS,
        ),
    )
    # system.local names its columns differently, and may say "any address" for its own.
    row = dict(local[0])
    address = str(row["rpc_address"])
    row["native_address"] = connection.endpoint.address if address in _ANY else address
    row["native_port"] = row.get("rpc_port") or connection.endpoint.port
    itself = _node(row)
    nodes = [itself, *(_node(peer) for peer in peers if _is_whole(peer))]
    replication = Replication.from_options(dict(keyspaces[0]["replication"]) if keyspaces else {})
    return build_state(
        nodes,
        replication,
        local_datacenter=settings.local_datacenter or itself.datacenter,
        local_address=settings.local_address,
    )


async def fetch_is_filling(
    connection: CqlConnection, settings: RingSettings, consistency: Consistency
) -> bool | None:
    """Whether some replicas may lack rows because the keyspace's replication is being changed.

    Returns:
        None when too few replicas answered to tell.

    Raises:
        TransportError: the connection was lost.
    """
    cql = (
        # The settings admit letters, digits and _ in the name.
        f'SELECT factor FROM "{settings.keyspace}".ring_replications'  # noqa: S608
        f" WHERE name = 'ring' AND keyspace_name = '{settings.keyspace}'"
    )
    try:
        rows = await query(
            connection, cql, consistency=consistency, timeout_seconds=_FILLING_TIMEOUT_SECONDS
        )
    except ServerError as error:
        return False if error.code in _NO_TABLE else None
    except ReplyTimeoutError:
        return None
    return bool(rows)


def _is_whole(row: dict[str, Any]) -> bool:
    """A peer that is joining or leaving has a row with holes; it owns nothing to be read yet."""
    return all(row.get(column) for column in ("native_address", "host_id", "tokens", "data_center"))


def _node(row: dict[str, Any]) -> RingNode:
    return RingNode(
        address=str(row["native_address"]),
        port=int(row["native_port"]),
        host_id=str(row["host_id"]),
        datacenter=str(row["data_center"]),
        rack=str(row.get("rack") or ""),
        release_version=str(row.get("release_version") or ""),
        schema_version=str(row.get("schema_version") or ""),
        tokens=tuple(sorted(int(token) for token in row.get("tokens") or ())),
    )


class ControlConnection:
    """Keeps the picture of the ring fresh, through whichever node answers."""

    def __init__(
        self,
        settings: RingSettings,
        options: ConnectionOptions,
        on_state: Callable[[RingState], None],
        known_endpoints: Callable[[], Sequence[Endpoint]],
    ) -> None:
        self._settings = settings
        # The system tables need no keyspace, and ours may not exist yet.
        self._options = options
        self._on_state = on_state
        self._known_endpoints = known_endpoints
        self._changed = asyncio.Event()
        self._datacenter = settings.local_datacenter
        self._is_filling: bool | None = None

    async def run(self) -> None:
        """Connect to one node after the other and follow the ring; for ever, until cancelled."""
        while True:
            for endpoint in self._endpoints():
                try:
                    await self._follow(endpoint)
                except TransportError as error:
                    _LOG.info("control connection to %s: %s", endpoint, error)
                except Exception:  # noqa: BLE001 - or the client would keep an old picture
                    _LOG.exception("control connection to %s", endpoint)
            await asyncio.sleep(_RETRY_SECONDS)

    def _endpoints(self) -> list[Endpoint]:
        """The contact points, then what the last picture knew: contact points may be gone."""
        port = self._settings.cql_port
        configured = [Endpoint(address, port) for address in self._settings.contact_points]
        known = [endpoint for endpoint in self._known_endpoints() if endpoint not in configured]
        return configured + known

    async def _follow(self, endpoint: Endpoint) -> None:
        connection = await connect(endpoint, self._options, self._settings.connect_timeout_seconds)
        try:
            await register(connection, _EVENTS, lambda _event: self._changed.set())
            while True:
                # Cleared before the reading: a change during it is read once more.
                self._changed.clear()
                state = await self._fetch(connection)
                if self._is_filling is not None:
                    # At once: what follows waits for other replicas.
                    self._on_state(state)
                await self._learn_filling(connection)
                self._on_state(dataclasses.replace(state, is_filling=bool(self._is_filling)))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.topology_refresh_seconds):
                        await self._wait_for_change(connection)
                if not connection.is_open:
                    return
        finally:
            await connection.aclose()

    async def _fetch(self, connection: CqlConnection) -> RingState:
        settings = dataclasses.replace(self._settings, local_datacenter=self._datacenter)
        state = await fetch_state(connection, settings)
        if state.nodes:
            # The first node to answer decides for good: a later one may stand elsewhere.
            self._datacenter = state.nodes[0].datacenter
        else:
            known = sorted({node.datacenter for node in state.remote_nodes})
            _LOG.error("no node in datacenter %r; the ring has %s", self._datacenter, known)
        return dataclasses.replace(state, is_filling=bool(self._is_filling))

    async def _learn_filling(self, connection: CqlConnection) -> None:
        """Learn whether replicas are being filled; what was known stays where nobody can tell."""
        is_filling = await fetch_is_filling(connection, self._settings, Consistency.LOCAL_QUORUM)
        if is_filling is None and self._is_filling is None:
            # With so few nodes up a client that has just started serves what it can.
            level = Consistency.LOCAL_ONE
            is_filling = await fetch_is_filling(connection, self._settings, level)
        if is_filling is not None:
            self._is_filling = is_filling

    async def _wait_for_change(self, connection: CqlConnection) -> None:
        connection.on_closed = lambda _connection: self._changed.set()
        await self._changed.wait()
        if connection.is_open:
            await asyncio.sleep(_SETTLE_SECONDS)
