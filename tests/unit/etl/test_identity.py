"""Which file it was, and that it stayed the same while it was read."""

import hashlib
import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from etl.__main__ import main
from etl.errors import SourceChangedError, SourceError
from etl.extract import extract_all
from etl.identity import Identity
from etl.inputs import find_inputs
from etl.progress import Progress
from etl.reading import extract
from etl.scan import scan
from etl.sources import open_sources
from etl.stages import Stages
from tests.support.legacy_files import PRODUCT_1, open_files, write_files
from tests.support.packed_files import pack_file, write_parquet


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _plain(directory: Path) -> Path:
    return write_files(directory, {"product": PRODUCT_1}) / "product.csv"


def _packed(directory: Path) -> Path:
    return pack_file("gzip", _plain(directory))


def _encoded(directory: Path) -> Path:
    file = _plain(directory)
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    return file


def _parquet(directory: Path) -> Path:
    columns = "1 AS id, '' AS name, '' AS slogan, '' AS description, '' AS category"
    return write_parquet(directory / "product.parquet", f"SELECT {columns}, 5 AS default_price")


@pytest.mark.parametrize("make", [_plain, _packed, _encoded, _parquet])
def test_identity_when_scanned_then_size_time_and_hash_of_the_file_itself(
    make: Callable[[Path], Path], tmp_path: Path
) -> None:
    """Packed or not, the bytes are those that lie there."""
    file = make(tmp_path)
    os.utime(file, ns=(5, 1_600_000_000_123_456_789))
    (source,) = open_files(tmp_path, scratch=tmp_path).sources
    scan(source)
    size_bytes = file.stat().st_size
    assert source.identity == Identity(size_bytes, 1_600_000_000_123_456_789, _digest(file))


def test_identity_when_standard_input_then_without_a_time(tmp_path: Path) -> None:
    """Its copy is as old as the load."""
    file = _plain(tmp_path)
    (source,) = open_sources(find_inputs(["product=-"]), tmp_path, file).sources
    scan(source)
    assert source.identity == Identity(file.stat().st_size, None, _digest(file))


def _grow(file: Path) -> None:
    with file.open("ab") as stream:
        stream.write(b'9,1,"x","y"\n')


def _shrink(file: Path) -> None:
    os.truncate(file, file.stat().st_size - 1)


def _rewrite(file: Path) -> None:
    """Other bytes of the same number, and the old time, as a careless `touch -r` leaves it."""
    before = file.stat()
    with file.open("r+b") as stream:
        stream.seek(-3, os.SEEK_END)
        stream.write(b"X")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replace(file: Path) -> None:
    """Another file of the same content in its place, as `rsync` leaves it."""
    before = file.stat()
    other = file.with_name("other")
    other.write_bytes(file.read_bytes())
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(file)


CHANGES = [
    (_grow, r"features\.csv: went from [0-9,]+ to [0-9,]+ bytes"),
    (_shrink, r"features\.csv: went from [0-9,]+ to [0-9,]+ bytes"),
    (_rewrite, r"features\.csv: changed"),
    (_replace, r"features\.csv: changed"),
    (Path.unlink, r"features\.csv: vanished (while|before) it was"),
]


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_file_when_changed_before_its_turn_then_the_load_stops(
    change: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    """The header was read, the rows are not yet."""
    write_files(tmp_path, {"product": PRODUCT_1, "features": '1,1,"a","b"\n'})
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = open_files(tmp_path, scratch=scratch)

    class Watching(Progress):
        """Changes the second file when the first has been cleaned."""

        def say(self, text: str) -> None:
            if text.startswith("clean product.csv"):
                change(tmp_path / "features.csv")

    with duckdb.connect() as database, pytest.raises(SourceChangedError, match=message):
        extract_all(found, Stages(database), Watching())


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_file_when_changed_between_scan_and_reading_then_the_load_stops(
    change: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    """DuckDB reads what nobody has looked at: no row of it may count."""
    write_files(tmp_path, {"features": '1,1,"a","b"\n2,1,"c","d"\n'})
    (source,) = open_files(tmp_path, scratch=tmp_path).sources
    scan(source)
    change(tmp_path / "features.csv")
    with pytest.raises(SourceChangedError, match=message):
        source.require_unchanged()


def test_lines_when_fewer_come_out_than_were_counted_then_the_load_stops(tmp_path: Path) -> None:
    """No line is lost between the scan and DuckDB, whatever the reason."""
    write_files(tmp_path, {"features": '1,1,"a","b"\n2,1,"c","d"\n'})
    (source,) = open_files(tmp_path, scratch=tmp_path).sources
    scan(source)
    source.lines += 1
    with duckdb.connect() as database:
        stages = Stages(database)
        stages.prepare()
        with pytest.raises(SourceError, match=r"features\.csv: only 2 of 3 lines"):
            extract(stages, source)


class _Watcher(io.StringIO):
    """A standard error that does something when the load reports a stage."""

    def __init__(self, wanted: str, act: Callable[[], None]) -> None:
        super().__init__()
        self._wanted, self._act = wanted, act

    def write(self, text: str) -> int:
        if self._wanted in text:
            self._act()
        return super().write(text)


@pytest.mark.parametrize(("change", "message"), CHANGES)
def test_command_when_a_file_changes_after_it_was_read_then_status_4_and_nothing_written(
    change: Callable[[Path], None],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last look is after the rejects, whose bytes come from the files once more."""
    write_files(tmp_path, {"product": PRODUCT_1, "features": '1,1,"a","b"\n2,7,"c","d"\n'})
    told = _Watcher("relate and merge", lambda: change(tmp_path / "features.csv"))
    monkeypatch.setattr("sys.stderr", told)
    monkeypatch.chdir(tmp_path)
    assert main(["load", ".", "--dry-run"]) == 4
    assert re.search(message, told.getvalue())
    assert "nothing was written" in told.getvalue()
