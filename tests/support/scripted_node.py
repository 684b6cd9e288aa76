"""Nodes that speak real protocol frames on loopback sockets and go wrong exactly as a test says.

They inject faults on the wire and store nothing: what a row holds is computed from its key. Tests
of stored rows run against a real Cassandra.
"""

import asyncio
import struct
from collections import deque
from collections.abc import Sequence
from typing import Final, cast
from uuid import UUID

from tests.support import cql_frames as cql
from tests.support.scripted_actions import (
    READ,
    READ_ALONE,
    Action,
    Answer,
    Cut,
    Execution,
    Forget,
    Refuse,
    Reply,
    Send,
    Silence,
    value_of,
)

_MARKERS: Final = {READ.many_cql: {"in(id)": cql.LIST_OF_BIGINT}}
_COLUMNS: Final = {
    READ.cql: {"value": cql.BLOB},
    READ_ALONE.cql: {"value": cql.BLOB},
    READ.many_cql: {"id": cql.BIGINT, "value": cql.BLOB},
}


class ScriptedNode:
    """One node: a listening socket and a script of what becomes of the coming EXECUTE frames.

    Attributes:
        script: actions for the coming executions; `default` when it is empty.
        executions: every EXECUTE frame in the order of arrival.
        prepares: every statement that was prepared; `prepare_reply` takes the right answer's place.
        told_settings: what `system_views.settings` has; None: nobody may see it.
        is_filling: whether the keyspace's replication is being changed.
        violations: what the client did against the protocol.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.port = 0
        self.datacenter = "dc1"
        self.rack = "r1"
        self.tokens: tuple[int, ...] = ()
        self.ring: Sequence[ScriptedNode] = (self,)
        self.keyspace_exists = True
        self.schema_version = UUID(int=1)
        self.script: deque[Action] = deque()
        self.default: Action = Answer()
        self.executions: list[Execution] = []
        self.prepares: list[str] = []
        self.prepare_reply: bytes | None = None
        self.told_settings: dict[str, str] | None = None
        self.is_filling = False
        self.violations: list[str] = []
        self.connections: set[_Connection] = set()
        self.known: dict[bytes, str] = {}
        self.frozen = False
        self._server: asyncio.Server | None = None

    @property
    def is_listening(self) -> bool:
        """Whether it takes connections."""
        return self._server is not None

    async def start(self) -> None:
        """Listen; again on the same port after a stop."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self), self.address, self.port, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Die: refuse connections, cut the open ones, forget statements."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.known.clear()
        for connection in tuple(self.connections):
            connection.cut()
        # A turn for the sockets to close.
        await asyncio.sleep(0)

    def freeze(self) -> None:
        """Answer nothing any more and keep everything open, as a stopped process does."""
        self.frozen = True

    def thaw(self) -> None:
        """Go on where it froze."""
        self.frozen = False
        for connection in tuple(self.connections):
            connection.go_on()

    def tell(self, event: str) -> None:
        """Send an event to every connection that registered."""
        body = b"".join(struct.pack(">H", len(t)) + t.encode() for t in (event, "UPDATED"))
        body += b"".join(struct.pack(">H", len(t)) + t.encode() for t in ("KEYSPACE", "ks"))
        for connection in tuple(self.connections):
            if connection.registered:
                connection.write(cql.frame(-1, 0x0C, body))

    def local_row(self) -> bytes:
        """`SELECT * FROM system.local`."""
        columns = {
            "host_id": cql.UUID,
            "data_center": cql.TEXT,
            "rack": cql.TEXT,
            "release_version": cql.TEXT,
            "schema_version": cql.UUID,
            "rpc_address": cql.INET,
            "rpc_port": cql.INT,
            "tokens": cql.SET_OF_TEXT,
        }
        return cql.described_rows(columns, [self._described()])

    def peer_rows(self) -> bytes:
        """`SELECT * FROM system.peers_v2`."""
        columns = {
            "host_id": cql.UUID,
            "data_center": cql.TEXT,
            "rack": cql.TEXT,
            "release_version": cql.TEXT,
            "schema_version": cql.UUID,
            "native_address": cql.INET,
            "native_port": cql.INT,
            "tokens": cql.SET_OF_TEXT,
        }
        return cql.described_rows(columns, [n._described() for n in self.ring if n is not self])

    def _described(self) -> list[bytes | None]:
        return [
            cql.host_id(self.address, self.port),
            self.datacenter.encode(),
            self.rack.encode(),
            b"5.0.0",
            self.schema_version.bytes,
            cql.inet(self.address),
            struct.pack(">i", self.port),
            cql.text_set([str(token) for token in self.tokens]),
        ]


