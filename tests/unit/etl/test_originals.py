"""Rows are found by line number, wherever the chunks of a file end."""

from collections.abc import Iterator

import pytest

from etl.errors import SourceChangedError
from etl.originals import OriginalReader

_LINES = [b"header", b"", b"A" * 5000, b"b\r", b"c", b"D" * 9000, b"\xff", b"last"]
_TEXT = b"\n".join(_LINES)


def _chunks(text: bytes, lines: int) -> Iterator[tuple[int, bytes]]:
    """Chunks of so many whole lines, as a file is read."""
    all_lines = text.splitlines(keepends=True)
    for start in range(0, len(all_lines), lines):
        yield start + 1, b"".join(all_lines[start : start + lines])


@pytest.mark.parametrize("lines", [1, 2, 3, 100])
@pytest.mark.parametrize("last", [b"", b"\n"])
def test_lines_when_read_in_order_then_bytes_and_offsets_are_exact(lines: int, last: bytes) -> None:
    """Each line twice (two rows may stand on it), with and without a last newline."""
    text = _TEXT + last
    reader = OriginalReader("x.csv", _chunks(text, lines))
    offset = 0
    for number, line in enumerate(_LINES, start=1):
        for _ in range(2):
            assert reader.read(number, 1) == (offset, line.removesuffix(b"\r"))
        offset += len(line) + 1


@pytest.mark.parametrize("lines", [1, 2, 3, 100])
def test_rows_when_they_span_lines_then_all_of_them(lines: int) -> None:
    """Line ends inside of a row are its own."""
    reader = OriginalReader("x.csv", _chunks(_TEXT, lines))
    start = _TEXT.index(b"A")
    assert reader.read(3, 3) == (start, b"A" * 5000 + b"\nb\r\nc")
    assert reader.read(6, 3) == (_TEXT.index(b"D"), b"D" * 9000 + b"\n\xff\nlast")


@pytest.mark.parametrize(("line", "lines"), [(9, 1), (8, 2), (100, 1)])
@pytest.mark.parametrize("last", [b"", b"\n"])
def test_row_when_the_file_ends_before_it_then_the_change_is_named(
    line: int, lines: int, last: bytes
) -> None:
    """A file that shrinks while it is loaded stops the load."""
    reader = OriginalReader("x.csv", _chunks(_TEXT + last, 3))
    with pytest.raises(SourceChangedError, match=r"x\.csv: is shorter .* line \d+ is gone"):
        reader.read(line, lines)
