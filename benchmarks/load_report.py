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
# ours, other, how many times as fast at least.
WANTED: Final = (
    (SSTABLE.name, CQLSH_COPY.name, 5.0),
    (SSTABLE.name, DSBULK_LOAD.name, 10.0),
    (DRIVER.name, CQLSH_COPY.name, 1.0),
)
READS_WANTED: Final = 1.1


@dataclass(frozen=True, slots=True)
class Loaded:
    """One load: by whom, what it cost, what followed."""

    loader: str
    run: LoaderRun
    after: Aftermath


def report(loaded: Sequence[Loaded], reads: ReadCosts | None, rows: int, *, quick: bool) -> int:
    """Print the tables, keep them, and return 1 when a figure is not reached."""
    wanted = _wanted(loaded, reads)
    about = f"{rows:,} rows of an id and {BODY_BYTES} bytes, one new node a load. {machine_line()}."
    parts = [
        "# Finished rows into Cassandra",
        about,
        _loads_table(loaded, rows),
        _wanted_table(wanted),
    ]
    text = "\n\n".join(parts) + "\n"
    print(text)
    write_text("bench_load.md", text, quick=quick)
    content = {
        "rows": rows,
        "loads": [asdict(one) for one in loaded],
        "reads": None if reads is None else asdict(reads),
    }
    print(f"kept in {write_result('bench_load', content, quick=quick)}")
    return 0 if all(reached for *_, reached in wanted) else 1


def _loads_table(loaded: Sequence[Loaded], rows: int) -> str:
    millions = rows / 1e6
    figures: dict[str, Callable[[list[Loaded]], str]] = {
        "rows/s": _over(lambda one: rows / one.run.seconds),
        "seconds": _over(lambda one: one.run.seconds, 1),
        "loader CPU s a million": _over(lambda one: one.run.loader_cpu_seconds / millions, 1),
        "Cassandra CPU s a million": _over(lambda one: one.run.cassandra_cpu_seconds / millions, 1),
        "loader peak MiB": _over(lambda one: one.run.peak_bytes / MIB),
        "compaction CPU s after": _over(lambda one: one.after.compaction_cpu_seconds, 1),
        "flush CPU s after": _over(lambda one: one.after.flush_cpu_seconds, 1),
        "watched s": _over(lambda one: one.after.seconds),
        "disk after, MiB": _over(lambda one: one.after.table_bytes / MIB),
        "SSTables after": _over(lambda one: one.after.sstables),
    }
    by_loader: dict[str, list[Loaded]] = {}
    for one in loaded:
        by_loader.setdefault(one.loader, []).append(one)
    lines = [
        [name, *(figure(runs) for figure in figures.values())] for name, runs in by_loader.items()
    ]
    return markdown_table(("loader", *figures), lines)


def _over(value: Callable[[Loaded], float], digits: int = 0) -> Callable[[list[Loaded]], str]:
    def text(runs: list[Loaded]) -> str:
        spread = Spread.of([value(one) for one in runs])
        return spread.text(digits) if len(runs) > 1 else f"{spread.median:,.{digits}f}"

    return text


def _wanted(
    loaded: Sequence[Loaded], reads: ReadCosts | None
) -> list[tuple[str, Spread, str, bool]]:
    """Return what is compared, the ratio, what is wanted of it, and whether it is reached."""
    seconds: dict[str, list[float]] = {}
    for one in loaded:
        seconds.setdefault(one.loader, []).append(one.run.seconds)
    found = []
    for ours, other, least in WANTED:
        if ours in seconds and other in seconds:
            pairs = zip(seconds[ours], seconds[other], strict=True)
            times = Spread.of([theirs / own for own, theirs in pairs])
            found.append(
                (f"rows/s: {ours} / {other}", times, f"≥ {least:g}", times.median >= least)
            )
    if reads is not None:
        name = "Cassandra CPU a read: after the load / after a major compaction"
        found.append((name, reads.ratio, f"≤ {READS_WANTED:g}", reads.ratio.median <= READS_WANTED))
    return found


def _wanted_table(wanted: Sequence[tuple[str, Spread, str, bool]]) -> str:
    lines = [
        [what, ratio.text(2), limit, "yes" if reached else "NO"]
        for what, ratio, limit, reached in wanted
    ]
    return markdown_table(("ratio", "median (low to high)", "wanted", "reached"), lines)
