"""Prometheus sees a load while it runs."""

import asyncio
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from etl.__main__ import main
from etl.account import Account
from etl.errors import UsageError
from etl.record import LoadRecord, Stage, Work
from etl.settings import EtlSettings
from etl.telemetry import serve_figures
from ring.nodes.settings import REPOSITORY
from tests.support.hand_clock import HandClock
from tests.support.legacy_files import PRODUCT_1, write_files
from tests.support.sample_record import EVIL, sample_record

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(name="port")
def _port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def _ask(port: int) -> Figures:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        text = answer.read().decode()
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    figures = {(one.name, tuple(sorted(one.labels.items()))): one.value for one in samples}
    assert len(figures) == len(samples), "a sample stands there twice"
    return figures


def test_figures_when_a_load_runs_then_told_and_then_no_more(port: int) -> None:
    """Rows, bytes, rejects, stages, seconds, writes in flight; at the end the port closes."""
    record = sample_record()
    running = Stage("write lists", record.clock, work=Work.WRITE)
    record.stages.append(running)
    running.add(rows=10)
    with serve_figures(EtlSettings(load_metrics_port=port), record):
        told = _ask(port)
    file = ("file", "product.csv")
    assert told["catalog_load_rows_read_total", (file,)] == 1000
    assert told["catalog_load_bytes_read_total", (file,)] == 50_000
    assert told["catalog_load_rows_loaded_total", (file,)] == 990
    assert told["catalog_load_rows_rejected_total", (file, ("kind", "orphan"))] == 1
    assert told["catalog_load_rows_written_total", ()] == 1000
    assert told["catalog_load_writes_in_flight", ()] == 3
    assert told["catalog_load_in_flight_limit", ()] == 12
    assert told["catalog_load_in_flight_decreases_total", ()] == 2
    assert told["catalog_load_write_retries_total", (("cause", "timeout"),)] == 5
    assert told["catalog_load_write_retries_total", (("cause", "overload"),)] == 6
    assert told["catalog_load_rows_waiting", ()] == 70
    assert told["catalog_load_start_time_seconds", ()] == record.started_at.timestamp()
    read = (("stage", "read product.csv"), ("work", "read"))
    assert told["catalog_load_stage_seconds_total", read] == 4
    assert told["catalog_load_stage_running", read] == 0
    assert told["catalog_load_stage_running", (("stage", "write lists"), ("work", "write"))] == 1
    shown = EVIL.replace("\x1b", "?")
    assert ("catalog_load_stage_running", (("stage", f"write {shown}"), ("work", "write"))) in told
    with pytest.raises(urllib.error.URLError):
        _ask(port)


def test_figures_when_stages_share_a_name_or_a_file_then_summed(port: int) -> None:
    """A second pass over all rows must not break the answer."""
    clock = HandClock()
    record = LoadRecord(clock=clock)
    for name in ("read a", "check a", "read a"):
        stage = Stage(name, clock, work=Work.READ, file="a.csv")
        record.stages.append(stage)
        stage.add(rows=2, bytes=5)
        clock.go(3)
        stage.end()
    with serve_figures(EtlSettings(load_metrics_port=port), record):
        told = _ask(port)
    assert told["catalog_load_rows_read_total", (("file", "a.csv"),)] == 6
    assert told["catalog_load_bytes_read_total", (("file", "a.csv"),)] == 15
    seconds = ("catalog_load_stage_seconds_total", (("stage", "read a"), ("work", "read")))
    assert told[seconds] == 6


def test_figures_when_not_asked_for_then_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Port 0 is off, and by default it is 0."""

    def refuse(*_arguments: object) -> None:
        raise AssertionError

    monkeypatch.setattr("etl.telemetry.start_http_server", refuse)
    with serve_figures(EtlSettings(), LoadRecord()):
        pass


def test_figures_when_the_port_is_taken_then_wrong_usage() -> None:
    """Told at once, with the setting's name; the default address is this machine's own."""
    assert EtlSettings().load_metrics_host == "127.0.0.1"
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(UsageError, match="CATALOG_LOAD_METRICS_PORT"),
        serve_figures(EtlSettings(load_metrics_port=taken.getsockname()[1]), LoadRecord()),
    ):
        pass


def test_readme_when_a_figure_exists_then_it_is_listed(port: int) -> None:
    """Nobody reads the source to write an alert."""
    readme = (REPOSITORY / "etl" / "REPORT.md").read_text(encoding="utf-8")
    with serve_figures(EtlSettings(load_metrics_port=port), sample_record()):
        names = {name for name, _labels in _ask(port)}
    assert len(names) == 14
    assert not [name for name in names if f"`{name}`" not in readme]


def test_command_when_the_port_is_set_then_it_answers_while_the_load_runs(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting is all it takes."""
    asked: list[Figures] = []

    async def loading(*given: Any) -> Account:
        with given[3].stage("read product.csv", work=Work.READ, file="product.csv") as stage:
            stage.add(rows=5)
            asked.append(await asyncio.to_thread(_ask, port))
        return Account(1, {}, ())

    monkeypatch.setattr("etl.load.load", loading)
    write_files(tmp_path, {"product": PRODUCT_1})
    monkeypatch.setenv("CATALOG_LOAD_METRICS_PORT", str(port))
    assert main(["load", str(tmp_path)]) == 0
    assert asked[0]["catalog_load_rows_read_total", (("file", "product.csv"),)] == 5
