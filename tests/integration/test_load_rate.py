"""A load through the driver keeps its hard limit of rows a second, and tells what it did."""

import json
from pathlib import Path

import pytest

from etl.__main__ import main
from ring import RingSettings
from tests.support.legacy_files import write_files

PRODUCTS = 1_000
ROWS_PER_SECOND = 1_000


def _load(
    directory: Path, settings: RingSettings, monkeypatch: pytest.MonkeyPatch, **changes: int
) -> dict[str, object]:
    """Load as the command does; return the report."""
    monkeypatch.setenv("CATALOG_CONTACT_POINTS", ",".join(settings.contact_points))
    monkeypatch.setenv("CATALOG_KEYSPACE", settings.keyspace)
    for name, value in changes.items():
        monkeypatch.setenv(f"CATALOG_{name.upper()}", str(value))
    report = directory / "report.json"
    assert main(["load", str(directory), "--via", "driver", "--report", str(report)]) == 0
    told: dict[str, object] = json.loads(report.read_text(encoding="utf-8"))
    return told


def test_load_when_rows_per_second_are_limited_then_it_takes_as_long_as_it_must(
    tmp_path: Path, ring_settings: RingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2.1 seconds at 95 % of the limit. `test_row_rate.py` looks at every second."""
    rows = "".join(f'{number},"a","b","c","d",1\n' for number in range(1, PRODUCTS + 1))
    write_files(tmp_path, {"product": rows})
    told = _load(
        tmp_path,
        ring_settings,
        monkeypatch,
        load_rows_per_second=ROWS_PER_SECOND,
        load_slice_products=300,
    )
    stages = told["stages"]
    assert isinstance(stages, list)
    (stage,) = [one for one in stages if one["name"] == "write rows"]
    assert stage["rows"] == 2 * PRODUCTS
    assert stage["seconds"] >= (2 * PRODUCTS - 50) / (0.95 * ROWS_PER_SECOND)


def test_report_when_loaded_through_the_driver_then_it_tells_of_the_writing(
    tmp_path: Path, ring_settings: RingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was outstanding at the most, what was tried again, and that nothing is left."""
    rows = "".join(f'{number},"a","b","c","d",1\n' for number in range(1, PRODUCTS + 1))
    write_files(tmp_path, {"product": rows})
    writer = _load(tmp_path, ring_settings, monkeypatch)["writer"]
    assert isinstance(writer, dict)
    assert (writer["via"], writer["in_flight"], writer["rows_waiting"]) == ("driver", 0, 0)
    assert 8 <= writer["in_flight_limit"] <= 128
    assert writer["baseline_seconds"] > 0
    assert writer["in_flight_decreases"] >= 0
    assert isinstance(writer["retries"], dict)
