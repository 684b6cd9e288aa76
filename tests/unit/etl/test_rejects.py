"""The rejects give back the original bytes and their place, wherever the chunks of a file end."""

import threading
from base64 import b64decode
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pytest

import etl.lines
import etl.scan
from etl.memory import MemoryWatch
from etl.rejects import RejectsFiles, readable, rejects_files, write_rejects
from tests.support.legacy_files import (
    HEADERS,
    PRODUCT_1,
    clean_files,
    open_files,
    read_rejects,
    write_files,
)

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
def test_rejects_when_chunks_end_anywhere_then_place_and_bytes_are_exact(
    chunk_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File, line, column, reason and bytes, of one line or several; and where they begin."""
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
    whole = (tmp_path / "features.csv").read_bytes()
    for one, (*_rest, raw) in zip(cleaned.rejects, _EXPECTED, strict=True):
        assert whole[one["byte_offset"] :].startswith(raw)
        assert one["line"] == whole[: one["byte_offset"]].count(b"\n") + 1
    assert cleaned.file("features").rows_in == 7
    assert [one["feature"] for one in cleaned.product(1)["features"]] == ["a", "c"]


@pytest.mark.parametrize(
    ("first", "comma", "second", "bad"),
    [
        (b'1,1,"a","b"', b",", b'2,88,"c","d"', 2),
        ('1,1,"é","b"'.encode(), b"", '2,88,"ü","d'.encode(), 2),
        (b'1,1,"a",null', b"", b'2,88,"c",null', 2),
        (b'1,88,"a","b"', b",", b'2,1,"c","d"', 1),
    ],
)
def test_rejects_when_one_of_two_rows_on_a_line_is_bad_then_its_place_is_told(
    tmp_path: Path, first: bytes, comma: bytes, second: bytes, bad: int
) -> None:
    """The bytes are those from the row's first to the end of the line."""
    line = first + comma + second
    files: dict[str, str | bytes] = {"product": PRODUCT_1, "styles": '1,1,"a",1,1,1'}
    files["photos"] = line + b"\r\n"
    (reject,) = clean_files(write_files(tmp_path, files)).rejects
    assert (reject["part"], reject["kind"], reject["column"]) == (bad, "orphan", "styleId")
    start = len(first + comma) if bad == 2 else 0
    assert reject["byte_offset"] == len(HEADERS["photos"]) + 1 + start
    assert b64decode(reject["bytes_base64"]) == line[start:]


def _write(folder: Path, lines: Iterable[bytes]) -> RejectsFiles:
    """Reject every one of these lines of a photos.csv."""
    file = folder / "photos.csv"
    with file.open("wb") as stream:
        stream.write(HEADERS["photos"].encode() + b"\n")
        rows = sum(bool(stream.write(line + b"\n")) for line in lines)
    scratch = folder / "scratch"
    scratch.mkdir()
    (source,) = open_files(file, scratch=scratch).sources
    files = rejects_files(folder / "out")
    with duckdb.connect(str(folder / "x.duckdb"), config={"memory_limit": "150MB"}) as database:
        database.execute(
            "CREATE TABLE rejects AS SELECT 1 AS file, range + 2 AS line,"
            " 1::INTEGER AS lines, 0::TINYINT AS part, 'malformed_row' AS kind, '' AS col,"
            " 'the reason, \"quoted\"' AS reason FROM range(?)",
            [rows],
        )
        write_rejects(database, [source], files)
    return files


_AWKWARD = [
    b'=HYPERLINK("http://x","y"),\r1',
    b"\xff\x00\x1b[2J,\\x41",
    'é,😀,\u2028,\x85,"""'.encode(),
    b"",
    b"-1+1,a\tb",
    b"\\",
]


def test_rejects_when_bytes_are_awkward_then_a_line_each_and_both_files_agree(
    tmp_path: Path,
) -> None:
    """Whatever a row holds, the CSV has one line for it, and the Parquet file the same rows."""
    csv, parquet = _write(tmp_path, _AWKWARD)
    assert len(csv.read_bytes().splitlines()) == len(_AWKWARD) + 1
    told = read_rejects(csv)
    assert [b64decode(one["bytes_base64"]) for one in told] == _AWKWARD
    assert [one["text"] for one in told] == [readable(raw) for raw in _AWKWARD]
    with duckdb.connect() as database:
        found = database.execute("SELECT * FROM read_parquet(?)", [str(parquet)])
        names = [one[0] for one in found.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        types = database.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(parquet)])
        assert {row[0]: row[1] for row in types.fetchall()}["bytes"] == "BLOB"
    assert rows == [
        {name: one[name] for name in names if name != "bytes"}
        | {"bytes": b64decode(one["bytes_base64"])}
        for one in told
    ]


def _unreadable(text: str) -> bytes:
    r"""Turn `text` back: `\x` is a byte, `\u` a character."""
    raw, at = b"", 0
    short = {"\\": b"\\", "n": b"\n", "r": b"\r", "t": b"\t"}
    while at < len(text):
        if text[at] != "\\":
            raw, at = raw + text[at].encode(), at + 1
        elif text[at + 1] == "x":
            raw, at = raw + bytes.fromhex(text[at + 2 : at + 4]), at + 4
        elif text[at + 1] == "u":
            raw, at = raw + chr(int(text[at + 2 : at + 6], 16)).encode(), at + 6
        else:
            raw, at = raw + short[text[at + 1]], at + 2
    return raw


@pytest.mark.parametrize("raw", [*_AWKWARD, b"plain, text", b"\\x41\xc3", b"@\\n\n", b"a=1"])
def test_text_when_read_then_one_line_and_it_can_be_turned_back(raw: bytes) -> None:
    """It is never taken for a formula, moves no cursor, and leaves no doubt of the bytes."""
    text = readable(raw)
    assert text.isprintable()
    assert text[:1] not in set("=+-@")
    assert _unreadable(text) == raw


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system has no /proc")
def test_rejects_when_there_are_many_then_memory_stays(tmp_path: Path) -> None:
    """They stream: what they take is what DuckDB may have, however many they are."""
    ended = threading.Event()
    watch = MemoryWatch()
    watch.look()
    before = watch.peak_bytes

    def look() -> None:
        while not ended.wait(0.02):
            watch.look()

    looker = threading.Thread(target=look)
    looker.start()
    try:
        files = _write(tmp_path, (b"%d,1,%s" % (one, b"x" * 1000) for one in range(100_000)))
    finally:
        ended.set()
        looker.join()
    assert files.csv.stat().st_size > 230_000_000
    assert watch.peak_bytes - before < 200_000_000
    with files.csv.open("rb") as stream:
        assert sum(1 for _ in stream) == 100_001


def test_files_when_asked_by_stem_or_folder_then_named(tmp_path: Path) -> None:
    """A folder, or nothing, gives a name of the time; an ending that is given is not doubled."""
    assert rejects_files(tmp_path / "out") == (tmp_path / "out.csv", tmp_path / "out.parquet")
    assert rejects_files(tmp_path / "v1.2")[0] == tmp_path / "v1.2.csv"
    for name in ("out.csv", "out.parquet", "out.CSV"):
        assert rejects_files(tmp_path / name)[1] == tmp_path / "out.parquet"
    for asked, folder in ((tmp_path, tmp_path), (None, Path())):
        csv, parquet = rejects_files(asked)
        assert csv.parent == parquet.parent == folder
        assert csv.stem == parquet.stem
        assert csv.match("rejects-????????T??????Z.csv")