class _Connection(asyncio.Protocol):
    """One client connection of a scripted node."""

    def __init__(self, node: ScriptedNode) -> None:
        self.node = node
        self.registered = False
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._unanswered: set[int] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.node.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._transport = None
        self.node.connections.discard(self)

    def cut(self) -> None:
        """End at once."""
        if self._transport is not None:
            self._transport.abort()

    def write(self, data: bytes) -> None:
        """Send bytes, if anybody is there."""
        if self._transport is not None:
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self.go_on()

    def go_on(self) -> None:
        """Work off the requests that are there."""
        while not self.node.frozen and len(self._buffer) >= 9:
            _, _, stream, opcode, length = struct.unpack_from(">BBhBi", self._buffer)
            if len(self._buffer) < 9 + length:
                return
            body = bytes(self._buffer[9 : 9 + length])
            del self._buffer[: 9 + length]
            if stream in self._unanswered:
                self.node.violations.append(f"stream {stream} used again while pending")
            self._unanswered.add(stream)
            self._take(stream, opcode, body)

    def _reply(self, stream: int, opcode: int, body: bytes = b"", flags: int = 0) -> None:
        self._unanswered.discard(stream)
        self.write(cql.frame(stream, opcode, body, flags=flags))

    def _take(self, stream: int, opcode: int, body: bytes) -> None:
        if opcode == cql.OPTIONS:
            self._reply(stream, cql.SUPPORTED, cql.supported())
        elif opcode in (cql.STARTUP, cql.REGISTER):
            self.registered = self.registered or opcode == cql.REGISTER
            self._reply(stream, cql.READY)
        elif opcode == cql.QUERY:
            self._query(stream, body[4 : 4 + struct.unpack_from(">i", body)[0]].decode())
        elif opcode == cql.PREPARE:
            self._prepare(stream, body[4 : 4 + struct.unpack_from(">i", body)[0]].decode())
        elif opcode == cql.EXECUTE:
            self._execute(stream, body)
        elif opcode == cql.BATCH:
            self._batch(stream, body)
        else:
            self._reply(stream, cql.ERROR, cql.error(0x000A, f"opcode {opcode}"))

    def _query(self, stream: int, text: str) -> None:
        if text.startswith("USE "):
            if self.node.keyspace_exists:
                self._reply(stream, cql.RESULT, struct.pack(">iH", 3, 2) + b"ks")
            else:
                self._reply(stream, cql.ERROR, cql.error(0x2200, "Keyspace 'ks' does not exist"))
        elif "system.local" in text:
            self._reply(stream, cql.RESULT, self.node.local_row())
        elif "system.peers_v2" in text:
            self._reply(stream, cql.RESULT, self.node.peer_rows())
        elif "ring_replications" in text:
            rows = [[b"\x00\x00\x00\x02"]] if self.node.is_filling else []
            self._reply(stream, cql.RESULT, cql.described_rows({"factor": cql.INT}, rows))
        elif "system_views.settings" in text:
            self._settings(stream)
        else:
            options = {"class": "NetworkTopologyStrategy", "dc1": "2"}
            found = [[cql.text_map(options)]] if self.node.keyspace_exists else []
            described = cql.described_rows({"replication": cql.MAP_OF_TEXT}, found)
            self._reply(stream, cql.RESULT, described)

    def _settings(self, stream: int) -> None:
        told = self.node.told_settings
        if told is None:
            self._reply(stream, cql.ERROR, cql.error(0x2100, "no SELECT permission"))
            return
        columns = {"name": cql.TEXT, "value": cql.TEXT}
        rows: list[list[bytes | None]] = [[k.encode(), v.encode()] for k, v in told.items()]
        self._reply(stream, cql.RESULT, cql.described_rows(columns, rows))

    def _prepare(self, stream: int, text: str) -> None:
        self.node.prepares.append(text)
        statement_id = cql.statement_id(text)
        self.node.known[statement_id] = text
        markers = _MARKERS.get(text, {"id": cql.BIGINT})
        key_indexes = [] if text in _MARKERS else [0]
        columns = _COLUMNS.get(text, {})
        body = cql.prepared(statement_id, markers, key_indexes, columns)
        reply = self.node.prepare_reply
        self._reply(stream, cql.RESULT, body if reply is None else reply)

    def _execute(self, stream: int, body: bytes) -> None:
        (size,) = struct.unpack_from(">H", body)
        statement_id = body[2 : 2 + size]
        text = self.node.known.get(statement_id)
        (level,) = struct.unpack_from(">H", body, 2 + size)
        # Behind the id: consistency (2), flags (1), count of values (2), the first value's length.
        value = body[2 + size + 9 :]
        if text == READ.many_cql:
            (count,) = struct.unpack_from(">i", value)
            keys = tuple(
                key
                for index in range(count)
                for key in struct.unpack_from(">q", value, 8 + index * 12)
            )
        else:
            keys = struct.unpack_from(">q", value)
        self._run(stream, statement_id, keys, level)

    def _batch(self, stream: int, body: bytes) -> None:
        """Rows of one statement with one bigint each, unlogged and without flags."""
        kind, count = struct.unpack_from(">BH", body)
        (size,) = struct.unpack_from(">H", body, 4)
        statement_id = body[6 : 6 + size]
        row = b"\x01" + body[4 : 6 + size] + struct.pack(">Hi", 1, 8)
        keys: list[int] = []
        offset = 3
        for _ in range(count):
            if body[offset : offset + len(row)] != row:
                self.node.violations.append(f"a batch with {body[offset:]!r}")
            keys += struct.unpack_from(">q", body, offset + len(row))
            offset += len(row) + 8
        if kind != 1 or body[offset:] != struct.pack(">HB", 6, 0):
            self.node.violations.append(f"a batch of kind {kind} with {body[offset:]!r}")
        (level,) = struct.unpack_from(">H", body, offset)
        self._run(stream, statement_id, tuple(keys), level)

    def _run(self, stream: int, statement_id: bytes, keys: tuple[int, ...], level: int) -> None:
        node = self.node
        text = node.known.get(statement_id)
        if text is None:
            self._reply(stream, cql.ERROR, cql.unprepared(statement_id))
            return
        node.executions.append(Execution(text, keys, stream, level))
        action = node.script.popleft() if node.script else node.default
        self._act(action, stream, statement_id, text, keys)

    def _act(
        self, action: Action, stream: int, statement_id: bytes, text: str, keys: tuple[int, ...]
    ) -> None:
        match action:
            case Answer(0.0):
                self._reply(stream, cql.RESULT, _result(text, keys))
            case Answer(delay_seconds):
                loop = asyncio.get_running_loop()
                loop.call_later(delay_seconds, self._reply, stream, cql.RESULT, _result(text, keys))
            case Refuse(code):
                self._reply(stream, cql.ERROR, cql.error(code))
            case Reply(opcode, body, flags):
                self._reply(stream, opcode, body, flags)
            case Send(data):
                self.write(data)
            case Forget(freezes):
                self.node.known.pop(statement_id, None)
                self._reply(stream, cql.ERROR, cql.unprepared(statement_id))
                self.node.frozen = freezes
            case Cut(after_half):
                whole = cql.frame(stream, cql.RESULT, _result(text, keys))
                if after_half and self._transport is not None:
                    self._transport.write(whole[: len(whole) // 2])
                    self._transport.close()
                else:
                    self.cut()
            case Silence():
                pass


def _result(text: str, keys: tuple[int, ...]) -> bytes:
    columns = _COLUMNS.get(text)
    if columns is None:
        return cql.void()
    found = [(struct.pack(">q", key), value_of(key)) for key in keys if key >= 0]
    return cql.rows([row[-len(columns) :] for row in found], len(columns))
