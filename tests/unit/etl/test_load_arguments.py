"""What `catalog-etl load` takes and refuses."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from etl.__main__ import main
from etl.errors import UsageError
from etl.load import parse_as_of
from etl.progress import describe
from etl.thresholds import parse_rejects_allowed
from tests.support.legacy_files import PRODUCT_1, write_files

_NOW = 1_700_000_000_000_000


def test_as_of_when_given_as_number_or_date_then_microseconds() -> None:
    """A date-time without a zone is UTC."""
    moment = datetime(2020, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    wanted = round(moment.timestamp() * 1e6)
    for text in (str(wanted), "2020-01-02T03:04:05.678901", "2020-01-02T03:04:05.678901Z"):
        assert parse_as_of(text, now_microseconds=_NOW) == wanted
    assert parse_as_of(None, now_microseconds=_NOW) == _NOW


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
    assert describe(0, 10, 0.0) == "0 of 10 products, 0 rows/s"
    assert describe(1000, 10_000, 2.0) == "1,000 of 10,000 products, 500 rows/s, 0:18 left"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["nowhere"], 2),
        (["."], 2),
        ([".", "--as-of", "2999-01-01"], 2),
        ([".", "--max-rejects", "x"], 2),
        ([".", "--rejects", "nowhere/rejects.jsonl"], 2),
        ([".", "--account", "."], 2),
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
