"""The command `catalog-ring advise`, on recorded figures; its exit codes and its words."""

import json
from pathlib import Path

import pytest

from ring.__main__ import main
from ring.hosts.host import HostEntry
from ring.operations.advise import next_host
from ring.operations.errors import RefusedError
from ring.operations.figures import read_figures

SITUATIONS = Path(__file__).parent / "situations"


@pytest.fixture(autouse=True)
def _no_settings_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this machine's user has set is not tested."""
    monkeypatch.delenv("CATALOG_SETTINGS_FILE", raising=False)


def _advise(situation: str, *arguments: str) -> int:
    return main(["advise", "--figures", str(SITUATIONS / f"{situation}.json"), *arguments])


@pytest.mark.parametrize(
    ("situation", "first_line"),
    [("busy_evening", "add"), ("quiet_week", "remove 10.0.0.5"), ("quiet_night", "nothing")],
)
def test_advise_when_there_is_advice_then_its_first_line_is_for_programs(
    situation: str, first_line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reasons follow, and the exit code says that advice was given."""
    assert _advise(situation) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == first_line
    assert len(lines) > 1


def test_advise_when_asked_for_json_then_it_is_one_object(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Action, node and reasons."""
    assert _advise("quiet_week", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["action"], told["node"], len(told["reasons"])) == ("remove", "10.0.0.5:9042", 3)


def test_advise_when_figures_are_missing_then_it_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 3, what is missing, and what to do."""
    assert _advise("no_cpu_figures") == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert "no cpu_busy, cpu_peak of 10.0.0.2:9042" in told.err
    assert "What to do:" in told.err


@pytest.mark.parametrize("arguments", [["--apply"], ["--dry-run"]])
def test_advise_when_figures_are_recorded_then_nothing_is_done(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A ring is changed by the figures of now only."""
    assert _advise("busy_evening", *arguments) == 2
    assert "Wrong usage" in capsys.readouterr().err


def test_advise_when_a_file_cannot_be_read_then_it_fails(tmp_path: Path) -> None:
    """Exit code 1."""
    assert main(["advise", "--figures", str(tmp_path / "none.json")]) == 1


def test_advise_when_no_prometheus_answers_then_it_fails(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 1, and the URL; port 1 has nobody."""
    assert main(["advise", "--prometheus", "http://127.0.0.1:1"]) == 1
    assert "http://127.0.0.1:1" in capsys.readouterr().err


def test_advise_when_a_setting_contradicts_another_then_it_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The setting is named."""
    monkeypatch.setenv("CATALOG_ADVISE_DISK_LEFT", "0.9")
    assert _advise("quiet_week") == 1
    assert "CATALOG_ADVISE_DISK_LEFT" in capsys.readouterr().err


def test_advise_when_asked_to_record_then_the_same_advice_comes_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was advised on can be looked at, and advised on again."""
    record = tmp_path / "figures.json"
    assert _advise("filling_disks", "--record", str(record)) == 0
    first = capsys.readouterr().out
    assert main(["advise", "--figures", str(record)]) == 0
    assert capsys.readouterr().out == first


def test_next_host_when_racks_differ_then_the_emptiest_rack_gets_the_node() -> None:
    """Racks stay of one size; within one it is the inventory's order."""
    figures = read_figures(SITUATIONS / "quiet_week.json")
    hosts = [
        HostEntry("a3", "10.0.0.8", rack="a"),
        HostEntry("c1", "10.0.0.3", rack="c"),
        HostEntry("c2", "10.0.0.6", rack="c"),
        HostEntry("c3", "10.0.0.7", rack="c"),
    ]
    assert next_host(hosts, figures).name == "c2"


def test_next_host_when_every_host_has_a_node_then_it_is_refused() -> None:
    """Advice that cannot be followed says what is lacking."""
    figures = read_figures(SITUATIONS / "busy_evening.json")
    with pytest.raises(RefusedError, match="no host without a node") as raised:
        next_host([HostEntry("a1", "10.0.0.1")], figures)
    assert "inventory" in raised.value.advice
