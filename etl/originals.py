"""Rows as they stood in their files: bytes found by line number, in one pass."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from etl.errors import SourceChangedError
from etl.lines import iterate_chunks
from etl.patterns import RowPatterns
from etl.sources import Source

_WINDOW_BYTES: Final = 4096
"""Where many lines are passed over, newlines are counted by windows of this size."""
_FEW_LINES: Final = 8
"""As many are found one by one, which costs less than counting a window."""


class Original(NamedTuple):
    """A row's own bytes, without the line end, and where the first of them stands in the file."""

    offset: int
    raw: bytes


def original_chunks(source: Source) -> Iterator[tuple[int, bytes]]:
    """Yield (number of the first line, whole lines) of the uncompressed file, from its beginning.

    Raises:
        SourceError: the file cannot be read through.
        OSError: the file cannot be opened any more.
    """
    with source.text_path.open("rb") as text:
        yield from iterate_chunks(text)


class OriginalReader:
    """Reads the lines of one file by number, ascending; the same line may be asked for again.

    Memory holds one chunk, or the lines of one row if those are more.
    """

    def __init__(self, name: str, chunks: Iterable[tuple[int, bytes]]) -> None:
        self._name = name
        self._chunks = iter(chunks)
        self._text = b""
        self._text_offset = 0
        self._at = 0
        self._line = 1

    def read(self, line: int, lines: int) -> Original:
        """Return consecutive lines, without the last one's line end.

        Raises:
            SourceChangedError: the file ends before them.
        """
        self._seek(line)
        end, missing = _after_newlines(self._text, self._at, lines)
        while missing and self._pull(keep_from=self._at):
            end, missing = _after_newlines(self._text, self._at, lines)
        # The last line of a file may lack its newline.
        if missing > 1 or (missing and self._text.endswith(b"\n")):
            raise self._changed(line)
        raw = self._text[self._at : end]
        return Original(self._text_offset + self._at, raw.removesuffix(b"\n").removesuffix(b"\r"))

    def _seek(self, line: int) -> None:
        """Put `_at` to the beginning of a line that is not before the one of the last call."""
        newlines = line - self._line
        while True:
            self._at, newlines = _after_newlines(self._text, self._at, newlines)
            self._line = line - newlines
            if not newlines and self._at < len(self._text):
                return
            if not self._pull(keep_from=self._at):
                raise self._changed(line)

    def _pull(self, *, keep_from: int) -> bool:
        """Take the next chunk behind what is kept; whether there was one."""
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._text = self._text[keep_from:] + chunk[1]
        self._text_offset += keep_from
        self._at -= keep_from
        return True

    def _changed(self, line: int) -> SourceChangedError:
        return SourceChangedError(f"{self._name}: is shorter than it was: line {line} is gone")


def read_row(reader: OriginalReader, source: Source, line: int, lines: int, part: int) -> Original:
    """Return a row from its first byte to the end of its last line.

    Args:
        reader: of the source's chunks.
        source: the file.
        line: number of its first line.
        lines: how many lines it spans.
        part: 1 for the second of two rows on one line, else 0.

    Raises:
        SourceChangedError: the file ends before the row.
    """
    found = reader.read(line, lines)
    start = second_row_start(source, found.raw) if part else 0
    return Original(found.offset + start, found.raw[start:])


def second_row_start(source: Source, raw: bytes) -> int:
    """Return where on a line of two rows the second begins; 0 if the line is no such line."""
    patterns = RowPatterns(source.table, source.header)
    text = raw.decode(errors="replace")
    for parted in (True, False):
        found = re.match(patterns.two_rows(parted=parted), text)
        if found is not None:
            second = found[2] if found[2] is not None else found[3]
            return len(raw) - len(second.encode())
    return 0


def _after_newlines(text: bytes, at: int, newlines: int) -> tuple[int, int]:
    """Return (the place after so many newlines, how many of them the text lacks)."""
    while newlines > _FEW_LINES and at < len(text):
        end = at + _WINDOW_BYTES
        found = text.count(b"\n", at, end)
        if found >= newlines:
            break
        at, newlines = min(end, len(text)), newlines - found
    while newlines:
        found = text.find(b"\n", at)
        if found < 0:
            return len(text), newlines
        at, newlines = found + 1, newlines - 1
    return at, 0
