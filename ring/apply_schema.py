"""Applies a directory of CQL, one statement at a time through one node, until all nodes agree."""

import asyncio
import dataclasses
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ring.connection_options import connection_options
from ring.control import fetch_state
from ring.errors import RingSchemaError, RingUnavailableError
from ring.settings import RingSettings
from ring.topology import RingNode, RingState
from ring.transport import (
    CqlConnection,
    Endpoint,
    ServerError,
    TransportError,
    connect,
    query,
)

_LOG: Final = logging.getLogger("ring.apply_schema")
# Just after a ring has started, a schema change can take far longer than a read ever may.
_STATEMENT_TIMEOUT_SECONDS: Final = 60.0
_AGREEMENT_PAUSE_SECONDS: Final = 0.2
_DEFAULT_REPLICATION_FACTOR: Final = 3
_COMMENT: Final = re.compile(r"--[^\n]*")


async def apply_schema(
    settings: RingSettings,
    directory: Path,
    *,
    replication_factor: int | None = None,
    timeout_seconds: float = 180.0,
) -> RingState:
    """Create the keyspace and its tables where they are missing; safe to run again.

    Args:
        settings: where the ring is, and the keyspace's name.
        directory: holds `keyspace.cql` (with {keyspace}, {datacenter}, {replication_factor}) and
            `tables/*.cql`, then `changes/*.cql`, applied in the order of their names.
        replication_factor: 3, or the number of nodes when there are fewer, when None.
        timeout_seconds: for everything together.

    Returns:
        The ring as it was when all nodes that answer agreed.

    Raises:
        RingUnavailableError: no contact point answers.
        RingSchemaError: a statement was refused, or the nodes did not agree in time.
    """
    deadline_at = time.monotonic() + timeout_seconds
    connection = await _connect_any(settings)
    try:
        state = await fetch_state(connection, settings)
        # One statement after the other through one node needs no agreement in between, which
        # takes a second of gossip each time; the nodes must agree on the outcome.
        for cql in _statements(directory, settings, state, replication_factor):
            await _run(connection, cql, deadline_at)
        state = await _agree(connection, settings, deadline_at)
    except TransportError as error:
        raise RingSchemaError(f"schema: {error}") from error
    finally:
        await connection.aclose()
    return state


async def drop_keyspace(settings: RingSettings, *, timeout_seconds: float = 60.0) -> None:
    """Drop the keyspace with everything in it; nodes learn of it within a second or two.

    Raises:
        RingUnavailableError, RingSchemaError: as `apply_schema`.
    """
    deadline_at = time.monotonic() + timeout_seconds
    connection = await _connect_any(settings)
    try:
        await _run(connection, f'DROP KEYSPACE IF EXISTS "{settings.keyspace}"', deadline_at)
    except TransportError as error:
        raise RingSchemaError(f"schema: {error}") from error
    finally:
        await connection.aclose()


async def _connect_any(settings: RingSettings) -> CqlConnection:
    problems = []
    for address in settings.contact_points:
        try:
            return await _connect(Endpoint(address, settings.cql_port), settings)
        except TransportError as error:
            problems.append(str(error))
    raise RingUnavailableError("no contact point answers: " + "; ".join(problems))


async def _connect(endpoint: Endpoint, settings: RingSettings) -> CqlConnection:
    # The keyspace may not exist yet, and a few statements gain nothing from compression.
    options = dataclasses.replace(
        connection_options(settings),
        keyspace=None,
        compression=None,
        application_name="catalog-schema",
    )
    return await connect(endpoint, options, settings.connect_timeout_seconds)


def _statements(
    directory: Path, settings: RingSettings, state: RingState, replication_factor: int | None
) -> Iterator[str]:
    nodes = len(state.nodes)
    factor = replication_factor or min(_DEFAULT_REPLICATION_FACTOR, nodes)
    if factor > nodes:
        raise RingSchemaError(f"replication factor {factor}, but the datacenter has {nodes} nodes")
    try:
        keyspace_cql = (directory / "keyspace.cql").read_text(encoding="utf-8")
        tables = [path.read_text(encoding="utf-8") for path in _tables(directory)]
    except OSError as error:
        raise RingSchemaError(f"schema directory {directory}: {error}") from error
    datacenter = settings.local_datacenter or state.nodes[0].datacenter
    yield from _split(
        keyspace_cql.format(
            keyspace=f'"{settings.keyspace}"', datacenter=datacenter, replication_factor=factor
        )
    )
    yield f'USE "{settings.keyspace}"'
    for table in tables:
        yield from _split(table)


def _tables(directory: Path) -> list[Path]:
    return [
        path
        for folder in ("tables", "changes")
        for path in sorted((directory / folder).glob("*.cql"))
    ]


def _split(cql: str) -> Iterator[str]:
    for statement in _COMMENT.sub("", cql).split(";"):
        if statement.strip():
            yield statement.strip()


async def _run(connection: CqlConnection, cql: str, deadline_at: float) -> None:
    """Run one statement; a time-out is no verdict, and IF NOT EXISTS makes asking again safe."""
    while True:
        left_seconds = deadline_at - time.monotonic()
        if left_seconds <= 0:
            raise RingSchemaError(f"out of time before: {cql.splitlines()[0]}")
        try:
            await query(
                connection, cql, timeout_seconds=min(left_seconds, _STATEMENT_TIMEOUT_SECONDS)
            )
        except ServerError as error:
            raise RingSchemaError(f"{cql.splitlines()[0]}: {error}") from error
        except TransportError as error:
            if not connection.is_open:
                raise
            _LOG.warning("asking again: %s", error)
            continue
        return


async def _agree(
    connection: CqlConnection, settings: RingSettings, deadline_at: float
) -> RingState:
    """Wait until every node that answers has the same schema version.

    A node that is down learns the schema from the others before it serves again, so nobody needs
    to wait for it.
    """
    while True:
        state = await fetch_state(connection, settings)
        nodes = [*state.nodes, *state.remote_nodes]
        if len({node.schema_version for node in nodes}) == 1:
            return state
        answers = await asyncio.gather(*(_answers(node, settings) for node in nodes))
        up = [node for node, answered in zip(nodes, answers, strict=True) if answered]
        versions = {node.schema_version for node in up}
        if len(versions) == 1:
            down = [node.address for node in nodes if node not in up]
            _LOG.warning("down, it will learn the schema when it starts: %s", ", ".join(down))
            return state
        if time.monotonic() > deadline_at:
            raise RingSchemaError(f"{len(versions)} schema versions: the nodes do not agree")
        await asyncio.sleep(_AGREEMENT_PAUSE_SECONDS)


async def _answers(node: RingNode, settings: RingSettings) -> bool:
    try:
        connection = await _connect(Endpoint(node.address, node.port), settings)
    except TransportError:
        return False
    await connection.aclose()
    return True
