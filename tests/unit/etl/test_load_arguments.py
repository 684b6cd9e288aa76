"""What `catalog-etl load` takes and refuses."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from etl.__main__ import main
from etl.errors import UsageError
from etl.inputs import find_inputs
from etl.load import choose_as_of, parse_as_of
from etl.progress import describe
from etl.thresholds import parse_rejects_allowed
from tests.support.legacy_files import HEADERS, PRODUCT_1, write_files

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


def test_rejects_allowed_when_number_or_share_then_compared() -> None:
    """Exactly as many are allowed; one more is too many."""
    assert parse_rejects_allowed("3").allows(3, 1000)
    assert not parse_rejects_allowed("3").allows(4, 1000)
    assert parse_rejects_allowed("1%").allows(10, 1000)
    assert not parse_rejects_allowed("0.5%").allows(10, 1000)
    with pytest.raises(UsageError):
        parse_rejects_allowed("many")


def test_progress_when_under_way_then_rate_and_time_left() -> None:
    """The time left follows from the rate so far."""
    assert describe(0, 10, 0.0) == "0 of 10 rows, 0 rows/s"
    assert describe(1000, 10_000, 2.0) == "1,000 of 10,000 rows, 500 rows/s, 0:18 left"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["nowhere"], 2),
        (["."], 2),
        ([".", "--as-of", "2999-01-01"], 2),
        ([".", "--max-rejects", "x"], 2),
        ([".", "--rejects", "nowhere/rejects.jsonl"], 2),
        ([".", "--account", "."], 2),
        (["product=-"], 2),
        (["-", "--as-of", "5"], 2),
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


def test_command_when_files_are_dirty_then_account_rejects_and_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 1 with rejects, 3 with too many of them, 4 for a broken file, 0 when clean."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path, {"product": PRODUCT_1 + "2,a,b,c,d,free\n"})
    account, rejects = tmp_path / "account.json", tmp_path / "rejects.jsonl"
    files = ["--account", str(account), "--rejects", str(rejects)]
    assert main(["load", ".", "--dry-run", *files]) == 1
    told = json.loads(account.read_text())
    assert told["outcome"] == "dry_run"
    assert told["files"]["product.csv"]["rows_in"] == 2
    assert told["files"]["product.csv"]["rejected"] == {"invalid_price": 1}
    assert json.loads(rejects.read_text())["line"] == 3
    assert "invalid_price 1" in capsys.readouterr().out

    assert main(["load", ".", "--dry-run", "--max-rejects", "0", *files]) == 3
    assert json.loads(account.read_text())["outcome"] == "too_many_rejects"

    write_files(tmp_path, {"product": PRODUCT_1})
    assert main(["load", ".", "--dry-run"]) == 0
    assert not list(tmp_path.glob("rejects-*"))
    (tmp_path / "skus.csv").write_bytes(b"")
    assert main(["load", ".", "--dry-run"]) == 4
    assert "skus.csv: is empty" in capsys.readouterr().err
