"""How a node can be given SSTables: as files on this machine, or only through the network."""

import asyncio
import dataclasses
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ring import RingNode, RingSettings, RingState
from ring.connection_options import connection_options
from ring.control import fetch_state
from ring.errors import RingUnavailableError
from ring.nodes.probes import can_bind
from ring.transport import (
    ConnectionOptions,
    CqlConnection,
    Endpoint,
    ServerError,
    TransportError,
    connect,
    query,
)

_MIB: Final = 1024**2
_QUERY_SECONDS: Final = 10.0
# Whose SSTables are written.
_VERSION: Final = "5.0."
_MODE: Final = "NONE"
# Properties that may name the port, the one that wins first.
_JMX_PORTS: Final = ("cassandra.jmx.remote.port", "cassandra.jmx.local.port")


@dataclass(frozen=True, slots=True)
class NodeAccess:
    """A node that answers.

    Attributes:
        storage_port: of the traffic between nodes.
        jmx_port: on 127.0.0.1, when its files can be reached; else None.
        data_directory: its first, when its files can be reached; else None.
    """

    node: RingNode
    storage_port: int
    jmx_port: int | None = None
    data_directory: Path | None = None

    def takes_links(self, folder: Path) -> bool:
        """Whether a node of this machine can take links of a folder's files; else it copies."""
        return folder.stat().st_dev == (self.data_directory or folder).stat().st_dev

    def lacking_space(self, copied_bytes: int) -> str:
        """Say that a node of this machine has no room for copies; empty when it has.

        Copies that fill its disk would end the node: it could not write its commit log.
        """
        if self.data_directory is None:
            return ""
        free_bytes = shutil.disk_usage(self.data_directory).free
        if copied_bytes <= free_bytes:
            return ""
        return (
            f"the disk of {self.node.address} is full: the SSTables take"
            f" {copied_bytes / _MIB:.0f} MiB, {free_bytes / _MIB:.0f} MiB are free"
        )


async def fetch_ring(settings: RingSettings) -> RingState:
    """Return the ring as the first contact point that answers tells it.

    Raises:
        RingUnavailableError: none answers.
    """
    options = _options(settings)
    problems = []
    for address in settings.contact_points:
        endpoint = Endpoint(address, settings.cql_port)
        try:
            connection = await connect(endpoint, options, settings.connect_timeout_seconds)
            try:
                return await fetch_state(connection, settings)
            finally:
                await connection.aclose()
        except TransportError as error:
            problems.append(f"{endpoint}: {error}")
    raise RingUnavailableError("; ".join(problems))


async def find_access(
    nodes: Sequence[RingNode], settings: RingSettings, *, stream_only: bool = False
) -> tuple[list[NodeAccess], dict[str, str]]:
    """Ask nodes where they keep their files.

    Args:
        nodes: whom to ask.
        settings: how to reach them.
        stream_only: take no node's files for reachable.

    Returns:
        The nodes that answer, and the host ids of those that do not, with the reason.
    """
    found = await asyncio.gather(*(_ask(node, settings) for node in nodes))
    answers = [one for one in found if isinstance(one, NodeAccess)]
    if stream_only:
        answers = [NodeAccess(one.node, one.storage_port) for one in answers]
    silent = {
        node.host_id: one for node, one in zip(nodes, found, strict=True) if isinstance(one, str)
    }
    return answers, silent


async def _ask(node: RingNode, settings: RingSettings) -> NodeAccess | str:
    endpoint = Endpoint(node.address, node.port)
    try:
        connection = await connect(endpoint, _options(settings), settings.connect_timeout_seconds)
        try:
            local = (await _rows(connection, "SELECT host_id, listen_port FROM system.local"))[0]
            if str(local["host_id"]) != node.host_id:
                return f"{endpoint} is node {local['host_id']} now"
            storage_port = int(str(local["listen_port"]))
            facts = await _facts(connection)
        finally:
            await connection.aclose()
    except TransportError as error:
        return f"{endpoint}: {error}"
    refusal = refuse_format(node, facts)
    if refusal:
        return refusal
    directory = _data_directory(facts)
    port = next((int(facts[name]) for name in _JMX_PORTS if facts.get(name, "").isdigit()), None)
    if port is None or directory is None or not can_bind(node.address, 0):
        return NodeAccess(node, storage_port)
    return NodeAccess(node, storage_port, port, directory)


def refuse_format(node: RingNode, facts: Mapping[str, str]) -> str:
    """Say why a node does not read the SSTables that are written; empty when it does.

    Args:
        node: with its version.
        facts: its settings; an empty mapping when we may not read them.
    """
    mode = facts.get("storage_compatibility_mode", _MODE)
    if mode == _MODE and node.release_version.startswith(_VERSION):
        return ""
    return (
        f"{node.address} is Cassandra {node.release_version} in storage_compatibility_mode {mode};"
        f" the SSTables are for {_VERSION}x in mode {_MODE}"
    )


async def _facts(connection: CqlConnection) -> Mapping[str, str]:
    """Read a node's settings and properties; a user may not be allowed to."""
    try:
        rows = await _rows(connection, "SELECT name, value FROM system_views.settings")
        rows += await _rows(connection, "SELECT name, value FROM system_views.system_properties")
    except ServerError:
        return {}
    return {str(row["name"]): str(row["value"]) for row in rows}


def _data_directory(facts: Mapping[str, str]) -> Path | None:
    """Return the first data directory, if it is on this machine and of this user."""
    first = facts.get("data_file_directories", "").strip("[]").split(",")[0].strip()
    path = Path(first)
    try:
        own = bool(first) and path.stat().st_uid == os.geteuid() and (path / "system").is_dir()
    except OSError:
        return None
    return path if own and os.access(path, os.W_OK) else None


async def _rows(connection: CqlConnection, cql: str) -> list[dict[str, object]]:
    return await query(connection, cql, timeout_seconds=_QUERY_SECONDS)


def _options(settings: RingSettings) -> ConnectionOptions:
    return dataclasses.replace(connection_options(settings), keyspace=None)
