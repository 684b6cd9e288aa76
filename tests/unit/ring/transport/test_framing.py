import io

import pytest
from cassandra.connection import locally_supported_compressions
from cassandra.segment import Segment, SegmentCodec

from ring.transport.errors import ProtocolViolationError
from ring.transport.framing import (
    CUSTOM_PAYLOAD_FLAG,
    MAX_FRAME_BYTES,
    WARNING_FLAG,
    FrameSplitter,
    SegmentSplitter,
    encode_segments,
    skip_extras,
)
from tests.support import cql_frames as cql

BODIES = (b"", b"a", b"four", bytes(range(40)), b"")
Taken = list[tuple[int, int, int, bytes]]


def _sink(taken: Taken) -> FrameSplitter:
    return FrameSplitter(
        4, lambda fl, st, op, data, start, stop: taken.append((fl, st, op, data[start:stop]))
    )


def _stream(version: int = 4) -> bytes:
    return b"".join(
        cql.frame(number, cql.RESULT, body, version=version) for number, body in enumerate(BODIES)
    )


EXPECTED = [(0, number, cql.RESULT, body) for number, body in enumerate(BODIES)]


def test_frames_when_bytes_are_cut_at_every_position_then_all_come_whole() -> None:
    """Two reads, cut anywhere."""
    data = _stream()
    for cut in range(len(data) + 1):
        taken: Taken = []
        splitter = _sink(taken)
        splitter.feed(data[:cut])
        splitter.feed(data[cut:])
        assert taken == EXPECTED


@pytest.mark.parametrize("piece_bytes", [1, 2, 3, 8, 9, 10])
def test_frames_when_reads_are_tiny_then_all_come_whole(piece_bytes: int) -> None:
    """Many reads of a few bytes."""
    data = _stream()
    taken: Taken = []
    splitter = _sink(taken)
    for start in range(0, len(data), piece_bytes):
        splitter.feed(data[start : start + piece_bytes])
    assert taken == EXPECTED


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        cql.frame(1, cql.ERROR, version=3),
        b"\x04" + cql.frame(1, cql.RESULT)[1:],
        cql.frame(1, cql.RESULT)[:5] + (MAX_FRAME_BYTES + 1).to_bytes(4, "big"),
        cql.frame(1, cql.RESULT)[:5] + (-1).to_bytes(4, "big", signed=True),
    ],
    ids=["http", "other version", "request", "too long", "negative length"],
)
def test_frames_when_bytes_are_no_response_then_violation(data: bytes) -> None:
    """What is no response frame of the version is refused by its header alone."""
    with pytest.raises(ProtocolViolationError):
        _sink([]).feed(data)


@pytest.fixture(params=[None, "lz4"])
def codec(request: pytest.FixtureRequest) -> SegmentCodec:
    """The driver's codec, plain and compressing."""
    if request.param is None:
        return SegmentCodec()
    return SegmentCodec(*locally_supported_compressions[request.param])


def test_segments_when_bytes_are_cut_at_every_position_then_frames_come_whole(
    codec: SegmentCodec,
) -> None:
    """The driver's own reader fails here: a header that is split over two reads."""
    frames = [cql.frame(n, cql.RESULT, body) for n, body in enumerate(BODIES)]
    # One segment for the first frames, one for the others.
    data = encode_segments(codec, frames[:3]) + encode_segments(codec, frames[3:])
    for cut in range(len(data) + 1):
        taken: Taken = []
        splitter = SegmentSplitter(codec, _sink(taken))
        splitter.feed(data[:cut])
        splitter.feed(data[cut:])
        assert taken == EXPECTED


def test_segments_when_frame_is_longer_than_one_then_it_comes_whole(codec: SegmentCodec) -> None:
    """A frame over three segments, between two short ones; no segment exceeds its bound."""
    long_body = bytes(range(256)) * 1200
    bodies = (b"before", long_body, b"after")
    frames = [cql.frame(n, cql.RESULT, body) for n, body in enumerate(bodies)]
    data = encode_segments(codec, frames)
    taken: Taken = []
    splitter = SegmentSplitter(codec, _sink(taken))
    for start in range(0, len(data), 4096):
        splitter.feed(data[start : start + 4096])
    assert [body for _, _, _, body in taken] == list(bodies)


def test_segments_when_many_frames_leave_together_then_none_exceeds_its_bound() -> None:
    """Frames of one write share segments as far as they fit."""
    codec = SegmentCodec()
    frames = [cql.frame(n, cql.RESULT, bytes(1000)) for n in range(400)]
    data = io.BytesIO(encode_segments(codec, frames))
    payloads = []
    while data.tell() < len(data.getvalue()):
        header = codec.decode_header(data)
        payloads.append(codec.decode(data, header).payload)
        assert header.is_self_contained
    assert b"".join(payloads) == b"".join(frames)
    assert all(len(payload) <= Segment.MAX_PAYLOAD_LENGTH for payload in payloads)
    assert len(payloads) == 4


def test_segments_when_any_byte_is_flipped_then_violation(codec: SegmentCodec) -> None:
    """Checksums cover header and payload."""
    data = encode_segments(codec, [cql.frame(1, cql.RESULT, b"x" * 20)])
    for position in range(len(data)):
        spoilt = bytearray(data)
        spoilt[position] ^= 0x10
        taken: Taken = []
        with pytest.raises(ProtocolViolationError):
            SegmentSplitter(codec, _sink(taken)).feed(bytes(spoilt))
        assert taken == []


def test_extras_when_frame_has_warnings_and_payload_then_message_is_behind_them() -> None:
    """Two warnings and a payload of a value and a null."""
    warnings = b"\x00\x02" + b"\x00\x03one" + b"\x00\x00"
    payload = b"\x00\x02" + b"\x00\x01a" + b"\x00\x00\x00\x02bb" + b"\x00\x01c" + b"\xff" * 4
    data = b"before" + warnings + payload + b"message"
    flags = WARNING_FLAG | CUSTOM_PAYLOAD_FLAG
    assert data[skip_extras(flags, data, 6) :] == b"message"
    assert skip_extras(0, data, 6) == 6


def test_extras_when_they_are_cut_then_violation() -> None:
    """Lengths that lead out of the frame are no frame."""
    with pytest.raises(ProtocolViolationError):
        skip_extras(WARNING_FLAG, b"\x00\x02\x00\x01a", 0)
