"""The rejects file gives back the original bytes, wherever the chunks of a file end."""

from base64 import b64decode
from pathlib import Path

import pytest

import etl.lines
import etl.scan
from tests.support.legacy_files import PRODUCT_1, clean_files, write_files

_FEATURES = (
    b'1,1,"a","b"\n'
    b"2,x,caf\xe9,no\r\n"
    b"\n"
    b'3,99,"two\r\nlines, and\n\nmore","b"\n'
    b"4,1\n"
    b'5,1,"quote,"b"\n'
    b'6,1,"c","d"\n'
    b'99,0,"zero","last"'
)
_EXPECTED = [
    (3, 1, "invalid_utf8", "", b"2,x,caf\xe9,no"),
    (5, 4, "orphan", "product_id", b'3,99,"two\r\nlines, and\n\nmore","b"'),
    (9, 1, "malformed_row", "feature", b"4,1"),
    (10, 1, "malformed_row", "feature", b'5,1,"quote,"b"'),
    (12, 1, "orphan", "product_id", b'99,0,"zero","last"'),
]


@pytest.mark.parametrize("chunk_bytes", [1, 7, 32, 2**24])
def test_rejects_when_chunks_end_anywhere_then_lines_and_bytes_are_exact(
    chunk_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File, line, column, reason and bytes, of one line or several."""
    monkeypatch.setattr(etl.lines, "CHUNK_BYTES", chunk_bytes)
    monkeypatch.setattr(etl.scan, "_BLOCK_BYTES", chunk_bytes)
    # Chunks may be shorter than a line here.
    monkeypatch.setattr(etl.lines, "LINE_CHUNKS_LIMIT", 2**30)
    cleaned = clean_files(write_files(tmp_path, {"product": PRODUCT_1, "features": _FEATURES}))
    told = [
        (one["line"], one["lines"], one["kind"], one["column"], b64decode(one["bytes_base64"]))
        for one in cleaned.rejects
    ]
    assert told == _EXPECTED
    assert all(one["file"] == "features.csv" and one["reason"] for one in cleaned.rejects)
    assert cleaned.file("features").rows_in == 7
    assert [one["feature"] for one in cleaned.product(1)["features"]] == ["a", "c"]


def test_rejects_when_the_second_of_two_rows_is_bad_then_the_part_is_told(tmp_path: Path) -> None:
    """The bytes are those of the whole line, as nothing else stood in the file."""
    line = b'1,1,"a","b",2,88,"c","d"'
    cleaned = clean_files(
        write_files(
            tmp_path, {"product": PRODUCT_1, "styles": '1,1,"a",1,1,1', "photos": line + b"\n"}
        )
    )
    (reject,) = cleaned.rejects
    assert (reject["part_of_line"], reject["kind"], reject["column"]) == (2, "orphan", "styleId")
    assert b64decode(reject["bytes_base64"]) == line
    assert cleaned.file("photos").repaired == {"joined_rows": 1}
