"""The rejects file: every refused row with where it stood, why, and its original bytes.

JSON Lines. `bytes_base64` is the row exactly as it stood in the (unpacked) file, without the line
end, in whatever encoding; `text` is the same for reading, with U+FFFD for what is not UTF-8. A row
of a Parquet file has no bytes of its own: it is told as the line of CSV that it amounts to, and
`line` is its number in the file, from 1.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import duckdb
import orjson

from etl.errors import SourceChangedError
from etl.lines import iterate_chunks
from etl.packing import Packing
from etl.parquet import line_of, read_parquet
from etl.sources import Source

_SELECT: Final = (
    "SELECT line, lines, part, kind, col, reason FROM rejects WHERE file = ? ORDER BY line, part"
)
_SELECT_PARQUET: Final = (
    "SELECT line, lines, part, kind, col, reason, encode({text}) FROM rejects"
    " JOIN {rows} ON file_row_number + 1 = line WHERE file = ? ORDER BY line"
)
_BATCH_ROWS: Final = 10_000


def write_rejects(
    database: duckdb.DuckDBPyConnection, sources: Iterable[Source], path: Path
) -> None:
    """Write the rejects of all files, in the order of their lines.

    Raises:
        SourceChangedError: a file is not what was read.
        OSError: the file cannot be written.
    """
    with path.open("wb") as out:
        for source in sources:
            _write_file_rejects(database, source, out)


def _write_file_rejects(database: duckdb.DuckDBPyConnection, source: Source, out: BinaryIO) -> None:
    source.require_unchanged()
    rejects = _parquet_rejects if source.packing is Packing.PARQUET else _line_rejects
    for line, lines, part, kind, column, reason, raw in rejects(database, source):
        record = {
            "file": source.name,
            "line": line,
            "lines": lines,
            "part_of_line": part + 1,
            "column": column,
            "kind": kind,
            "reason": reason,
            "text": raw.decode(errors="replace"),
            "bytes_base64": b64encode(raw).decode(),
        }
        out.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def _line_rejects(database: duckdb.DuckDBPyConnection, source: Source) -> Iterator[tuple[Any, ...]]:
    cursor = database.cursor().execute(_SELECT, [source.ordinal])
    with source.text_path.open("rb") as text:
        original = _LineReader(iterate_chunks(text), source)
        while rows := cursor.fetchmany(_BATCH_ROWS):
            for row in rows:
                yield *row, original.read(row[0], row[1])


def _parquet_rejects(
    database: duckdb.DuckDBPyConnection, source: Source
) -> Iterator[tuple[Any, ...]]:
    select = _SELECT_PARQUET.format(
        text=line_of(source.fields), rows=read_parquet(source.read_path)
    )
    cursor = database.cursor().execute(select, [source.ordinal])
    while rows := cursor.fetchmany(_BATCH_ROWS):
        yield from rows


class _LineReader:
    """Reads lines by number in one pass over the chunks of a file, for ascending numbers."""

    def __init__(self, chunks: Iterator[tuple[int, bytes]], source: Source) -> None:
        self._chunks = chunks
        self._source = source
        self._first = 1
        self._lines: list[bytes] = []

    def read(self, line: int, lines: int) -> bytes:
        """Return these lines as they stand in the file, without the last one's line end.

        Raises:
            SourceChangedError: the file is shorter than it was.
        """
        end = line + lines
        while end > self._first + len(self._lines):
            first, chunk = next(self._chunks, (0, b""))
            if not first:
                self._source.require_unchanged()
                raise SourceChangedError(f"{self._source.name}: is shorter than it was")
            # A multi-line row may begin in the chunk before.
            kept = self._lines[max(0, line - self._first) :] if line < first else []
            texts = chunk.split(b"\n")
            if not texts[-1]:
                texts.pop()
            self._lines = kept + texts
            self._first = first - len(kept)
        start = line - self._first
        return b"\n".join(self._lines[start : start + lines]).removesuffix(b"\r")
