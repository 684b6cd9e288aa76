"""The first line of a legacy file: which column stands where."""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from etl.errors import SourceError
from etl.identity import ByteStream
from etl.kinds import Note
from etl.tables import Table

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_HEADER_BYTES_LIMIT: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Header:
    """The header of one file.

    Attributes:
        names: every column's trimmed name, known or not, in the file's order.
        positions: where each column of the table stands, in the table's order.
    """

    names: tuple[str, ...]
    positions: tuple[int, ...]
    notes: Counter[Note] = field(default_factory=Counter)


def read_header(table: Table, stream: ByteStream) -> Header:
    """Read and check the header of a text.

    Raises:
        SourceError: the text is empty or binary, or its header lacks a column.
        OSError: it cannot be read.
    """
    start = stream.read(_HEADER_BYTES_LIMIT)
    line = start[: start.find(b"\n") + 1] or start
    if not line:
        raise SourceError("is empty: not even a header")
    if line.startswith(_WIDE_MARKS):
        raise SourceError("is UTF-16; save it as UTF-8")
    if b"\0" in line:
        raise SourceError("is binary: its first line holds NUL bytes")
    if len(line) >= _HEADER_BYTES_LIMIT:
        raise SourceError("is no CSV file: its first line does not end")
    notes: Counter[Note] = Counter()
    if line.startswith(_BYTE_ORDER_MARK):
        notes[Note.BYTE_ORDER_MARK] = 1
        line = line.removeprefix(_BYTE_ORDER_MARK)
    return map_columns(table, _split_names(line), notes)


def _split_names(line: bytes) -> list[str]:
    try:
        text = line.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise SourceError("is binary: its first line is not valid UTF-8") from error
    if "\r" in text:
        raise SourceError("ends its lines with a bare CR; save it with LF or CRLF")
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise SourceError(f"has a wrong header: {error}: {text[:200]!r}") from error


def map_columns(table: Table, padded: Sequence[str], notes: Counter[Note]) -> Header:
    """Find the table's columns among the names that a file has.

    Raises:
        SourceError: a column is absent, or there twice.
    """
    names = [name.strip() for name in padded]
    wanted = [column.header for column in table.columns]
    if absent := [name for name in wanted if name not in names]:
        raise SourceError(
            f"has a wrong header: no column {', '.join(absent)};"
            f" wanted {','.join(wanted)}, found {','.join(names)[:200]!r}"
        )
    if twice := [name for name in wanted if names.count(name) > 1]:
        raise SourceError(f"has a wrong header: column {', '.join(twice)} stands there twice")
    positions = tuple(names.index(name) for name in wanted)
    if padding := sum(name != trimmed for name, trimmed in zip(padded, names, strict=True)):
        notes[Note.PADDED_HEADER] = padding
    if positions != tuple(sorted(positions)):
        notes[Note.REORDERED_HEADER] = 1
    if extra := len(names) - len(wanted):
        notes[Note.EXTRA_COLUMN] = extra
    return Header(tuple(names), positions, notes)
