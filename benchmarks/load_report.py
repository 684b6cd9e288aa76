"""The tables of `bench_load`, and whether its figures are reached."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from benchmarks.aftermath import Aftermath
from benchmarks.finished_rows import BODY_BYTES
from benchmarks.loader_runs import LoaderRun
from benchmarks.loaders import CQLSH_COPY, DRIVER, DSBULK_LOAD, SSTABLE
from benchmarks.read_cost import ReadCosts
from benchmarks.results import Spread, machine_line, markdown_table, write_result, write_text

MIB: Final = 2**20
OURS: Final = (SSTABLE.name, DRIVER.name)
# How many times the rows/s of another, at least.
WANTED: Final = {
    (SSTABLE.name, CQLSH_COPY.name): 5.0,
    (SSTABLE.name, DSBULK_LOAD.name): 10.0,
    (DRIVER.name, CQLSH_COPY.name): 1.0,
}
READS_WANTED: Final = 1.1


@dataclass(frozen=True, slots=True)
class Loaded:
    """One load: by whom, what it cost, what followed."""

    loader: str
    run: LoaderRun
    after: Aftermath


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio, what is wanted of it, and whether it is reached.

    Attributes:
        what: the two that are compared.
        spread: the ratio, by round.
        wanted: "" if nothing is.
        reached: true if nothing is wanted.
        less_cpu: the ratio of the CPU of loader and Cassandra together, the other way round; it
            holds better than that of the time where something else runs beside.
    """

    what: str
    spread: Spread
    wanted: str = ""
    reached: bool = True
    less_cpu: Spread | None = None

    @property
    def cells(self) -> list[str]:
        """The line of the table."""
        verdict = ("yes" if self.reached else "NO") if self.wanted else ""
        less_cpu = "" if self.less_cpu is None else self.less_cpu.text(2)
        return [self.what, self.spread.text(2), self.wanted, verdict, less_cpu]


def report(loaded: Sequence[Loaded], reads: ReadCosts | None, rows: int, *, quick: bool) -> int:
    """Print the tables, keep them, and return 1 when a figure is not reached."""
    by_loader: dict[str, list[Loaded]] = {}
    for one in loaded:
        by_loader.setdefault(one.loader, []).append(one)
    ratios = _ratios(by_loader)
    if reads is not None:
        reached = reads.ratio.median <= READS_WANTED
        what = "Cassandra CPU a read, as sstable left the table / after a major compaction"
        ratios.append(Ratio(what, reads.ratio, f"≤ {READS_WANTED:g}", reached))
    about = f"{rows:,} rows of an id and {BODY_BYTES} bytes, a new node a load. {machine_line()}."
    parts = [
        "# Finished rows into Cassandra",
        about,
        _loads_table(by_loader, rows),
        markdown_table(
            ("ratio", "median (low to high)", "wanted", "reached", "less CPU, times"),
            [one.cells for one in ratios],
        ),
    ]
    if reads is not None:
        parts.append(_reads_line(reads))
    text = "\n\n".join(parts) + "\n"
    print(text)
    write_text("bench_load.md", text, quick=quick)
    content = {
        "rows": rows,
        "loads": [asdict(one) for one in loaded],
        "reads": None if reads is None else asdict(reads),
        "ratios": [asdict(one) for one in ratios],
    }
    print(f"kept in {write_result('bench_load', content, quick=quick)}")
    return 0 if all(one.reached for one in ratios) else 1


def _loads_table(by_loader: dict[str, list[Loaded]], rows: int) -> str:
    millions = rows / 1e6
    figures: dict[str, Callable[[list[Loaded]], str]] = {
        "rows/s": _over(lambda one: rows / one.run.seconds),
        "seconds": _over(lambda one: one.run.seconds, 1),
        "loader CPU s a million": _over(lambda one: one.run.loader_cpu_seconds / millions, 1),
        "Cassandra CPU s a million": _over(lambda one: one.run.cassandra_cpu_seconds / millions, 1),
        "loader peak MiB": _over(lambda one: one.run.peak_bytes / MIB),
        "compaction CPU s after": _over(lambda one: one.after.compaction_cpu_seconds, 1),
        "flush CPU s after": _over(lambda one: one.after.flush_cpu_seconds, 1),
        "disk after, MiB": _over(lambda one: one.after.table_bytes / MIB),
        "SSTables after": _over(lambda one: one.after.sstables),
        "others' share of the cores": _over(lambda one: one.run.others_share, 2),
    }
    lines = [
        [name, *(figure(runs) for figure in figures.values())] for name, runs in by_loader.items()
    ]
    return markdown_table(("loader", *figures), lines)


def _over(value: Callable[[Loaded], float], digits: int = 0) -> Callable[[list[Loaded]], str]:
    def text(runs: list[Loaded]) -> str:
        spread = Spread.of([value(one) for one in runs])
        return spread.text(digits) if len(runs) > 1 else f"{spread.median:,.{digits}f}"

    return text


def _ratios(by_loader: dict[str, list[Loaded]]) -> list[Ratio]:
    """Return rows/s of ours over those of each other loader, by round."""
    found = []
    for own in (name for name in OURS if name in by_loader):
        for other in (name for name in by_loader if name not in OURS):
            pairs = [
                (ours.run, theirs.run)
                for ours, theirs in zip(by_loader[own], by_loader[other], strict=True)
            ]
            times = Spread.of([theirs.seconds / ours.seconds for ours, theirs in pairs])
            less_cpu = Spread.of([theirs.cpu_seconds / ours.cpu_seconds for ours, theirs in pairs])
            least = WANTED.get((own, other))
            wanted = "" if least is None else f"≥ {least:g}"
            reached = least is None or times.median >= least
            found.append(Ratio(f"rows/s, {own} / {other}", times, wanted, reached, less_cpu))
    return found


def _reads_line(reads: ReadCosts) -> str:
    loaded, compacted = Spread.of(reads.loaded), Spread.of(reads.compacted)
    return (
        f"Cassandra CPU µs a read: {loaded.text(1)} in {reads.loaded_sstables} SSTables as they"
        f" were loaded, {compacted.text(1)} in {reads.compacted_sstables} after a major compaction."
    )
