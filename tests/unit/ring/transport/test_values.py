import datetime as dt
import decimal
import struct
import uuid
from typing import Any

import pytest
from cassandra import cqltypes
from hypothesis import given
from hypothesis import strategies as st

from ring.transport.errors import EncodeError, ProtocolViolationError
from ring.transport.values import (
    bigint_cell,
    decode_rows,
    decoder_of,
    encode_cells,
    encoder_of,
    join_cells,
)
from tests.support import cql_frames as cql

VALUES = [
    (cqltypes.LongType, -(2**63)),
    (cqltypes.LongType, 2**63 - 1),
    (cqltypes.Int32Type, -1),
    (cqltypes.UTF8Type, "naïve ☃"),
    (cqltypes.UTF8Type, ""),
    (cqltypes.VarcharType, "text"),
    (cqltypes.AsciiType, "abc"),
    (cqltypes.BytesType, b"\x00\xff"),
    (cqltypes.BytesType, b""),
    (cqltypes.BooleanType, True),
    (cqltypes.BooleanType, False),
    (cqltypes.DoubleType, 1.5),
    (cqltypes.DecimalType, decimal.Decimal("140.00")),
    (cqltypes.UUIDType, uuid.UUID(int=7)),
    (cqltypes.DateType, dt.datetime(2021, 2, 3, 4, 5, 6)),  # noqa: DTZ001 - the driver's are naive
    (cqltypes.ListType.apply_parameters([cqltypes.LongType]), [1, 2, 3]),
]


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_value_when_written_and_read_then_it_is_the_same_and_the_drivers(
    kind: Any, value: object, version: int
) -> None:
    """Our codecs and the driver's agree on the bytes."""
    cell = encoder_of(kind, version)(value)
    assert cell == kind.to_binary(value, version)
    decode = decoder_of(kind, version)
    assert (cell if decode is None else decode(cell)) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (cqltypes.LongType, 2**63),
        (cqltypes.LongType, "1"),
        (cqltypes.Int32Type, 2**31),
        (cqltypes.UTF8Type, b"bytes"),
        (cqltypes.UTF8Type, "\ud800"),
        (cqltypes.BytesType, 5),
        (cqltypes.BytesType, "text"),
        (cqltypes.UUIDType, "no uuid"),
        (cqltypes.DecimalType, "no number"),
    ],
)
def test_value_when_it_does_not_fit_then_our_error_with_its_position(
    kind: Any, value: object
) -> None:
    """Nothing else than EncodeError leaves the codec."""
    encoders = [encoder_of(cqltypes.Int32Type, 4), encoder_of(kind, 4)]
    with pytest.raises(EncodeError, match="value 2"):
        encode_cells([1, value], encoders)


@pytest.mark.parametrize("values", [[], [1], [1, 2, 3]])
def test_values_when_count_differs_then_error(values: list[int]) -> None:
    """Too few and too many are refused before anything is sent."""
    with pytest.raises(EncodeError, match="2 markers"):
        encode_cells(values, [encoder_of(cqltypes.Int32Type, 4)] * 2)


def test_cells_when_joined_then_null_differs_from_empty() -> None:
    """Length -1 and length 0."""
    assert join_cells([None, b"", b"ab"]) == b"\xff\xff\xff\xff" + bytes(4) + b"\0\0\0\2ab"
    assert encode_cells([None], [encoder_of(cqltypes.UTF8Type, 4)]) == [None]


def test_bigint_cell_when_out_of_range_then_error() -> None:
    """The short way refuses what the long one does."""
    assert bigint_cell(-2) == struct.pack(">iq", 8, -2)
    with pytest.raises(EncodeError):
        bigint_cell(2**63)


CELLS = st.one_of(st.none(), st.binary(max_size=12))


@given(columns=st.integers(1, 4), data=st.data())
def test_rows_when_any_cells_are_null_then_they_come_back(
    columns: int, data: st.DataObject
) -> None:
    """Nulls anywhere, the last column included."""
    rows = data.draw(st.lists(st.tuples(*[CELLS] * columns), max_size=5))
    frame = b"head" + cql.rows(rows, columns)[12:] + b"the next frame"
    stop = len(frame) - len(b"the next frame")
    assert decode_rows(frame, 4, stop, [None] * columns) == rows


@given(columns=st.integers(1, 3), data=st.data())
def test_rows_when_bytes_end_elsewhere_then_violation(columns: int, data: st.DataObject) -> None:
    """Rows longer or shorter than their frame are never believed."""
    rows = data.draw(st.lists(st.tuples(*[CELLS] * columns), min_size=1, max_size=5))
    frame = cql.rows(rows, columns)[12:]
    wrong_stop = data.draw(st.integers(0, len(frame) + 8).filter(lambda stop: stop != len(frame)))
    with pytest.raises(ProtocolViolationError):
        decode_rows(frame + bytes(8), 0, wrong_stop, [None] * columns)
