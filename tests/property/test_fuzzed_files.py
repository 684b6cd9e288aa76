"""Files that anything may have happened to: no crash, and every row accounted for."""

import re
from base64 import b64decode
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from etl.__main__ import main
from tests.support.fuzzed_files import FuzzedFile, clean_file, fuzzed_file
from tests.support.legacy_files import Cleaned, clean_files
from tests.support.line_rules import HeaderError, ReadFile, Row, read_file
from tests.support.reference_reader import COLUMNS, PARENTS

FILES = 1_000
BATCH = 50
_TEXTS = ("name", "slogan", "description", "category")


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "first",
    [
        pytest.param(0, id="some"),
        *(pytest.param(one, marks=pytest.mark.faults) for one in range(0, FILES, BATCH)),
    ],
)
def test_files_when_fuzzed_then_no_crash_and_every_row_accounted_for(
    first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What may be loaded is loaded; each other row is a reject with its kind, place and bytes.

    A file of which nothing may be read stops a load by its name. The files of a failure lie in the
    test's directory, and `fuzzed_file(seed)` makes them again.
    """
    monkeypatch.chdir(tmp_path)
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.mkdir()
    bad.mkdir()
    expected: dict[str, ReadFile] = {}
    fuzzed = {one.name: one for one in map(fuzzed_file, range(first, first + BATCH))}
    for one in fuzzed.values():
        read = _read(one)
        ((bad if read is None else good) / one.name).write_bytes(one.content)
        if read is None:
            _check_refused(one, bad / one.name, capsys)
        else:
            expected[one.name] = read
    for table in COLUMNS:
        (good / f"{table}.csv").write_bytes(clean_file(table))
        expected[f"{table}.csv"] = read_file(clean_file(table), table)
    _refuse_orphans(expected)
    cleaned = clean_files(good, slice_members=20)
    for name, read in expected.items():
        told = str(fuzzed.get(name, name))
        _check_account(told, read, cleaned, name)
        text = fuzzed[name].text if name in fuzzed else clean_file(read.table)
        _check_bytes(told, text or b"", [one for one in cleaned.rejects if one["file"] == name])
    _check_products(expected, cleaned)


def _read(one: FuzzedFile) -> ReadFile | None:
    """Read a file by the rules; None: nothing of it may be read."""
    try:
        return None if one.text is None else read_file(one.text, one.table)
    except HeaderError:
        return None


def _check_refused(one: FuzzedFile, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command ends with 4, says which file, and accounts for nothing."""
    capsys.readouterr()
    assert main(["load", str(file), "--dry-run"]) == 4, str(one)
    told = capsys.readouterr()
    assert re.search(rf"load: \S*{re.escape(one.name)}: ", told.err), f"{one}: {told.err}"
    assert not told.out


def _refuse_orphans(expected: dict[str, ReadFile]) -> None:
    """Parents first, as all files of a table are one table."""
    loaded: dict[str, set[Any]] = {}
    for table in COLUMNS:
        rows = [row for read in expected.values() if read.table == table for row in read.rows]
        for row in rows:
            named = ((PARENTS[name], key) for name, key in row.values.items() if name in PARENTS)
            if not row.reject and any(key not in loaded[parent] for parent, key in named):
                row.reject = "orphan"
        loaded[table] = {row.values["id"] for row in rows if not row.reject}


def _check_account(told: str, read: ReadFile, cleaned: Cleaned, name: str) -> None:
    account = cleaned.file(name)
    rejects = {
        (one["line"], one["lines"], one["part"]): one["kind"]
        for one in cleaned.rejects
        if one["file"] == name
    }
    wanted = {tuple(row.place): row.reject for row in read.rows if row.reject}
    assert rejects == wanted, told
    assert account.rejected == Counter(wanted.values()), told
    assert account.rows_in == len(read.rows), told
    assert account.loaded == len(read.rows) - len(wanted), told
    for kind in ("unclosed_quote", "joined_rows"):
        assert account.repaired.get(kind, 0) == read.count(kind), f"{told}: {kind}"
    assert account.notes.get("multiline_row", 0) == read.count("multiline_row"), told
    for kind in ("blank_line", "byte_order_mark", "carriage_return", "no_final_newline"):
        assert account.notes.get(kind, 0) == read.notes[kind], f"{told}: {kind}"


def _check_bytes(told: str, text: bytes, rejects: list[dict[str, Any]]) -> None:
    """A reject's bytes are those at its offset, from the line that it names to the end of one."""
    for one in rejects:
        raw, offset = b64decode(one["bytes_base64"]), one["byte_offset"]
        end = offset + len(raw)
        assert text[offset:end] == raw, f"{told}: {one}"
        assert text.count(b"\n", 0, offset) == one["line"] - 1, f"{told}: {one}"
        assert raw.count(b"\n") == one["lines"] - 1, f"{told}: {one}"
        assert (text[offset - 1 : offset] == b"\n") == (one["part"] == 1), f"{told}: {one}"
        assert text[end : end + 1] in {b"", b"\n", b"\r"}, f"{told}: {one}"


def _check_products(expected: dict[str, ReadFile], cleaned: Cleaned) -> None:
    """The texts that would be served are those of the last row of each key, nothing added."""
    last: dict[Any, Row] = {}
    for _name, read in sorted(expected.items()):
        if read.table == "product":
            last.update({row.values["id"]: row for row in read.rows if not row.reject})
    assert cleaned.rows.keys() == last.keys()
    for key, row in last.items():
        body = orjson.loads(cleaned.rows[key][1])
        assert {name: body[name] for name in _TEXTS} == {name: row.values[name] for name in _TEXTS}
