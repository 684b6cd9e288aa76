"""The report holds all that is known, also of a load that failed early."""

import argparse
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from etl.account import FileAccount
from etl.exit_status import ExitStatus
from etl.record import LoadRecord, Stage, Work
from etl.report import build_report, encode_report, options_of, write_whole
from etl.settings import EtlSettings
from tests.support.hand_clock import HandClock
from tests.support.sample_record import EVIL, sample_record


def _report(record: LoadRecord, status: ExitStatus = ExitStatus.REJECTS) -> Any:
    return json.loads(encode_report(build_report(record, exit_status=status, error="why")))


def test_report_when_written_then_all_of_the_account_and_more() -> None:
    """A program that read the account finds the same at the same places."""
    record = sample_record()
    assert record.account is not None
    told = _report(record)
    for name, value in record.account.as_json().items():
        assert told[name] == json.loads(json.dumps(value))
    assert set(told["files"]["product.csv"]) > {field.name for field in fields(FileAccount)}
    assert (told["exit_status"], told["outcome"], told["error"]) == (1, "written", "why")
    assert told["rows"] == {
        "in": 1000,
        "loaded": 990,
        "repaired": 5,
        "rejected": 10,
        "written": 990,
    }
    assert told["rejected"] == {"invalid_price": 9, "orphan": 1}
    assert told["options"]["inputs"] == [f"data {EVIL}"]
    assert set(told["settings"]) == {field.name for field in fields(EtlSettings)}
    assert told["versions"]["duckdb"]
    assert told["memory"]["peak_bytes"] > 0
    assert told["cpu_seconds"]["own"] > 0
    assert told["writer"]["via"] == "driver"


def test_report_when_stages_ran_then_seconds_rows_and_rates() -> None:
    """Where the time went, by stage and by kind of work, and how fast it was over time."""
    told = _report(sample_record())
    assert told["seconds"] == 8
    reading, rendering, writing = told["stages"]
    assert (reading["rows"], reading["bytes"], reading["seconds"]) == (1000, 50_000, 4)
    assert (reading["rows_per_second"], reading["bytes_per_second"]) == (250, 12_500)
    assert (rendering["seconds"], rendering["busy_seconds"]) == (4, 1)
    assert writing["started_seconds"] == 4
    assert reading["timeline"] == [[0, 0, 0], [4, 1000, 50_000]]
    seconds = told["seconds_by_work"]
    assert (seconds["read"], seconds["render"], seconds["write"]) == (4, 1, 4)
    rates = told["rows_per_second"]
    assert rates["span_seconds"] == 1
    assert rates["by_work"]["read"] == [250, 250, 250, 250, 0, 0, 0, 0]
    assert sum(rates["by_work"]["write"]) == 990


def test_report_when_the_load_failed_before_the_account_then_what_is_known() -> None:
    """Rows that were read and refused until then, a stage that never ended, and why it stopped."""
    clock = HandClock()
    record = LoadRecord(clock=clock, rejected={("a.csv", "orphan"): 2, ("b.csv", "orphan"): 3})
    stage = Stage("read a.csv", clock, work=Work.READ)
    record.stages.append(stage)
    stage.add(rows=7)
    told = _report(record, ExitStatus.FATAL)
    assert (told["outcome"], told["exit_status"], told["files"]) == ("failed", 4, {})
    assert told["not_read"] == []
    assert told["rows"] == {"in": 7, "loaded": 0, "repaired": 0, "rejected": 5, "written": 0}
    assert told["rejected"] == {"orphan": 5}
    assert told["stages"][0]["ended"] is False
    assert told["settings"] == {}


def test_report_when_names_are_no_text_then_still_json() -> None:
    """A folder's name may be any bytes."""
    given = argparse.Namespace(
        directory=Path("caf\udce9"), max_rejects=None, run=print, dry_run=True
    )
    record = LoadRecord(options=options_of(given))
    assert _report(record)["options"] == {
        "directory": "caf\\udce9",
        "max_rejects": None,
        "dry_run": True,
    }


def test_file_when_it_cannot_be_written_whole_then_the_old_one_stays(tmp_path: Path) -> None:
    """A scheduler never reads half a report."""
    path = tmp_path / "report.json"
    write_whole(path, b"old")
    (tmp_path / "report.json.part").mkdir()
    with pytest.raises(OSError, match=r"report\.json\.part"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    (tmp_path / "report.json.part").rmdir()
    write_whole(path, b"new")
    assert [one.name for one in tmp_path.iterdir()] == ["report.json"]
    assert path.read_bytes() == b"new"
