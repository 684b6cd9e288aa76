"""Packed files are what they unpack to, or nothing at all."""

import gzip
import json
from pathlib import Path

import pytest

from etl.__main__ import main
from etl.errors import SourceDamagedError, SourceError
from etl.scan import scan
from tests.support.legacy_files import (
    HEADERS,
    PRODUCT_1,
    clean_files,
    open_files,
    write_files,
)
from tests.support.packed_files import SUFFIXES, pack, pack_file

_FEATURES = (
    b'1,1,"a","b"\r\n'
    b"2,x,caf\xe9,no\r\n"
    b"\n"
    b'3,99,"two\r\nlines","b"\n'
    b"4,1\n"
    b"5,1,nul\0,x\n"
    b'6,1,"c","d"\n'
    b'99,0,"zero","last"'
)
_BODY = b"".join(b'%d,"name %d","b","c","d",%d\n' % (n, n * n, n) for n in range(1, 3_000))


@pytest.mark.parametrize("packing", SUFFIXES)
def test_file_when_packed_then_the_same_rows_account_and_rejects(
    packing: str, tmp_path: Path
) -> None:
    """Marks, returns, bad bytes and lines: nothing but the file's name differs."""
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    for directory in (plain, packed):
        directory.mkdir()
        write_files(directory, {"product": PRODUCT_1, "features": _FEATURES})
        file = directory / "features.csv"
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    name = pack_file(packing, packed / "features.csv").name
    pack_file(packing, packed / "product.csv")
    wanted, found = clean_files(plain), clean_files(packed)
    assert found.rows == wanted.rows
    assert found.file(name) == wanted.file("features")
    assert found.file(name).notes["byte_order_mark"] == 1
    assert found.file(name).rejected_rows == 5
    assert found.rejects == [one | {"file": name} for one in wanted.rejects]


@pytest.mark.parametrize("packing", SUFFIXES)
def test_packing_when_the_suffix_lies_then_told_by_the_content(
    packing: str, tmp_path: Path
) -> None:
    """A packed file may be called .csv, and a plain one .csv.gz."""
    write_files(tmp_path, {"product": PRODUCT_1, "features": '1,1,"a","b"\n'})
    product, features = tmp_path / "product.csv", tmp_path / "features.csv"
    product.write_bytes(pack(packing, product.read_bytes()))
    features.rename(tmp_path / "features.csv.gz")
    assert len(clean_files(tmp_path).product(1)["features"]) == 1


@pytest.mark.parametrize("packing", SUFFIXES)
def test_file_when_packed_in_parts_then_one_text(packing: str, tmp_path: Path) -> None:
    """As `cat a.gz b.gz` leaves it; the cut is in the middle of a line."""
    text = f"{HEADERS['product']}\n{PRODUCT_1}".encode()
    packed = pack(packing, text[:70]) + pack(packing, text[70:])
    (tmp_path / "product.csv").write_bytes(packed)
    assert sorted(clean_files(tmp_path).rows) == [1]


@pytest.mark.parametrize("packing", SUFFIXES)
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.9, -1, -4, -8])
def test_file_when_cut_off_then_refused_by_name(packing: str, kept: float, tmp_path: Path) -> None:
    """Half a file is never loaded, not even when only its checksum is missing."""
    packed = pack(packing, f"{HEADERS['product']}\n".encode() + _BODY)
    cut = int(kept) if kept < 0 else int(kept * len(packed))
    (tmp_path / "product.csv.x.csv").write_bytes(packed[:cut])
    with pytest.raises(SourceDamagedError, match=r"product\.csv\.x\.csv: is cut off"):
        clean_files(f"product={tmp_path}/product.csv.x.csv")


@pytest.mark.parametrize("packing", SUFFIXES)
@pytest.mark.parametrize("place", [0.3, 0.7, 0.999])
def test_file_when_corrupt_then_refused_by_name(packing: str, place: float, tmp_path: Path) -> None:
    """A flipped bit anywhere is found, by the checksum at the latest."""
    packed = bytearray(pack(packing, f"{HEADERS['product']}\n".encode() + _BODY))
    packed[int(place * len(packed))] ^= 0x10
    (tmp_path / "product.csv").write_bytes(packed)
    with pytest.raises(SourceDamagedError, match=r"product\.csv: is (damaged|cut off)"):
        clean_files(tmp_path)


@pytest.mark.parametrize("packing", SUFFIXES)
def test_file_when_something_else_follows_then_refused(packing: str, tmp_path: Path) -> None:
    """Perhaps these were rows."""
    text = f"{HEADERS['product']}\n{PRODUCT_1}".encode()
    (tmp_path / "product.csv").write_bytes(pack(packing, text) + b'2,"a","b","c","d",1\n')
    with pytest.raises(SourceDamagedError, match=r"product\.csv: is (damaged|cut off)"):
        clean_files(tmp_path)


def test_command_when_a_later_part_is_cut_off_then_status_4_and_no_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One half file of many stops all of them."""
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        content = gzip.compress(f"{HEADERS['product']}\n".encode() + _BODY)
        Path(f"product-{number}.csv.gz").write_bytes(content[:-4] if number == 1 else content)
    assert main(["load", "product-*.gz", "--dry-run", "--report", "report.json"]) == 4
    assert "product-1.csv.gz: is cut off" in capsys.readouterr().err
    assert json.loads(Path("report.json").read_text())["files"] == {}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"\xfd7zXZ\x00 and so on", "packed with xz"),
        (b"PK\x03\x04 and so on", "packed with zip"),
        (gzip.compress(b""), "is empty"),
        (gzip.compress(b"id,name\n"), "no column slogan"),
        (gzip.compress(gzip.compress(b"id,name\n")), "is binary"),
    ],
)
def test_header_when_packed_and_unusable_then_named(
    content: bytes, fault: str, tmp_path: Path
) -> None:
    """What is wrong is told before any row is read."""
    (tmp_path / "product.csv.gz").write_bytes(content)
    with pytest.raises(SourceError, match=rf"product\.csv\.gz: .*{fault}"):
        open_files(tmp_path, scratch=tmp_path)


def test_scan_when_packed_then_lines_are_those_of_the_text(tmp_path: Path) -> None:
    """The count that DuckDB's reading is checked against."""
    file = tmp_path / "product.csv.gz"
    file.write_bytes(gzip.compress(f"{HEADERS['product']}\n".encode() + _BODY))
    (source,) = open_files(tmp_path, scratch=tmp_path).sources
    scan(source)
    assert source.lines == 3_000
