"""The report of loads while the shop is open: tables, JSON and a plot of p99 over time."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks.results import machine_line, markdown_table, write_result, write_text
from benchmarks.timeline_plot import Panel, latency_plot

WHO: Final = ("Cassandra", "app servers", "load generator", "loader")


@dataclass(frozen=True, slots=True)
class Phase:
    """What readers saw in one span of time; latencies in milliseconds.

    Attributes:
        failed: requests that ended otherwise than by 200, by how.
        cpu_shares: of all cores of the machine, by who used them.
    """

    name: str
    seconds: float
    requests: int
    failed: dict[str, int]
    p50: float
    p99: float
    p999: float
    cpu_shares: dict[str, float]


@dataclass(frozen=True, slots=True)
class StageCost:
    """A stage of the load, and the p99 (ms) of requests that were due meanwhile."""

    name: str
    seconds: float
    rows: int
    p99: float


@dataclass(frozen=True, slots=True)
class Live:
    """One load by one writer.

    Attributes:
        phases: before, during, after.
        settings: the loader's.
        bodies_wrong: of those that were compared.
        failed_outside: requests that failed in the moments that no phase counts.
        series: of each second, counted from the load's beginning: its number, requests, p99.
    """

    via: str
    phases: list[Phase]
    load_seconds: float
    rows: int
    loader_cpu_seconds: float
    settings: dict[str, Any]
    stages: list[StageCost]
    bodies_read: int
    bodies_wrong: list[dict[str, Any]]
    failed_outside: int
    series: list[tuple[int, int, float]]

    @property
    def failed(self) -> int:
        """Requests that failed in all."""
        return self.failed_outside + sum(sum(phase.failed.values()) for phase in self.phases)


def report(lives: Sequence[Live], *, nodes: int, rate: float, quick: bool) -> int:
    """Print and keep the figures; return the exit code: 1 when a request failed or was wrong."""
    name = "bench_load_live" if nodes == 1 else f"bench_load_live_{nodes}_nodes"
    about = f"{machine_line()}. Nodes: {nodes}, RF {nodes}; {rate:.0f} requests/s, open loop."
    parts = ["# Loads while the shop is open", about, phase_table(lives), load_table(lives)]
    if any(one.phases[0].failed for one in lives):
        parts.insert(
            2, "Requests failed before a load began: the machine was busy with other work."
        )
    parts += [
        f"Requests by stage of the load, via {one.via}:\n\n{stage_table(one)}" for one in lives
    ]
    text = "\n\n".join(parts) + "\n"
    print(text)
    write_text(f"{name}.md", text, quick=quick)
    write_text(f"{name}.svg", latency_plot([panel(one) for one in lives], what="p99"), quick=quick)
    kept = write_result(
        name, {"rate": rate, "nodes": nodes, "loads": [asdict(one) for one in lives]}, quick=quick
    )
    print(f"kept in {kept}")
    return 1 if any(one.failed or one.bodies_wrong for one in lives) else 0


def phase_table(lives: Sequence[Live]) -> str:
    """Return one line a writer and phase; CPU as shares of all cores."""
    header = (
        "load",
        "s",
        "requests",
        "failed",
        "p50 ms",
        "p99",
        "p99.9",
        *(f"{one} CPU" for one in WHO),
    )
    rows = [
        [
            f"via {one.via}, {phase.name}",
            f"{phase.seconds:.0f}",
            f"{phase.requests:,}",
            failed_text(phase.failed),
            f"{phase.p50:.1f}",
            f"{phase.p99:.1f}",
            f"{phase.p999:.1f}",
            *(f"{phase.cpu_shares.get(who, 0.0):.0%}" for who in WHO),
        ]
        for one in lives
        for phase in one.phases
    ]
    return markdown_table(header, rows)


def failed_text(failed: dict[str, int]) -> str:
    """Return how many failed how; 0 when none did."""
    return ", ".join(f"{count} {kind}" for kind, count in failed.items()) or "0"


def load_table(lives: Sequence[Live]) -> str:
    """Return one line a writer: what the load itself did."""
    header = ("load", "rows", "s", "rows/s", "CPU s", "bodies compared", "wrong", "niceness")
    rows = [
        [
            f"via {one.via}",
            f"{one.rows:,}",
            f"{one.load_seconds:.1f}",
            f"{one.rows / one.load_seconds:,.0f}",
            f"{one.loader_cpu_seconds:.1f}",
            str(one.bodies_read),
            str(len(one.bodies_wrong)),
            str(one.settings.get("load_niceness", 0)),
        ]
        for one in lives
    ]
    return markdown_table(header, rows)


def stage_table(one: Live) -> str:
    """Return one line a stage."""
    rows = [
        [stage.name, f"{stage.seconds:.1f}", f"{stage.rows:,}", f"{stage.p99:.1f}"]
        for stage in one.stages
    ]
    return markdown_table(("stage", "s", "rows", "p99 ms"), rows)


def panel(one: Live) -> Panel:
    """Return the p99 of each second, the load shaded."""
    points = [(second, p99) for second, _, p99 in one.series]
    return Panel(f"via {one.via}", points, (0.0, one.phases[1].seconds))
