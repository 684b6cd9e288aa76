"""Bytes of a socket to whole frames, and frames to bytes.

Protocol v4 sends bare frames. Protocol v5 wraps them, after the handshake, in segments with
checksums. Either splitter gets bytes cut anywhere and hands on whole frames only: the driver's own
v5 reader loses the start of a segment header that arrives split over two reads.
"""

import io
import struct
from collections.abc import Callable
from typing import Any, Final

from cassandra.segment import CrcException, Segment, SegmentCodec

from ring.transport.errors import ProtocolViolationError

HEADER: Final = struct.Struct(">BBhBi")
HEADER_BYTES: Final = HEADER.size
RESPONSE_BIT: Final = 0x80
# Flags of a frame's header (native protocol v4, section 2.2).
COMPRESSED_FLAG: Final = 0x01
TRACING_FLAG: Final = 0x02
CUSTOM_PAYLOAD_FLAG: Final = 0x04
WARNING_FLAG: Final = 0x08
_SHORT: Final = struct.Struct(">H")
_INT: Final = struct.Struct(">i")

# Cassandra refuses frames above native_transport_max_frame_size (16 MiB unless raised to at most
# 256 MB). A longer length in a header is not a frame.
MAX_FRAME_BYTES: Final = 256 * 1024 * 1024

# (flags, stream, opcode, data, body start, body stop)
FrameSink = Callable[[int, int, int, bytes, int, int], None]


class FrameSplitter:
    """Splits a stream of bytes into frames and hands each to the sink, in order.

    A body that is cut by the end of a read is kept in pieces and joined once when it is whole, so a
    frame of many megabytes costs one copy and not one for every read.
    """

    __slots__ = ("_pieces", "_pieces_bytes", "_sink", "_version", "_wanted_bytes")

    def __init__(self, protocol_version: int, sink: FrameSink) -> None:
        self._version = protocol_version | RESPONSE_BIT
        self._sink = sink
        self._pieces: list[bytes] = []
        self._pieces_bytes = 0
        self._wanted_bytes = 0

    def feed(self, data: bytes) -> None:
        """Take what a read brought.

        Raises:
            ProtocolViolationError: the bytes are no response frames of this version.
        """
        if self._pieces:
            self._pieces.append(data)
            self._pieces_bytes += len(data)
            if self._pieces_bytes < self._wanted_bytes:
                return
            data = b"".join(self._pieces)
            self._pieces.clear()
            self._pieces_bytes = 0
        offset = 0
        end = len(data)
        unpack = HEADER.unpack_from
        version_wanted = self._version
        while end - offset >= HEADER_BYTES:
            version, flags, stream, opcode, length = unpack(data, offset)
            if version != version_wanted or not 0 <= length <= MAX_FRAME_BYTES:
                # A node that does not speak our version answers in its own, with an ERROR frame.
                raise ProtocolViolationError(
                    f"no response frame of protocol v{version_wanted & 0x7F}:"
                    f" {data[offset : offset + HEADER_BYTES].hex()}"
                )
            start = offset + HEADER_BYTES
            stop = start + length
            if stop > end:
                self._keep(data, offset, HEADER_BYTES + length)
                return
            self._sink(flags, stream, opcode, data, start, stop)
            offset = stop
        if offset < end:
            self._keep(data, offset, HEADER_BYTES)

    def _keep(self, data: bytes, offset: int, wanted_bytes: int) -> None:
        rest = data[offset:] if offset else data
        self._pieces.append(rest)
        self._pieces_bytes = len(rest)
        self._wanted_bytes = wanted_bytes


def skip_extras(flags: int, data: bytes, start: int) -> int:
    """Where the message of a frame begins: behind the node's warnings and a custom payload.

    A node warns of much that is no error (tombstones, large batches); its rows count all the same.

    Raises:
        ProtocolViolationError: the extras are not what their lengths say.
    """
    try:
        if flags & WARNING_FLAG:
            (count,) = _SHORT.unpack_from(data, start)
            start += 2
            for _ in range(count):
                start += 2 + _SHORT.unpack_from(data, start)[0]
        if flags & CUSTOM_PAYLOAD_FLAG:
            (count,) = _SHORT.unpack_from(data, start)
            start += 2
            for _ in range(count):
                start += 2 + _SHORT.unpack_from(data, start)[0]
                start += 4 + max(0, _INT.unpack_from(data, start)[0])
    except struct.error as error:
        raise ProtocolViolationError(f"the head of a frame cannot be read: {error}") from error
    return start


class SegmentSplitter:
    """Protocol v5: splits bytes into segments, checks them, and feeds their payload to frames."""

    __slots__ = ("_buffer", "_codec", "_frames")

    def __init__(self, codec: SegmentCodec, frames: FrameSplitter) -> None:
        self._codec = codec
        self._frames = frames
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take what a read brought.

        Raises:
            ProtocolViolationError: a checksum does not match.
        """
        buffer = self._buffer
        buffer += data
        codec = self._codec
        header_bytes = codec.header_length_with_crc
        offset = 0
        try:
            while len(buffer) - offset >= header_bytes:
                header = codec.decode_header(
                    io.BytesIO(bytes(buffer[offset : offset + header_bytes]))
                )
                body_bytes = header.payload_length + 4
                start = offset + header_bytes
                if len(buffer) - start < body_bytes:
                    break
                body = io.BytesIO(bytes(buffer[start : start + body_bytes]))
                segment: Segment = codec.decode(body, header)
                offset = start + body_bytes
                self._frames.feed(segment.payload)
        except CrcException as error:
            raise ProtocolViolationError(str(error)) from error
        del buffer[:offset]


def encode_segments(codec: Any, frames: list[bytes]) -> bytes:
    """Wrap the frames of one write into as few v5 segments as they fit into.

    A frame longer than a segment must have segments of its own (native protocol v5, section 2.2).
    """
    out = io.BytesIO()
    batch: list[bytes] = []
    batch_bytes = 0
    for frame in frames:
        if batch and batch_bytes + len(frame) > Segment.MAX_PAYLOAD_LENGTH:
            codec.encode(out, b"".join(batch))
            batch, batch_bytes = [], 0
        batch.append(frame)
        batch_bytes += len(frame)
    if batch:
        codec.encode(out, b"".join(batch))
    return out.getvalue()
