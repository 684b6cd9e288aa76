"""Figures of a stretch of time: latency, failures, the longest gap, outcomes of writes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.ring_load.ledger import Outcome, Write
from benchmarks.ring_load.record import Read, ReadKind, ReadOutcome


@dataclass(frozen=True, slots=True)
class Figures:
    """What users saw from one moment up to another. Latencies in milliseconds.

    Attributes:
        reads, failed, wrong: of products, through nginx; what was not answered, and what was
            answered with something else than what is stored.
        longest_gap_seconds: the longest time in which no read was answered rightly.
        stale: rows that a quorum did not know in the state that a quorum had acknowledged.
        row_reads_failed: of rows, at QUORUM; they fail while no quorum is up.
        writes: how many ended in which way.
    """

    seconds: float
    reads: int
    failed: int
    wrong: int
    p50: float
    p99: float
    longest_gap_seconds: float
    stale: int
    row_reads_failed: int
    writes: dict[str, int]
    write_p99: float

    @property
    def bad_reads(self) -> int:
        """What must be 0 whatever happens to the ring."""
        return self.failed + self.wrong + self.stale

    def text(self) -> str:
        """Say it in a line."""
        writes = ", ".join(f"{count} {outcome}" for outcome, count in self.writes.items())
        return (
            f"{self.reads} reads in {self.seconds:.0f} s, {self.failed} failed, {self.wrong} wrong,"
            f" p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms, longest gap"
            f" {self.longest_gap_seconds:.2f} s; writes: {writes}, p99 {self.write_p99:.1f} ms;"
            f" {self.stale} stale and {self.row_reads_failed} failed reads at QUORUM"
        )


def figures_between(
    reads: Sequence[Read], writes: Sequence[Write], start: float, end: float
) -> Figures:
    """Work out the figures of reads due, and writes begun, from `start` up to `end`."""
    due = [read for read in reads if start <= read.due_at < end]
    products = [read for read in due if read.kind is ReadKind.PRODUCT]
    rows = Counter(read.outcome for read in due if read.kind is ReadKind.ROW)
    outcomes = Counter(read.outcome for read in products)
    latencies = sorted(read.seconds for read in products)
    begun = [write for write in writes if start <= write.began < end]
    ended = Counter(write.outcome for write in begun)
    return Figures(
        seconds=end - start,
        reads=len(products),
        failed=outcomes[ReadOutcome.FAILED],
        wrong=outcomes[ReadOutcome.WRONG],
        p50=_milliseconds(latencies, 0.5),
        p99=_milliseconds(latencies, 0.99),
        longest_gap_seconds=longest_gap(products, start, end),
        stale=rows[ReadOutcome.WRONG],
        row_reads_failed=rows[ReadOutcome.FAILED],
        writes={str(outcome): ended[outcome] for outcome in Outcome if ended[outcome]},
        write_p99=_milliseconds(sorted(write.ended - write.began for write in begun), 0.99),
    )


def longest_gap(reads: Sequence[Read], start: float, end: float) -> float:
    """Return the longest time from `start` to `end` in which no read was answered rightly."""
    answered = sorted(
        read.due_at + read.seconds for read in reads if read.outcome is ReadOutcome.GOOD
    )
    moments = [start, *(moment for moment in answered if moment < end), end]
    return max(later - sooner for sooner, later in pairwise(moments))


def _milliseconds(ordered: Sequence[float], share: float) -> float:
    """Return the value that a share of the ordered ones stays below; 0 without any."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000
