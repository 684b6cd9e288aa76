"""One CQL connection on the application's own event loop.

There is no second thread and no lock: everything happens in callbacks of the loop. Requests that
are submitted in one turn of the loop leave in one write; replies are handed to their handlers while
the bytes are being split, without a task in between.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from cassandra.protocol import ErrorMessage, ProtocolHandler

from ring.transport.errors import (
    ConnectionLostError,
    ProtocolViolationError,
    ServerError,
    StreamsExhaustedError,
    TransportError,
)
from ring.transport.framing import (
    COMPRESSED_FLAG,
    HEADER,
    TRACING_FLAG,
    FrameSplitter,
    SegmentSplitter,
    encode_segments,
    skip_extras,
)
from ring.transport.options import ConnectionOptions, Endpoint

EXECUTE_OPCODE: Final = 0x0A
BATCH_OPCODE: Final = 0x0D
RESULT_OPCODE: Final = 0x08
ERROR_OPCODE: Final = 0x00

EventListener = Callable[[Any], None]

_LOG: Final = logging.getLogger("ring.transport")


class ReplyHandler(Protocol):
    """Who waits for the reply to one request. Called once, on the loop; must not raise."""

    sent_at: float

    def on_reply(
        self,
        connection: "CqlConnection",
        flags: int,
        opcode: int,
        data: bytes,
        start: int,
        stop: int,
    ) -> None:
        """Take the reply: a frame's flags and opcode, and its body in `data[start:stop]`."""

    def on_lost(self, connection: "CqlConnection", error: TransportError) -> None:
        """Learn that no reply will come. The request may have been executed."""


