"""The rejects: every refused row with where it stood, why, and its original bytes.

Two files of one content. The CSV is for people and their tools: a line a reject, with `text` to
read and `bytes_base64` to cut out and mend. The Parquet file holds the bytes as they are. In both,
`byte_offset` is the place of the row's first byte in the uncompressed file, and the bytes are those
from there to the end of the row's last line, without the line end, in whatever encoding. A row of a
Parquet file has no bytes and no place of its own: it is told as the line of CSV that it amounts to,
`line` is its number in the file, from 1, and there is no `byte_offset`.
"""

import time
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, TextIO

import duckdb

from etl.originals import OriginalReader, original_chunks, read_row
from etl.packing import Packing
from etl.parquet import line_of, read_parquet
from etl.sources import Source
from etl.stages import sql_text

_SELECT: Final = (
    "SELECT line, lines, part, col, kind, reason FROM rejects WHERE file = ? ORDER BY line, part"
)
_SELECT_PARQUET: Final = (
    "SELECT line, lines, part, col, kind, reason, encode({text}) FROM rejects"
    " JOIN {rows} ON file_row_number + 1 = line WHERE file = ? ORDER BY line"
)
_HEADER: Final = "file,line,lines,part,byte_offset,column,kind,reason,text,bytes_base64\n"
_CREATE: Final = """
CREATE OR REPLACE TABLE reject_rows (
    file VARCHAR, line BIGINT, lines INTEGER, part TINYINT, byte_offset BIGINT, "column" VARCHAR,
    kind VARCHAR, reason VARCHAR, bytes BLOB
)
"""
_COPY: Final = """
COPY reject_rows TO {path} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 4096)
"""
_FETCHED_ROWS: Final = 2_048
_FLUSH_BYTES: Final = 8 * 2**20
_FORMULA_MARKS: Final = frozenset("=+-@")
_CONTROLS: Final = {
    code: f"\\u{code:04x}" for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
} | {9: "\\t", 10: "\\n", 13: "\\r"}


class RejectsFiles(NamedTuple):
    """Where the rejects go."""

    csv: Path
    parquet: Path


def rejects_files(asked: Path | None) -> RejectsFiles:
    """Return the two files for what `--rejects` says.

    Args:
        asked: the files' name without its ending (an ending .csv or .parquet is taken off), or a
            folder for files named by the time; None: such files in the working directory.
    """
    timed = time.strftime("rejects-%Y%m%dT%H%M%SZ", time.gmtime())
    stem = Path(timed) if asked is None else asked
    if asked is not None and asked.is_dir():
        stem = asked / timed
    elif stem.suffix.lower() in {".csv", ".parquet"}:
        stem = stem.with_suffix("")
    return RejectsFiles(stem.with_name(f"{stem.name}.csv"), stem.with_name(f"{stem.name}.parquet"))


def write_rejects(
    database: duckdb.DuckDBPyConnection,
    sources: Iterable[Source],
    files: RejectsFiles,
    count: Callable[[int], None] = lambda _rows: None,
) -> None:
    """Write the rejects of all files, in the order of their lines.

    Memory holds a few thousand of them at a time; those of the Parquet file go through the
    database of the load. `count` is told how many rows were written, some thousand at a time.

    Raises:
        SourceError: a file was changed since it was read.
        OSError: a file cannot be read or written.
        duckdb.Error: the rejects cannot be written (disk full).
    """
    database.execute(_CREATE)
    with files.csv.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as csv:
        csv.write(_HEADER)
        for source in sources:
            _write_file(database, source, csv, count)
    database.execute(_COPY.format(path=sql_text(str(files.parquet.absolute()))))
    database.execute("DROP TABLE reject_rows")


def _write_file(
    database: duckdb.DuckDBPyConnection,
    source: Source,
    csv: TextIO,
    count: Callable[[int], None],
) -> None:
    """Put the rejects of one file into the CSV and into `reject_rows`."""
    source.require_unchanged()
    name = source.name
    quoted_name = _quoted(name)
    find = _parquet_rejects if source.packing is Packing.PARQUET else _line_rejects
    # Rows are added through the connection that an interrupted load closes.
    with database.cursor() as cursor, database.appender("reject_rows") as appender:
        waiting_bytes = 0
        for rows in find(cursor, source):
            for line, lines, part, column, kind, reason, offset, raw in rows:
                appender.append_row(name, line, lines, part + 1, offset, column, kind, reason, raw)
                csv.write(
                    f"{quoted_name},{line},{lines},{part + 1},{'' if offset is None else offset},"
                    f"{_quoted(column)},{_quoted(kind)},{_quoted(reason)},{_quoted(readable(raw))},"
                    f'"{b2a_base64(raw, newline=False).decode()}"\n'
                )
                waiting_bytes += len(raw)
                if waiting_bytes > _FLUSH_BYTES:
                    appender.flush()
                    waiting_bytes = 0
            count(len(rows))


def _line_rejects(
    cursor: duckdb.DuckDBPyConnection, source: Source
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield some rejects at a time, each with its place in the text and its bytes."""
    cursor.execute(_SELECT, [source.ordinal])
    original = OriginalReader(source.name, original_chunks(source))
    while rows := cursor.fetchmany(_FETCHED_ROWS):
        yield [(*row, *read_row(original, source, row[0], row[1], row[2])) for row in rows]


def _parquet_rejects(
    cursor: duckdb.DuckDBPyConnection, source: Source
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield some rejects at a time, each as the line of CSV that it amounts to."""
    rows_of_file = read_parquet(source.read_path)
    cursor.execute(
        _SELECT_PARQUET.format(text=line_of(source.fields), rows=rows_of_file), [source.ordinal]
    )
    while rows := cursor.fetchmany(_FETCHED_ROWS):
        yield [(*row[:-1], None, row[-1]) for row in rows]


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def readable(raw: bytes) -> str:
    r"""Return bytes as one line of text that can be read, and turned back without doubt.

    A backslash is doubled, a byte that is not UTF-8 becomes `\xe9`, a control character `\n`, `\r`,
    `\t` or `\u0000`. So does a first character that a spreadsheet takes for a formula's beginning.
    """
    text = raw.replace(b"\\", b"\\\\").decode(errors="backslashreplace").translate(_CONTROLS)
    if text[:1] in _FORMULA_MARKS:
        return f"\\u{ord(text[0]):04x}{text[1:]}"
    return text
