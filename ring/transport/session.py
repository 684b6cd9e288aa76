"""Connecting, and the awaitable face of one connection: query, prepare, execute, pages."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from cassandra.connection import locally_supported_compressions
from cassandra.protocol import (
    AuthChallengeMessage,
    AuthenticateMessage,
    AuthResponseMessage,
    OptionsMessage,
    PrepareMessage,
    ProtocolHandler,
    QueryMessage,
    ReadyMessage,
    RegisterMessage,
    ResultMessage,
    StartupMessage,
)
from cassandra.segment import SegmentCodec

from ring.transport.connection import (
    EXECUTE_OPCODE,
    RESULT_OPCODE,
    CqlConnection,
    EventListener,
)
from ring.transport.errors import (
    AuthenticationError,
    ConnectError,
    ProtocolViolationError,
    ReplyTimeoutError,
    ServerError,
    TransportError,
)
from ring.transport.framing import HEADER_BYTES
from ring.transport.options import ConnectionOptions, Endpoint
from ring.transport.prepared import Page, Prepared, read_page

_CQL_VERSION: Final = "3.4.7"
_DEFAULT_TIMEOUT_SECONDS: Final = 10.0
_PROTOCOL_WITH_SEGMENTS: Final = 5


class _FutureReply:
    """Hands a decoded reply, or the error, to a future."""

    __slots__ = ("future", "prepared", "sent_at")

    def __init__(self, future: "asyncio.Future[Any]", prepared: Prepared | None = None) -> None:
        self.future = future
        self.prepared = prepared
        self.sent_at = time.perf_counter()

    def on_reply(
        self,
        connection: CqlConnection,
        flags: int,
        opcode: int,
        data: bytes,
        start: int,
        stop: int,
    ) -> None:
        if self.future.done():
            return
        try:
            if self.prepared is not None and opcode == RESULT_OPCODE and not flags:
                page = read_page(self.prepared, data, start, stop)
                if page is not None:
                    self.future.set_result(page)
                    return
            self.future.set_result(connection.decode(flags, opcode, data, start, stop))
        except TransportError as error:
            self.future.set_exception(error)

    def on_lost(self, connection: CqlConnection, error: TransportError) -> None:  # noqa: ARG002
        if not self.future.done():
            self.future.set_exception(error)


async def _ask(
    connection: CqlConnection,
    opcode: int,
    body: bytes,
    timeout_seconds: float,
    prepared: Prepared | None = None,
) -> Any:
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    connection.submit(opcode, body, _FutureReply(future, prepared))
    try:
        async with asyncio.timeout(timeout_seconds):
            return await future
    except TimeoutError as error:
        raise ReplyTimeoutError(
            f"{connection.endpoint}: no reply within {timeout_seconds} s"
        ) from error


async def ask(connection: CqlConnection, message: Any, timeout_seconds: float) -> Any:
    """Send one of the driver's messages and return the driver's decoded reply.

    Raises:
        ServerError: the node answered with an ERROR frame.
        ReplyTimeoutError: no reply in time; the stream id stays taken until one comes.
        ConnectionLostError: the connection ended.
    """
    frame = message_body(message, connection.options.protocol_version)
    return await _ask(connection, message.opcode, frame, timeout_seconds)


def message_body(message: Any, protocol_version: int) -> bytes:
    """The body of a driver's message, without the frame header that `submit` writes."""
    frame: bytes = ProtocolHandler.encode_message(message, 0, protocol_version, None, False)
    return frame[HEADER_BYTES:]


async def connect(
    endpoint: Endpoint, options: ConnectionOptions, timeout_seconds: float = 5.0
) -> CqlConnection:
    """Open a connection: TCP, TLS, STARTUP, authentication, USE.

    Raises:
        AuthenticationError: credentials are missing or wrong.
        ConnectError: anything else that keeps the connection from being used, within the time.
    """
    loop = asyncio.get_running_loop()
    connection: CqlConnection | None = None
    try:
        async with asyncio.timeout(timeout_seconds):
            _, connection = await loop.create_connection(
                lambda: CqlConnection(endpoint, options),
                endpoint.address,
                endpoint.port,
                ssl=options.tls,
                server_hostname=_server_name(endpoint, options),
            )
            await _greet(connection, timeout_seconds)
    except BaseException as error:
        if connection is not None:
            connection.abort(ConnectError(f"{endpoint}: not greeted"))
        if isinstance(error, ConnectError) or not isinstance(error, Exception):
            raise
        # Sockets, TLS, host names and a node that is no Cassandra each have errors of their own.
        raise ConnectError(f"{endpoint}: {str(error) or 'no answer in time'}") from error
    return connection


def _server_name(endpoint: Endpoint, options: ConnectionOptions) -> str | None:
    if options.tls is None:
        return None
    return options.tls_server_name or endpoint.address


