"""Makes a client's own requests traced by Cassandra, and reads who took part in them."""

import asyncio
import uuid

from ring import RingClient, RingSettings
from ring.transport import CqlConnection, ReplyHandler, TransportError
from ring.transport.connection import EXECUTE_OPCODE
from tests.support.cql_tables import run_cql

_TRACING_FLAG = 0x02
_UUID_BYTES = 16


class _TracedReply:
    """Takes the trace's id off a reply and hands on the rest."""

    def __init__(self, handler: ReplyHandler, traces: list[uuid.UUID]) -> None:
        self.sent_at = handler.sent_at
        self._handler = handler
        self._traces = traces

    def on_reply(
        self,
        connection: CqlConnection,
        flags: int,
        opcode: int,
        data: bytes,
        start: int,
        stop: int,
    ) -> None:
        """The transport's call for a frame."""
        assert flags & _TRACING_FLAG
        behind = start + _UUID_BYTES
        self._traces.append(uuid.UUID(bytes=data[start:behind]))
        self._handler.on_reply(connection, flags & ~_TRACING_FLAG, opcode, data, behind, stop)

    def on_lost(self, connection: CqlConnection, error: TransportError) -> None:
        """The transport's call for an end without a reply."""
        self._handler.on_lost(connection, error)


def trace_requests(client: RingClient) -> list[uuid.UUID]:
    """Have every EXECUTE frame of the client's present connections traced (protocol v4).

    Returns:
        The traces' ids, which come with the replies.
    """
    traces: list[uuid.UUID] = []
    for node in client.nodes.values():
        if node.connection is not None:
            _trace_connection(node.connection, traces)
    return traces


def _trace_connection(connection: CqlConnection, traces: list[uuid.UUID]) -> None:
    submit = connection.submit

    def traced(opcode: int, body: bytes, handler: ReplyHandler) -> int:
        if opcode != EXECUTE_OPCODE:
            return submit(opcode, body, handler)
        stream = submit(opcode, body, _TracedReply(handler, traces))
        frame = bytearray(connection._out[-1])
        frame[1] |= _TRACING_FLAG
        connection._out[-1] = bytes(frame)
        return stream

    connection.submit = traced  # type: ignore[method-assign]


async def nodes_of_trace(settings: RingSettings, trace: uuid.UUID) -> tuple[str, set[str]]:
    """Who coordinated a traced request, and every node that did something for it.

    Raises:
        TimeoutError: the nodes have not written the whole trace in time.
    """
    session = f"FROM system_traces.{{table}} WHERE session_id = {trace}"
    async with asyncio.timeout(20.0):
        while True:
            rows = await run_cql(settings, "SELECT * " + session.format(table="sessions"))
            if rows and rows[0]["duration"] is not None:
                break
            await asyncio.sleep(0.2)
    events = await run_cql(settings, "SELECT source " + session.format(table="events"))
    return str(rows[0]["coordinator"]), {str(event["source"]) for event in events}
