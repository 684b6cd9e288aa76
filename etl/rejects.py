"""The rejects file: every refused row with where it stood, why, and its original bytes.

JSON Lines. `bytes_base64` is the row exactly as it stood in the file, without the line end, in
whatever encoding; `text` is the same for reading, with U+FFFD for what is not UTF-8.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import duckdb
import orjson

from etl.sources import Source, iterate_chunks

_SELECT: Final = (
    "SELECT line, lines, part, kind, col, reason FROM rejects WHERE file = ? ORDER BY line, part"
)
_BATCH_ROWS: Final = 10_000


def write_rejects(
    database: duckdb.DuckDBPyConnection, sources: Iterable[Source], path: Path
) -> None:
    """Write the rejects of all files, in the order of their lines.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("wb") as out:
        for source in sources:
            _write_file_rejects(database, source, out)


def _write_file_rejects(database: duckdb.DuckDBPyConnection, source: Source, out: BinaryIO) -> None:
    original = _LineReader(source.path)
    cursor = database.cursor().execute(_SELECT, [source.table.file])
    while rows := cursor.fetchmany(_BATCH_ROWS):
        for line, lines, part, kind, column, reason in rows:
            raw = original.read(line, lines)
            record = {
                "file": source.table.file,
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


class _LineReader:
    """Reads lines by number in one pass over a file, for ascending numbers."""

    def __init__(self, path: Path) -> None:
        self._chunks: Iterator[tuple[int, bytes]] = iterate_chunks(path)
        self._first = 1
        self._lines: list[bytes] = []

    def read(self, line: int, lines: int) -> bytes:
        """Return these lines as they stand in the file, without the last one's line end."""
        end = line + lines
        while end > self._first + len(self._lines):
            first, chunk = next(self._chunks)
            # A multi-line row may begin in the chunk before.
            kept = self._lines[max(0, line - self._first) :] if line < first else []
            texts = chunk.split(b"\n")
            if not texts[-1]:
                texts.pop()
            self._lines = kept + texts
            self._first = first - len(kept)
        start = line - self._first
        return b"\n".join(self._lines[start : start + lines]).removesuffix(b"\r")