async def _greet(connection: CqlConnection, timeout_seconds: float) -> None:
    options = connection.options
    # Cassandra shall refuse at once what it cannot serve: a queue inside it helps nobody.
    startup = {
        "DRIVER_NAME": options.application_name,
        "DRIVER_VERSION": "1",
        "THROW_ON_OVERLOAD": "1",
    }
    compressor = decompressor = None
    if options.compression is not None:
        try:
            compressor, decompressor = locally_supported_compressions[options.compression]
        except KeyError as error:
            raise ConnectError(f"compression {options.compression!r} is not installed") from error
        startup["COMPRESSION"] = options.compression
    if options.protocol_version < _PROTOCOL_WITH_SEGMENTS:
        # Cassandra compresses even the reply to STARTUP. Requests are short and go as they are.
        connection.decompress = decompressor
    reply = await ask(connection, StartupMessage(_CQL_VERSION, startup), timeout_seconds)
    if options.protocol_version >= _PROTOCOL_WITH_SEGMENTS:
        connection.use_segments(SegmentCodec(compressor, decompressor))
    if isinstance(reply, AuthenticateMessage):
        await _authenticate(connection, timeout_seconds)
    elif not isinstance(reply, ReadyMessage):
        raise ConnectError(f"{connection.endpoint}: {type(reply).__name__} after STARTUP")
    if options.keyspace is not None:
        await query(connection, f'USE "{options.keyspace}"', timeout_seconds=timeout_seconds)


async def _authenticate(connection: CqlConnection, timeout_seconds: float) -> None:
    options = connection.options
    if options.username is None or options.password is None:
        raise AuthenticationError(f"{connection.endpoint} wants a user name and a password")
    token = f"\0{options.username}\0{options.password}".encode()
    try:
        reply = await ask(connection, AuthResponseMessage(token), timeout_seconds)
    except ServerError as error:
        raise AuthenticationError(f"{connection.endpoint}: {error}") from error
    if isinstance(reply, AuthChallengeMessage):
        raise AuthenticationError(f"{connection.endpoint}: only PLAIN authentication is spoken")


async def query(
    connection: CqlConnection,
    cql: str,
    *,
    consistency: int = 1,
    timeout_seconds: float = _DEFAULT_TIMEOUT_SECONDS,
) -> list[dict[str, Any]]:
    """Run unprepared CQL, for the system's tables and for the schema.

    Returns:
        The rows, each a dict by column name; empty for statements without rows.
    """
    result = await ask(connection, QueryMessage(cql, consistency), timeout_seconds)
    if not isinstance(result, ResultMessage):
        raise ProtocolViolationError(f"{type(result).__name__} in the place of a result")
    names = result.column_names or ()
    return [dict(zip(names, row, strict=True)) for row in result.parsed_rows or ()]


async def prepare(
    connection: CqlConnection, cql: str, *, timeout_seconds: float = _DEFAULT_TIMEOUT_SECONDS
) -> Prepared:
    """Prepare a statement on this node, without blocking the loop."""
    message = await ask(connection, PrepareMessage(cql), timeout_seconds)
    if not isinstance(message, ResultMessage) or message.query_id is None:
        raise ProtocolViolationError(f"{type(message).__name__} in the place of a prepared one")
    return Prepared.from_message(cql, message, connection.options.protocol_version)


async def execute(
    connection: CqlConnection,
    prepared: Prepared,
    values: Sequence[object] = (),
    *,
    consistency: int,
    page_rows: int | None = None,
    paging_state: bytes | None = None,
    timeout_seconds: float = _DEFAULT_TIMEOUT_SECONDS,
) -> Page:
    """Execute a prepared statement; one page of rows at the most `page_rows` long."""
    cells, _ = prepared.encode(values)
    head, tail = prepared.body_parts(consistency, page_rows=page_rows, paging_state=paging_state)
    result = await _ask(connection, EXECUTE_OPCODE, head + cells + tail, timeout_seconds, prepared)
    return result if isinstance(result, Page) else page_of_message(result)


def page_of_message(message: Any) -> Page:
    """The rows of a RESULT that the driver decoded.

    Raises:
        ProtocolViolationError: it is another message.
    """
    if not isinstance(message, ResultMessage):
        raise ProtocolViolationError(f"{type(message).__name__} in the place of a result")
    return Page([tuple(row) for row in message.parsed_rows or ()], message.paging_state)


async def pages(
    connection: CqlConnection,
    prepared: Prepared,
    values: Sequence[object] = (),
    *,
    consistency: int,
    page_rows: int = 1000,
    timeout_seconds: float = _DEFAULT_TIMEOUT_SECONDS,
) -> AsyncIterator[list[tuple[Any, ...]]]:
    """Iterate over the pages of a result; each has `timeout_seconds` of its own."""
    paging_state: bytes | None = None
    while True:
        page = await execute(
            connection,
            prepared,
            values,
            consistency=consistency,
            page_rows=page_rows,
            paging_state=paging_state,
            timeout_seconds=timeout_seconds,
        )
        yield page.rows
        paging_state = page.paging_state
        if paging_state is None:
            return


async def register(
    connection: CqlConnection,
    events: Sequence[str],
    listener: EventListener,
    *,
    timeout_seconds: float = _DEFAULT_TIMEOUT_SECONDS,
) -> None:
    """Have the node tell of events (`TOPOLOGY_CHANGE`, `STATUS_CHANGE`, `SCHEMA_CHANGE`)."""
    connection.event_listener = listener
    await ask(connection, RegisterMessage(list(events)), timeout_seconds)


async def probe(connection: CqlConnection, timeout_seconds: float) -> float:
    """Ask for nothing but an answer (OPTIONS).

    Returns:
        The seconds it took.
    """
    started = time.perf_counter()
    await ask(connection, OptionsMessage(), timeout_seconds)
    return time.perf_counter() - started