class CqlConnection(asyncio.Protocol):
    """A connection that has been greeted and is ready for requests; made by `connect`.

    Attributes:
        pending: handlers by stream id, oldest first. A handler stays until its reply comes or the
            connection ends, so a stream id is never used again while a late reply may still come.
        received_at: `time.perf_counter()` of the last bytes from the node.
    """

    def __init__(self, endpoint: Endpoint, options: ConnectionOptions) -> None:
        self.endpoint = endpoint
        self.options = options
        self.pending: dict[int, ReplyHandler] = {}
        self.received_at = time.perf_counter()
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.on_closed: Callable[[CqlConnection], None] | None = None
        self.event_listener: EventListener | None = None
        self.frames_by_write: Callable[[int], None] | None = None
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._version = options.protocol_version
        # Ids that came back; those from `_fresh_stream` on were never given out.
        self._free_streams: deque[int] = deque()
        self._fresh_stream = 0
        self._out: list[bytes] = []
        # Set while the connection is open: splitters refer back to it, and a client that knocks at
        # a dead node for hours must leave no cycles behind.
        self._frames: FrameSplitter | None = None
        self._feed: Callable[[bytes], None] | None = None
        self._segment_codec: Any = None
        self._lost: TransportError | None = None
        self.decompress: Callable[[bytes], bytes] | None = None

    def __repr__(self) -> str:
        state = "open" if self.is_open else "closed"
        return f"<CqlConnection {self.endpoint} {state} in_flight={len(self.pending)}>"

    @property
    def is_open(self) -> bool:
        """Whether requests can be submitted."""
        return self._lost is None and self._transport is not None

    @property
    def streams_in_use(self) -> int:
        """Stream ids that were given out and have not come back."""
        return self._fresh_stream - len(self._free_streams)

    # --- sending -----------------------------------------------------------------------------

    def submit(self, opcode: int, body: bytes, handler: ReplyHandler) -> int:
        """Queue one request; it leaves with all others of this turn of the loop.

        Returns:
            The stream id, by which `pending` knows the handler.

        Raises:
            ConnectionLostError: the connection has ended. Nothing was sent.
            StreamsExhaustedError: no stream id is free. Nothing was sent.
        """
        if self._lost is not None:
            raise ConnectionLostError(f"{self.endpoint}: {self._lost}") from self._lost
        if self._free_streams:
            stream = self._free_streams.popleft()
        elif self._fresh_stream < self.options.max_requests:
            stream = self._fresh_stream
            self._fresh_stream += 1
        else:
            raise StreamsExhaustedError(f"{self.endpoint}: {len(self.pending)} replies outstanding")
        self.pending[stream] = handler
        out = self._out
        if not out:
            self._loop.call_soon(self._flush)
        out.append(HEADER.pack(self._version, 0, stream, opcode, len(body)) + body)
        return stream

    def _flush(self) -> None:
        out = self._out
        if not out or self._transport is None or self._lost is not None:
            out.clear()
            return
        if self._segment_codec is not None:
            data = encode_segments(self._segment_codec, out)
        else:
            data = out[0] if len(out) == 1 else b"".join(out)
        if self.frames_by_write is not None:
            self.frames_by_write(len(out))
        out.clear()
        self._transport.write(data)

    # --- receiving ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio.Protocol: the socket (and TLS) is up."""
        self._transport = cast("asyncio.Transport", transport)
        self._frames = FrameSplitter(self._version, self._on_frame)
        self._feed = self._frames.feed

    def data_received(self, data: bytes) -> None:
        """asyncio.Protocol: bytes, cut anywhere."""
        self.received_at = time.perf_counter()
        feed = self._feed
        if feed is None:
            return
        try:
            feed(data)
        except ProtocolViolationError as error:
            self.abort(error)
        except Exception as error:  # noqa: BLE001 - nobody may be left waiting for a reply
            _LOG.exception("%s: closed, a reply could not be taken", self.endpoint)
            violation = ProtocolViolationError(f"{self.endpoint}: {error!r}")
            violation.__cause__ = error
            self.abort(violation)

    def _on_frame(
        self, flags: int, stream: int, opcode: int, data: bytes, start: int, stop: int
    ) -> None:
        if flags & COMPRESSED_FLAG:
            data = self._inflate(data[start:stop])
            start, stop = 0, len(data)
            flags &= ~COMPRESSED_FLAG
        if flags and not flags & TRACING_FLAG:
            # What is left then is what every frame without extras is: quick to read. A trace's id
            # is left to the handler, because somebody asked for it.
            start = skip_extras(flags, data, start)
            flags = 0
        if stream < 0:
            if self.event_listener is not None:
                self.event_listener(self.decode(flags, opcode, data, start, stop))
            return
        handler = self.pending.pop(stream, None)
        if handler is None:
            raise ProtocolViolationError(f"{self.endpoint}: a reply to stream {stream}, unasked")
        self._free_streams.append(stream)
        handler.on_reply(self, flags, opcode, data, start, stop)

    def _inflate(self, body: bytes) -> bytes:
        if self.decompress is None:
            raise ProtocolViolationError(f"{self.endpoint}: a compressed frame, unasked")
        try:
            return self.decompress(body)
        except Exception as error:  # the codecs' own errors have no common class
            raise ProtocolViolationError(f"{self.endpoint}: cannot decompress: {error}") from error

    def decode(self, flags: int, opcode: int, data: bytes, start: int, stop: int) -> Any:
        """Decode a reply with the driver's general decoder.

        Raises:
            ServerError: it is an ERROR frame.
            ProtocolViolationError: it cannot be decoded.
        """
        try:
            message = ProtocolHandler.decode_message(
                self._version, {}, 0, flags, opcode, data[start:stop], None, None
            )
        except Exception as error:  # the driver's decoder raises whatever bad bytes provoke
            raise ProtocolViolationError(f"{self.endpoint}: cannot decode: {error!r}") from error
        if isinstance(message, ErrorMessage):
            raise ServerError(message.code, type(message).__name__, message.message, message.info)
        return message

    def use_segments(self, codec: Any) -> None:
        """Protocol v5: from here on, frames travel in segments."""
        self._flush()
        self._segment_codec = codec
        if self._frames is not None:
            self._feed = SegmentSplitter(codec, self._frames).feed

    # --- ending ------------------------------------------------------------------------------

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio.Protocol: the socket is gone, for whichever reason."""
        if self._lost is None:
            self._lost = ConnectionLostError(f"{self.endpoint}: {exc or 'closed by the node'}")
            self._lost.__cause__ = exc
        self._transport = self._frames = self._feed = None
        self._fail_pending(self._lost)
        if not self.closed.done():
            self.closed.set_result(None)
        if self.on_closed is not None:
            self.on_closed(self)

    def abort(self, error: TransportError) -> None:
        """End the connection at once; every outstanding request learns it with this error."""
        if self._lost is None:
            self._lost = error
        self._fail_pending(error)
        if self._transport is not None:
            self._transport.abort()

    def _fail_pending(self, error: TransportError) -> None:
        pending, self.pending = self.pending, {}
        self._out.clear()
        for handler in pending.values():
            handler.on_lost(self, error)

    async def aclose(self, timeout_seconds: float = 1.0) -> None:
        """Close in good order: what is queued is written, then the socket closes."""
        if self._transport is not None and self._lost is None:
            self._flush()
            self._lost = ConnectionLostError(f"{self.endpoint}: closed by this side")
            self._transport.close()
            self._fail_pending(self._lost)
        try:
            async with asyncio.timeout(timeout_seconds):
                await asyncio.shield(self.closed)
        except TimeoutError:
            pass
        finally:
            # Out of time or cancelled: a node that takes nothing must not keep the socket open.
            if self._transport is not None:
                self._transport.abort()
