"""What `catalog-etl load` takes and refuses."""

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from etl.__main__ import main
from etl.account import Account
from etl.errors import UsageError
from etl.exit_status import ExitStatus
from etl.inputs import find_inputs
from etl.load import choose_as_of, parse_as_of
from ring.nodes.settings import REPOSITORY
from tests.support.legacy_files import HEADERS, PRODUCT_1, read_rejects, write_files

_NOW = 1_700_000_000_000_000


def test_as_of_when_given_as_number_or_date_then_microseconds() -> None:
    """A date-time without a zone is UTC."""
    moment = datetime(2020, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    wanted = round(moment.timestamp() * 1e6)
    for text in (str(wanted), "2020-01-02T03:04:05.678901", "2020-01-02T03:04:05.678901Z"):
        assert parse_as_of(text, now_microseconds=_NOW) == wanted


def test_as_of_when_not_given_then_when_the_oldest_input_was_modified(tmp_path: Path) -> None:
    """What people changed after the export is newer than all of its rows."""
    write_files(tmp_path, {"product": PRODUCT_1, "skus": "", "related": ""})
    for name, seconds in (("product", 1_500_000_000), ("skus", 1_400_000_000)):
        os.utime(tmp_path / f"{name}.csv", ns=(0, seconds * 1_000_000_000 + 123_456_999))
    os.utime(tmp_path / "related.csv", (0, 1_600_000_000))
    inputs = find_inputs([str(tmp_path)])
    assert choose_as_of(None, inputs, now_microseconds=_NOW) == 1_400_000_000_123_456
    assert choose_as_of("5", inputs, now_microseconds=_NOW) == 5
    for seconds in (0, _NOW // 1_000_000 + 1):
        for name in HEADERS:
            if (file := tmp_path / f"{name}.csv").exists():
                os.utime(file, (0, seconds))
        with pytest.raises(UsageError, match="--as-of: needed, as the oldest input"):
            choose_as_of(None, find_inputs([str(tmp_path)]), now_microseconds=_NOW)


def test_as_of_when_standard_input_then_needed(tmp_path: Path) -> None:
    """It has no modification time, and now would hide what was changed since the export."""
    write_files(tmp_path, {"skus": ""})
    inputs = find_inputs(["product=-", str(tmp_path)])
    with pytest.raises(UsageError, match="needed with standard input"):
        choose_as_of(None, inputs, now_microseconds=_NOW)
    assert choose_as_of("5", inputs, now_microseconds=_NOW) == 5


@pytest.mark.parametrize("text", [str(_NOW + 1), "2999-01-01", "yesterday", "-5", "0", "²"])
def test_as_of_when_future_or_no_time_then_refused(text: str) -> None:
    """Rows from the future could not be changed by anyone until then."""
    with pytest.raises(UsageError):
        parse_as_of(text, now_microseconds=_NOW)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["nowhere"], 2),
        (["."], 2),
        ([".", "--as-of", "2999-01-01"], 2),
        ([".", "--max-rejects", "x"], 2),
        (["product=-"], 2),
        (["-", "--as-of", "5"], 2),
        ([".", "--max-rejects", ""], 2),
        ([".", "--max-rejects", "101%"], 2),
        ([".", "--rejects", "nowhere/rejects"], 2),
        ([".", "--report", "."], 2),
        ([".", "--html", "nowhere/report.html"], 2),
    ],
)
def test_command_when_wrongly_used_then_status_2_and_a_sentence(
    arguments: list[str],
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Never a stack trace."""
    monkeypatch.chdir(tmp_path)
    assert main(["load", *arguments, "--dry-run"]) == status
    assert capsys.readouterr().err.startswith("catalog-etl load: ")


def test_command_when_files_are_dirty_then_report_rejects_and_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1 with rejects, 3 with too many of them, 4 for a broken file, 0 when clean."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path, {"product": PRODUCT_1 + "2,a,b,c,d,free\n"})
    files = ["--report", "report.json", "--html", "report.html", "--rejects", "out"]
    assert main(["load", ".", "--dry-run", *files]) == 1
    told = json.loads(Path("report.json").read_text())
    assert (told["outcome"], told["exit_status"], told["error"]) == ("dry_run", 1, "")
    assert told["files"]["product.csv"]["rows_in"] == 2
    assert told["files"]["product.csv"]["rejected"] == {"invalid_price": 1}
    assert [stage["name"] for stage in told["stages"]] == [
        "read product.csv",
        "clean product.csv",
        "relate and merge",
        "write rejects",
    ]
    size = (tmp_path / "product.csv").stat().st_size
    assert [told["stages"][0][name] for name in ("rows", "bytes")] == [2, size]
    assert told["options"]["html"] == "report.html"
    assert told["rejects_files"] == ["out.csv", "out.parquet"]
    (reject,) = read_rejects(Path("out.csv"))
    assert (reject["line"], reject["kind"]) == (3, "invalid_price")
    assert "<h1>Load of .</h1>" in Path("report.html").read_text()
    assert "invalid_price 1" in capsys.readouterr().out

    write_files(tmp_path, {"product": PRODUCT_1})
    assert main(["load", ".", "--dry-run"]) == 0
    assert not list(tmp_path.glob("rejects-*"))
    assert main(["load", ".", "--dry-run", "--rejects", "clean"]) == 0
    assert read_rejects(Path("clean.csv")) == []
    (tmp_path / "skus.csv").write_bytes(b"")
    assert main(["load", ".", "--dry-run", "--report", "report.json"]) == 4
    assert "skus.csv: is empty" in capsys.readouterr().err
    told = json.loads(Path("report.json").read_text())
    assert (told["outcome"], told["exit_status"]) == ("failed", 4)
    assert "skus.csv: is empty" in told["error"]


@pytest.mark.parametrize(
    ("allowed", "status"),
    [("0", 3), ("0%", 3), ("24.9%", 3), ("25%", 1), ("1", 1), ("100%", 1)],
)
def test_command_when_rejects_are_limited_then_status_3_beyond_it(
    allowed: str,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One row of four is rejected; the rejects and the report are kept all the same."""
    monkeypatch.chdir(tmp_path)
    rows = "".join(PRODUCT_1.replace("1,", f"{number},", 1) for number in (1, 2, 3))
    write_files(tmp_path, {"product": rows + "4,a,b,c,d,free\n"})
    files = ["--report", "report.json", "--rejects", str(tmp_path)]
    assert main(["load", ".", "--dry-run", "--max-rejects", allowed, *files]) == status
    told = json.loads(Path("report.json").read_text())
    assert told["exit_status"] == status
    assert told["outcome"] == ("too_many_rejects" if status == 3 else "dry_run")
    (csv,) = tmp_path.glob("rejects-*.csv")
    assert len(read_rejects(csv)) == 1
    problem = f"1 of 4 rows rejected, more than --max-rejects {allowed}: nothing was written"
    assert (problem in capsys.readouterr().err) == (status == 3)


def test_command_when_interrupted_then_status_5_and_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is known until then is told."""

    async def interrupted(*given: Any) -> Account:
        with given[3].stage("read product.csv") as stage:
            stage.add(rows=5)
            raise asyncio.CancelledError

    monkeypatch.setattr("etl.load.load", interrupted)
    write_files(tmp_path, {"product": PRODUCT_1})
    report = tmp_path / "report.json"
    assert main(["load", str(tmp_path), "--report", str(report)]) == 5
    told = json.loads(report.read_text())
    assert (told["exit_status"], told["outcome"]) == (5, "failed")
    assert told["stages"][0]["rows"] == 5
    assert "run it again to finish" in capsys.readouterr().err


def test_command_when_the_report_cannot_be_written_then_status_4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who waits for it must not take silence for a clean load."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path, {"product": PRODUCT_1})
    (tmp_path / "report.json.part").mkdir()
    assert main(["load", ".", "--dry-run", "--report", "report.json"]) == 4
    assert "the report could not be written" in capsys.readouterr().err


def test_help_when_asked_then_every_exit_code_is_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A scheduler's owner need not read the source; the README has the same codes."""
    with pytest.raises(SystemExit):
        main(["load", "--help"])
    told = capsys.readouterr().out
    readme = (REPOSITORY / "etl" / "README.md").read_text(encoding="utf-8")
    for status in ExitStatus:
        assert f"  {int(status)}  {status.meaning}\n" in told
        assert f"\n| {int(status)} | {status.meaning}" in readme
