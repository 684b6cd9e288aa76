"""Values to cells and back: our own code for the common types, the driver's for the rest."""

import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, Final, NamedTuple

from cassandra import cqltypes

from ring.transport.errors import EncodeError, ProtocolViolationError

Encoder = Callable[[Any], bytes]
Decoder = Callable[[bytes], Any]

_BIGINT: Final = struct.Struct(">q")
_INT: Final = struct.Struct(">i")
_LENGTH: Final = struct.Struct(">i")
_NULL: Final = b"\xff\xff\xff\xff"
_BIGINT_LENGTH: Final = b"\x00\x00\x00\x08"

_INT_UNPACK: Final = _LENGTH.unpack_from


def _encode_text(value: str) -> bytes:
    return value.encode()


def _decode_text(cell: bytes) -> str:
    return cell.decode()


def _encode_blob(value: bytes) -> bytes:
    if type(value) is bytes:
        return value
    # bytes(5) is five zeros: a number must not pass for a blob.
    if not isinstance(value, bytes | bytearray | memoryview):
        raise TypeError(f"a blob wants bytes, not {type(value).__name__}")
    return bytes(value)


def _decode_bigint(cell: bytes) -> int:
    return int.from_bytes(cell, "big", signed=True)


def _decode_int(cell: bytes) -> int:
    return int.from_bytes(cell, "big", signed=True)


def _decode_boolean(cell: bytes) -> bool:
    return cell != b"\x00"


_ENCODERS: Final[dict[Any, Encoder]] = {
    cqltypes.LongType: _BIGINT.pack,
    cqltypes.Int32Type: _INT.pack,
    # What PREPARE calls text is varchar to the driver.
    cqltypes.VarcharType: _encode_text,
    cqltypes.UTF8Type: _encode_text,
    cqltypes.AsciiType: _encode_text,
    cqltypes.BytesType: _encode_blob,
}

_DECODERS: Final[dict[Any, Decoder | None]] = {
    cqltypes.LongType: _decode_bigint,
    cqltypes.Int32Type: _decode_int,
    cqltypes.VarcharType: _decode_text,
    cqltypes.UTF8Type: _decode_text,
    cqltypes.AsciiType: _decode_text,
    cqltypes.BooleanType: _decode_boolean,
    # A blob is its bytes: no decoder is quicker than any.
    cqltypes.BytesType: None,
}

# Cells that are always as long as their type: how `struct` calls them, and their bytes.
_FIXED: Final[dict[Decoder | None, tuple[str, int]]] = {
    _decode_bigint: ("q", 8),
    _decode_int: ("i", 4),
    _decode_boolean: ("?", 1),
}


def encoder_of(cql_type: Any, protocol_version: int) -> Encoder:
    """The function that turns a Python value into a cell of this type."""
    known = _ENCODERS.get(cql_type)
    if known is not None:
        return known
    return lambda value: bytes(cql_type.to_binary(value, protocol_version))


def decoder_of(cql_type: Any, protocol_version: int) -> Decoder | None:
    """The function that turns a cell of this type into a Python value; None for blobs."""
    if cql_type in _DECODERS:
        return _DECODERS[cql_type]
    return lambda cell: cql_type.from_binary(cell, protocol_version)


def encode_cells(values: Sequence[object], encoders: Sequence[Encoder]) -> list[bytes | None]:
    """Encode the values of a statement.

    Raises:
        EncodeError: a value does not fit its type, or there are too few or too many.
    """
    if len(values) != len(encoders):
        raise EncodeError(f"the statement has {len(encoders)} markers, not {len(values)}")
    try:
        return [
            None if value is None else encode(value)
            for value, encode in zip(values, encoders, strict=True)
        ]
    except Exception as error:  # the driver's types raise whatever a bad value provokes
        position = _first_bad(values, encoders)
        raise EncodeError(f"value {position} does not fit its column: {error}") from error


def _first_bad(values: Sequence[object], encoders: Sequence[Encoder]) -> int:
    """The position, from 1, of the value that does not fit its type."""
    for position, (value, encode) in enumerate(zip(values, encoders, strict=True), 1):
        try:
            if value is not None:
                encode(value)
        except Exception:  # noqa: BLE001 - as above
            return position
    raise AssertionError("asked only where one does not fit")


def join_cells(cells: Sequence[bytes | None]) -> bytes:
    """The values part of a frame: each cell behind its length, null as length -1."""
    pack = _LENGTH.pack
    parts: list[bytes] = []
    for cell in cells:
        if cell is None:
            parts.append(_NULL)
        else:
            parts += (pack(len(cell)), cell)
    return b"".join(parts)


def bigint_cell(value: int) -> bytes:
    """One bigint with its length: the values part of a read by id.

    Raises:
        EncodeError: not a number of 64 bits.
    """
    try:
        return _BIGINT_LENGTH + _BIGINT.pack(value)
    except struct.error as error:
        raise EncodeError(f"{value!r} is no bigint") from error


def decode_rows(
    data: bytes, position: int, stop: int, decoders: Sequence[Decoder | None]
) -> list[tuple[Any, ...]]:
    """Decode the rows of a RESULT frame; a null cell becomes None.

    Args:
        data: bytes that hold the frame.
        position: where the row count stands, which the rows follow.
        stop: where the frame ends.
        decoders: one for every column.

    Raises:
        ProtocolViolationError: the rows are not what the frame's length says.
    """
    unpack = _INT_UNPACK
    runs = _runs(tuple(decoders))
    (row_count,) = unpack(data, position)
    position += 4
    rows: list[tuple[Any, ...]] = []
    for _ in range(row_count):
        row: list[Any] = []
        for run in runs:
            if run.cells is not None and position + run.cells.size <= stop:
                cells = run.cells.unpack_from(data, position)
                if cells[::2] == run.lengths:
                    row += cells[1::2]
                    position += run.cells.size
                    continue
            for decode in run.decoders:
                (length,) = unpack(data, position)
                position += 4
                if length < 0:
                    row.append(None)
                    continue
                cell_stop = position + length
                cell = data[position:cell_stop]
                row.append(cell if decode is None else decode(cell))
                position = cell_stop
        rows.append(tuple(row))
    if position != stop:
        raise ProtocolViolationError(
            f"{row_count} rows end {stop - position} bytes off their frame"
        )
    return rows


class _Run(NamedTuple):
    """Columns side by side. Those of fixed length are read at once, unless one of them is null."""

    decoders: tuple[Decoder | None, ...]
    cells: struct.Struct | None
    lengths: tuple[int, ...]


@lru_cache(maxsize=256)
def _runs(decoders: tuple[Decoder | None, ...]) -> tuple[_Run, ...]:
    runs = []
    for is_fixed, columns in groupby(decoders, lambda decode: decode in _FIXED):
        run = tuple(columns)
        if is_fixed and len(run) > 1:
            kinds = [_FIXED[decode] for decode in run]
            cells = struct.Struct(">" + "".join(f"i{letter}" for letter, _ in kinds))
            runs.append(_Run(run, cells, tuple(length for _, length in kinds)))
        else:
            runs.append(_Run(run, None, ()))
    return tuple(runs)
