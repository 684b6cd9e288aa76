import struct
from types import SimpleNamespace
from typing import Any

import pytest
from cassandra import cqltypes

from ring.transport.errors import EncodeError, ProtocolViolationError
from ring.transport.prepared import Page, Prepared, read_page
from tests.support import cql_frames as cql


def _prepared(
    markers: list[Any], columns: list[Any], key_indexes: list[int], version: int = 4
) -> Prepared:
    message = SimpleNamespace(
        query_id=b"id",
        result_metadata_id=b"meta" if version >= 5 else None,
        bind_metadata=[SimpleNamespace(type=kind) for kind in markers],
        column_metadata=[("ks", "tbl", f"c{n}", kind) for n, kind in enumerate(columns)],
        pk_indexes=key_indexes,
    )
    return Prepared.from_message("SELECT …", message, version)


def test_encode_when_marker_is_one_bigint_then_its_cell_is_the_key() -> None:
    """The shape of every read by id."""
    prepared = _prepared([cqltypes.LongType], [cqltypes.BytesType], [0])
    cell, key = prepared.encode([7])
    assert cell == struct.pack(">iq", 8, 7)
    assert key == struct.pack(">q", 7)


def test_encode_when_statement_names_no_key_then_none() -> None:
    """Such a statement may go to any node."""
    assert _prepared([cqltypes.LongType], [], []).encode([7])[1] is None


@pytest.mark.parametrize("parts", [("a", 1), ("", 1), ("", 0)])
def test_encode_when_key_is_composite_then_hashed_as_cassandra_does(parts: tuple[str, int]) -> None:
    """Length, bytes and a zero for each part, an empty one too, in the key's own order."""
    prepared = _prepared([cqltypes.Int32Type, cqltypes.LongType, cqltypes.UTF8Type], [], [2, 0])
    text, number = parts
    _, key = prepared.encode([number, 5, text])
    encoded = text.encode()
    expected = struct.pack(">H", len(encoded)) + encoded + b"\0"
    assert key == expected + struct.pack(">Hi", 4, number) + b"\0"


@pytest.mark.parametrize("markers", [[cqltypes.UTF8Type], [cqltypes.LongType]])
def test_encode_when_key_is_null_then_error(markers: list[Any]) -> None:
    """A partition key is never null."""
    with pytest.raises(EncodeError, match="partition key"):
        _prepared(markers, [], [0]).encode([None])


def test_encode_when_values_are_too_many_then_error() -> None:
    """The short way for one bigint does not hide it."""
    with pytest.raises(EncodeError, match="1 markers"):
        _prepared([cqltypes.LongType], [], [0]).encode([1, 2])


def test_body_when_all_options_are_given_then_it_is_as_the_protocol_says() -> None:
    """Native protocol v4, section 4.1.4."""
    head, tail = _prepared([cqltypes.LongType], [cqltypes.BytesType], [0]).body_parts(
        6, serial_consistency=9, page_rows=100, paging_state=b"here"
    )
    assert head == b"\0\2id" + b"\0\6" + bytes([0x01 | 0x02 | 0x04 | 0x08 | 0x10]) + b"\0\1"
    assert tail == struct.pack(">i", 100) + b"\0\0\0\4here" + b"\0\x09"


def test_body_when_version_is_5_then_metadata_id_and_long_flags() -> None:
    """Native protocol v5, section 4.1.4."""
    head, tail = _prepared([cqltypes.LongType], [], [0], version=5).body_parts(1)
    assert head == b"\0\2id" + b"\0\4meta" + b"\0\1" + struct.pack(">i", 0x01) + b"\0\1"
    assert tail == b""


READ = _prepared([cqltypes.LongType], [cqltypes.LongType, cqltypes.UTF8Type], [0])
ONE = struct.pack(">q", 1)


def test_page_when_frame_has_rows_then_they_are_decoded() -> None:
    """With a paging state, and somewhere inside of other bytes."""
    body = cql.rows([[ONE, b"a"], [None, None]], 2, paging=b"more")
    data = b"xxx" + body + b"yyy"
    page = read_page(READ, data, 3, 3 + len(body))
    assert page == Page([(1, "a"), (None, None)], b"more")


def test_page_when_frame_is_void_then_no_rows() -> None:
    """The answer to a write."""
    assert read_page(READ, cql.void(), 0, 4) == Page([], None)


@pytest.mark.parametrize(
    "body",
    [
        cql.rows([[ONE]], 1),
        cql.described_rows({"a": cql.BIGINT, "b": cql.TEXT}, []),
        struct.pack(">iH", 3, 2) + b"ks" + bytes(8),
    ],
    ids=["other columns", "own metadata", "set keyspace"],
)
def test_page_when_frame_is_of_another_kind_then_left_to_the_general_decoder(body: bytes) -> None:
    """None, and no guess."""
    assert read_page(READ, body, 0, len(body)) is None


def test_page_when_frame_is_cut_anywhere_then_violation_or_another_kind() -> None:
    """No cut leads to rows that nobody sent, nor to an error that is not ours."""
    body = cql.rows([[ONE, b"text"], [ONE, b"more"]], 2, paging=b"state")
    for stop in range(len(body)):
        if stop == 4:
            continue  # exactly a VOID frame's length
        with pytest.raises(ProtocolViolationError):
            read_page(READ, body[:stop], 0, stop)


def test_page_when_a_cell_cannot_be_decoded_then_violation() -> None:
    """Text that is not UTF-8, and a type of the driver's with too few bytes."""
    body = cql.rows([[ONE, b"\xff"]], 2)
    with pytest.raises(ProtocolViolationError):
        read_page(READ, body, 0, len(body))
    uuids = _prepared([], [cqltypes.UUIDType], [])
    body = cql.rows([[b"short"]], 1)
    with pytest.raises(ProtocolViolationError):
        read_page(uuids, body, 0, len(body))
