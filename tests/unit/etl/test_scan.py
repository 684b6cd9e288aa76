"""What the first reading of a file finds, wherever its blocks end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import etl.scan
from etl.errors import StoppedError
from etl.kinds import Note
from etl.lines import LINE_BYTES_LIMIT
from etl.scan import scan
from etl.sources import Source
from tests.support.legacy_files import HEADERS, PRODUCT_1, open_files, write_files

_HEADER = HEADERS["related"].encode()


@pytest.fixture
def scanned(tmp_path: Path) -> Iterator[Source]:
    """The source of a file that the test has yet to write."""
    file = tmp_path / "related.csv"
    file.write_bytes(_HEADER)
    (source,) = open_files(tmp_path, scratch=tmp_path).sources
    source.stamp = None
    yield source
    assert source.identity is not None
    assert source.identity.size_bytes == file.stat().st_size


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 7, 2**20])
@pytest.mark.parametrize(
    ("rest", "lines", "returns", "is_encoded"),
    [
        (b"", 1, 0, False),
        (b"\n", 1, 0, False),
        (b"\n1,2,3", 2, 0, False),
        (b"\n1,2,3\n", 2, 0, False),
        (b"\r\n1,2,3\r\n4,5,6\n", 3, 2, True),
        (b"\n1,2,3\r", 2, 0, True),
        (b"\n1,2\r,3\n", 2, 0, True),
        (b"\n1,2,3\n\n4,5,6", 4, 0, True),
        (b"\n1,2,3\n\n", 3, 0, True),
        (b"\n1,2,\0\n", 2, 0, True),
        ("\n1,2,é😀\n".encode(), 2, 0, False),
        (b"\n1,2,\xc3\n\xa9\n", 3, 0, True),
        (b"\n1,2,\xf0\x9f\x98", 2, 0, True),
        (b"\n1,2,\xff", 2, 0, True),
    ],
)
def test_text_when_in_blocks_then_lines_returns_and_faults_are_found(
    rest: bytes,
    lines: int,
    returns: int,
    block_bytes: int,
    scanned: Source,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_encoded: bool,
) -> None:
    """What DuckDB can read by itself is not copied; all else is."""
    monkeypatch.setattr(etl.scan, "_BLOCK_BYTES", block_bytes)
    scanned.path.write_bytes(_HEADER + rest)
    scan(scanned)
    assert (scanned.lines, scanned.encoded) == (lines, is_encoded)
    assert scanned.notes[Note.CARRIAGE_RETURN] == returns
    assert scanned.notes[Note.NO_FINAL_NEWLINE] == (not rest.endswith(b"\n"))


@pytest.mark.parametrize(("over", "is_encoded"), [(0, False), (1, True)])
@pytest.mark.parametrize("end", [b"", b"\n1,2,3\n"])
def test_line_when_longer_than_the_limit_then_the_file_is_copied(
    over: int, end: bytes, scanned: Source, *, is_encoded: bool
) -> None:
    """The limit itself is fine, one byte more is not, wherever the blocks end."""
    line = b"x" * (LINE_BYTES_LIMIT + over)
    scanned.path.write_bytes(_HEADER + b"\n1,2,3\n" + line + end)
    scan(scanned)
    assert scanned.encoded == is_encoded


def test_scan_when_the_load_is_interrupted_then_it_ends(tmp_path: Path) -> None:
    """A thread cannot be cancelled; it must not read ten more gigabytes for nobody."""
    found = open_files(write_files(tmp_path, {"product": PRODUCT_1}), scratch=tmp_path)
    found.stop()
    with pytest.raises(StoppedError):
        scan(found.sources[0])
    assert found.sources[0].identity is None
