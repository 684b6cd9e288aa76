"""Files that are no legacy files are refused before any row is read, by name and fault."""

from pathlib import Path

import pytest

from etl.errors import SourceError, UsageError
from etl.inputs import find_inputs
from etl.lines import LINE_BYTES_LIMIT, encode_lines
from tests.support.legacy_files import HEADERS, PRODUCT_1, clean_files, open_files, write_files


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02\x03\n", "is binary"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "is binary"),
        ("id,product_id".encode("utf-16"), "is UTF-16"),
        (b"id,feature,value\n1,a,b\n", "no column product_id"),
        (b"id,id,product_id,feature,value\n", "column id stands there twice"),
        (b"id,product_id,feature,value\r1,1,a,b\r", "bare CR"),
        (b'"id,product_id,feature,value\n', "wrong header"),
        (b"\n", "wrong header"),
        (b"x" * 100_000, "first line does not end"),
    ],
)
def test_header_when_unusable_then_the_file_and_the_fault_are_named(
    tmp_path: Path, raw: bytes, fault: str
) -> None:
    """The load stops, and tells about every such file at once."""
    (tmp_path / "features.csv").write_bytes(raw)
    (tmp_path / "skus.csv").write_bytes(b"")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(SourceError) as raised:
        open_files(tmp_path, scratch=scratch)
    first, last = str(raised.value).splitlines()
    assert "features.csv" in first
    assert fault in first
    assert "skus.csv: is empty" in last


def test_directory_when_missing_or_without_files_then_usage_error(tmp_path: Path) -> None:
    """Both are mistakes of the command line."""
    with pytest.raises(UsageError, match="nowhere: no such file or directory"):
        find_inputs([str(tmp_path / "nowhere")])
    with pytest.raises(UsageError, match=r"holds none of product\.csv"):
        find_inputs([str(tmp_path)])


def test_file_when_it_is_a_directory_then_refused(tmp_path: Path) -> None:
    """A path of the right name is not yet a file."""
    (tmp_path / "product.csv").mkdir()
    with pytest.raises(SourceError, match=r"product\.csv: is not a file"):
        open_files(tmp_path, scratch=tmp_path)


def test_directory_when_files_absent_then_listed(tmp_path: Path) -> None:
    """What is not there is told, so that nobody takes it for loaded."""
    write_files(tmp_path, {"product": PRODUCT_1})
    cleaned = clean_files(tmp_path)
    assert cleaned.file("skus").missing
    assert not cleaned.file("product").missing


def test_path_when_it_holds_wildcards_then_taken_as_it_is(tmp_path: Path) -> None:
    """DuckDB would take them for a pattern."""
    directory = tmp_path / "a[1]*?'b"
    directory.mkdir()
    assert sorted(clean_files(write_files(directory, {"product": PRODUCT_1})).rows) == [1]


def test_line_when_overlong_then_it_alone_is_rejected(tmp_path: Path) -> None:
    """A line beyond the limit costs neither memory nor its neighbours."""
    body = PRODUCT_1 + f'2,"{"x" * LINE_BYTES_LIMIT}","b","c","d",1\n' + '3,"a","b","c","d",1\n'
    cleaned = clean_files(write_files(tmp_path, {"product": body}))
    assert sorted(cleaned.rows) == [1, 3]
    assert [(one["line"], one["kind"]) for one in cleaned.rejects] == [(3, "malformed_row")]


def test_header_when_it_is_all_there_is_then_no_rows(tmp_path: Path) -> None:
    """An export of an empty table is a legacy file."""
    (tmp_path / "product.csv").write_text(HEADERS["product"])
    assert clean_files(tmp_path).file("product").rows_in == 0


def test_encoding_when_lines_are_blank_or_hold_returns_then_one_line_a_line() -> None:
    """No line is lost, none added, and the marks cannot be mistaken for text."""
    text = b"\n\n\na\rb\r\n\x1eX\n\n\n\n\nlast"
    encoded = encode_lines(text)
    assert encoded.count(b"\n") == text.count(b"\n")
    assert b"\r" not in encoded
    assert b"\n\n" not in encoded
    assert encoded.split(b"\n")[3:5] == [b"a\x1eRb\x1eR", b"\x1eEX"]
