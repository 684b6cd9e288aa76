"""Advice on recorded situations: each file of `situations/` is the figures of one ring."""

import dataclasses
from pathlib import Path

import pytest

from ring.errors import RingSettingsError
from ring.operations.advice import Action, AdviseSettings, decide
from ring.operations.errors import RefusedError
from ring.operations.figures import FiguresError, RingFigures, read_figures, write_figures
from ring.settings import load_settings

SITUATIONS = Path(__file__).parent / "situations"
ADD = {
    "busy_evening": "CPU: the nodes take 74%",
    "filling_disks": "disk: 10.0.0.1:9042 uses 62%",
    "slow_reads_of_busy_nodes": "reads: p99 is 250 ms",
    "compaction_behind": "compaction: 2 of 3 nodes",
}
NOTHING = {
    "one_busy_node": "a ring keeps 3",
    "slow_reads_of_idle_nodes": "another node would not help",
    "compaction_behind_on_one": "look at that node",
    "quiet_week_of_three": "a ring keeps 3",
    "quiet_week_of_four_replicas": "replication factor, 4",
    "quiet_racks_of_one": "a ring keeps 3, and as many as its replication factor, 5",
    "quiet_night": "only 30% of the last 86400 s",
    "quiet_but_at_noon": "the peak of 42% would be 52%",
    "quiet_but_full": "the fullest would be 50% full",
    "quiet_but_slow": "p99 is 70 ms",
    "quiet_but_compacting": "compaction: 9 pending",
    "just_added": "a node came or left 900 s ago",
}
REFUSED = {
    "node_dead": "10.0.0.3:9042 is down",
    "figures_old": "600 s old",
    "no_cpu_figures": "no cpu_busy, cpu_peak of 10.0.0.2:9042",
    "no_app_servers": "no figures for min(timestamp(catalog_workers))",
    "prometheus_new": "only 40% of the last 1800 s",
    "no_nodes": "no node is known",
    "node_joining": "1 node(s) joining",
    "load_under_way": "load of /data/2026",
    "cleanup_owed": "4 node(s) hold rows",
}
REMOVE = {"quiet_week": "10.0.0.5:9042", "nobody_reads": "10.0.0.1:9042"}


def _figures(situation: str) -> RingFigures:
    return read_figures(SITUATIONS / f"{situation}.json")


def test_situations_when_listed_then_each_has_a_verdict_here() -> None:
    """No recorded situation is left out of these tests."""
    recorded = {file.stem for file in SITUATIONS.glob("*.json")}
    assert recorded == ADD.keys() | NOTHING.keys() | REFUSED.keys() | REMOVE.keys()


@pytest.mark.parametrize("situation", ADD)
def test_decide_when_the_ring_is_overloaded_then_it_adds(situation: str) -> None:
    """CPU, disk, reads that CPU makes slow, and compaction ask for a node, each by itself."""
    advice = decide(_figures(situation), AdviseSettings())
    assert advice.action is Action.ADD
    assert len(advice.reasons) == 1
    assert ADD[situation] in advice.reasons[0]


@pytest.mark.parametrize("situation", NOTHING)
def test_decide_when_neither_would_help_then_it_says_why(situation: str) -> None:
    """What keeps the ring as it is, is said: also what is amiss and needs another cure."""
    advice = decide(_figures(situation), AdviseSettings())
    assert advice.action is Action.NOTHING
    assert any(NOTHING[situation] in reason for reason in advice.reasons)


@pytest.mark.parametrize("situation", REFUSED)
def test_decide_when_figures_cannot_be_trusted_then_it_refuses(situation: str) -> None:
    """Missing and old figures, and a ring that is not at rest, are no ground for advice."""
    with pytest.raises(RefusedError) as raised:
        decide(_figures(situation), AdviseSettings())
    assert REFUSED[situation] in str(raised.value)
    assert raised.value.advice


@pytest.mark.parametrize("situation", REMOVE)
def test_decide_when_the_ring_is_quiet_then_it_names_the_node_that_is_needed_least(
    situation: str,
) -> None:
    """The fewest rows, of a rack that has more nodes than others: racks stay of one size."""
    advice = decide(_figures(situation), AdviseSettings())
    assert (advice.action, advice.node) == (Action.REMOVE, REMOVE[situation])


def test_decide_when_everything_is_missing_then_it_says_all_of_it() -> None:
    """Whoever mends the figures wants to know of all that is wrong."""
    figures = dataclasses.replace(
        _figures("no_cpu_figures"), oldest_at=1.0, covered=0.0, missing=("moving",)
    )
    with pytest.raises(RefusedError) as raised:
        decide(figures, AdviseSettings())
    assert len(raised.value.refusals) == 4


def test_settings_when_a_removal_could_lead_to_an_addition_then_they_are_refused() -> None:
    """Hysteresis is not left to whoever sets thresholds."""
    with pytest.raises(RingSettingsError, match="CATALOG_ADVISE_CPU_LEFT"):
        load_settings(AdviseSettings, {"CATALOG_ADVISE_CPU_HIGH": "0.4"})


def test_settings_when_the_rest_is_shorter_than_the_window_then_they_are_refused() -> None:
    """The figures of before a change must not count after it."""
    with pytest.raises(RingSettingsError, match="CATALOG_ADVISE_SETTLE_SECONDS"):
        load_settings(AdviseSettings, {"CATALOG_ADVISE_SETTLE_SECONDS": "60"})


def test_figures_when_recorded_then_they_are_read_as_they_were(tmp_path: Path) -> None:
    """A file of figures is all that advice needs."""
    figures = _figures("node_dead")
    write_figures(figures, tmp_path / "figures.json")
    assert read_figures(tmp_path / "figures.json") == figures


@pytest.mark.parametrize("text", ["", "{}", '{"at": "noon"}', "[]"])
def test_figures_when_a_file_holds_something_else_then_it_is_named(
    text: str, tmp_path: Path
) -> None:
    """The error says which file, and where the form of one is described."""
    file = tmp_path / "figures.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FiguresError, match=r"figures\.json") as raised:
        read_figures(file)
    assert "README" in raised.value.advice
