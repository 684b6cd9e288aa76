"""What each step of a rehearsal took, what users saw of it, and whether that holds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.results import machine_line, markdown_table, write_result, write_text
from benchmarks.ring_load.figures import Figures


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for; `quiet_seconds` before and after each step."""

    products: int
    quiet_seconds: float
    load_share: float
    quick: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What one step took, and what users saw of it.

    Attributes:
        exit_code: of its command.
        streamed_bytes: what nodes received from each other meanwhile.
        before, during, after: what users saw.
        lost, resurrected: acknowledged writes that a quorum does not know; deleted rows that it
            does.
    """

    name: str
    exit_code: int
    seconds: float
    streamed_bytes: int
    before: Figures | None
    during: Figures | None
    after: Figures | None
    lost: int
    resurrected: int

    @property
    def holds(self) -> bool:
        """Whether it did what it says and nobody noticed."""
        seen = [figures for figures in (self.before, self.during, self.after) if figures]
        noticed = sum(figures.bad_reads for figures in seen) + self.lost + self.resurrected
        return self.exit_code == 0 and not noticed


def report(plan: Plan, steps: Sequence[Step], name: str) -> int:
    """Print and keep the table; return the exit code."""
    header = (
        "step",
        "seconds",
        "streamed MB",
        "failed reads",
        "p99 before ms",
        "during",
        "after",
        "longest gap s",
        "writes not acknowledged",
        "lost writes",
        "back from deletion",
        "",
    )
    load = f"{200 * plan.load_share:g} reads/s and {50 * plan.load_share:g} QUORUM writes/s"
    about = f"{machine_line()}. {plan.products} products, {load}."
    table = markdown_table(header, [row(step) for step in steps])
    text = f"# Changing the ring under load\n\n{about}\n\n{table}\n"
    print(text)
    write_text(f"{name}.md", text, quick=plan.quick)
    kept = write_result(name, {"steps": [asdict(step) for step in steps]}, quick=plan.quick)
    print(f"kept in {kept}")
    return 0 if steps and all(step.holds for step in steps) else 1


def row(step: Step) -> list[str]:
    """Return one line of the table."""
    seen = [figures for figures in (step.before, step.during, step.after) if figures]
    unsure = sum(
        count
        for figures in seen
        for outcome, count in figures.writes.items()
        if outcome != "acknowledged"
    )
    return [
        step.name,
        f"{step.seconds:.0f}",
        f"{step.streamed_bytes / 1e6:.1f}",
        str(sum(figures.bad_reads for figures in seen)) if seen else "",
        *(f"{figures.p99:.1f}" for figures in seen),
        *([""] * (3 - len(seen))),
        f"{max(figures.longest_gap_seconds for figures in seen):.2f}" if seen else "",
        str(unsure) if seen else "",
        str(step.lost),
        str(step.resurrected),
        "holds" if step.holds else "FAILS",
    ]
