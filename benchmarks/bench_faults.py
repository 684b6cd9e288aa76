"""What faults cost users: a ring of three at RF 3 under open-loop load through its app servers.

    python -m benchmarks.bench_faults [--rows 50000] [--rate N] [--faults killed,frozen,…]
        [--cancellations 10000]

With --faults the figures replace no kept ones.

The rate is 60 % of the maximum, unless given: the highest at which p99 stays within 50 ms, measured
first. Latency counts from the intended start. It all runs in a network of its own (`unshare
--net`). Exit code 1 when a target was missed.
"""

import argparse
import contextlib
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from benchmarks.cancellations import CancellationFigures, cancel_at_random
from benchmarks.fault_ring import FaultRing, fault_ring, maximum_rate, warm
from benchmarks.faults import Added, Fault, all_faults
from benchmarks.open_load import (
    HTTP_UNAVAILABLE,
    OpenLoad,
    Request,
    between,
    failures,
    p99_by_second,
    p99_milliseconds,
    recovery_seconds,
)
from benchmarks.own_network import enter_own_network
from benchmarks.paths import NODE_STATE
from benchmarks.processes import stop_on_sigterm
from benchmarks.results import machine_line, markdown_table, write_result, write_text

MODULE: Final = "benchmarks.bench_faults"
SHARE_OF_MAXIMUM: Final = 0.6
BEFORE_SECONDS: Final = 12.0
SKIPPED_SECONDS: Final = 2.0
AFTER_SECONDS: Final = 20.0
SETTLE_SECONDS: Final = 8.0
# A starting JVM, or a joining node, may take long on two cores; the load goes on until it is there.
LONGEST_UNDO_SECONDS: Final = 150.0
P99_FACTOR: Final = 3.0
RETURN_FACTOR: Final = 1.2
REQUEST_DEADLINE_SECONDS: Final = 5.0
CANCELLATIONS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one fault cost. Times in seconds, p99 in milliseconds.

    Attributes:
        series: of each second, counted from the fault: its number, requests, p99.
    """

    name: str
    requests: int
    failed: dict[str, int]
    failed_after: int
    p99_before: float
    p99_during: float
    p99_starting: float
    p99_after: float
    recovery_seconds: float | None
    slowest_unavailable_seconds: float
    missed: list[str]
    series: list[tuple[int, int, float]]


def main() -> None:
    """Make every fault in turn; print the table; judge."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}")
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rate", type=float, help="requests/s; default 60 %% of the maximum")
    parser.add_argument("--faults", help="only those whose name contains one of these words")
    parser.add_argument("--cancellations", type=int, default=CANCELLATIONS)
    given = parser.parse_args()
    enter_own_network(MODULE)
    words = given.faults.split(",") if given.faults else [""]
    chosen = [fault for fault in all_faults() if any(word in fault.name for word in words)]
    with fault_ring(rows=given.rows) as ring:
        warm(ring)
        rate = given.rate or SHARE_OF_MAXIMUM * maximum_rate(ring)
        print(f"{rate:.0f} requests/s", flush=True)
        cancelled = cancel_at_random(ring, count=given.cancellations, rate=rate)
        print(cancelled.text(), flush=True)
        outcomes = [show(run_fault(ring, fault, rate)) for fault in chosen]
    sys.exit(report(rate, outcomes, cancelled, quick=given.faults is not None))


def show(outcome: Outcome) -> Outcome:
    """Print an outcome as soon as it is known."""
    print(outcome, flush=True)
    return outcome


def run_fault(ring: FaultRing, fault: Fault, rate: float) -> Outcome:
    """Make one fault under load, undo it, and see what it cost."""
    longest = LONGEST_UNDO_SECONDS if fault.starts_node else 5.0
    seconds = BEFORE_SECONDS + fault.hold_seconds + longest + AFTER_SECONDS
    records = NODE_STATE / "fault_records.bin"
    load = OpenLoad(ring.targets, rate=rate, seconds=seconds, ids=ring.ids, records=records)
    with contextlib.ExitStack() as at_the_end:
        at_the_end.enter_context(load)
        if isinstance(fault, Added):
            at_the_end.callback(fault.remove)
        started = time.time()
        time.sleep(BEFORE_SECONDS)
        marks = [started + SKIPPED_SECONDS, time.time()]
        fault.begin(ring)
        time.sleep(fault.hold_seconds)
        marks.append(time.time())
        fault.undo(ring)
        marks += [time.time(), time.time() + AFTER_SECONDS]
        time.sleep(AFTER_SECONDS)
        requests = load.stop()
    ring.revive()
    settle(ring)
    return judge(fault, requests, marks)


def settle(ring: FaultRing) -> None:
    """Let the nodes find each other again and be as fast as before, for the next fault."""
    time.sleep(SETTLE_SECONDS)
    warm(ring)


def judge(fault: Fault, requests: Sequence[Request], marks: Sequence[float]) -> Outcome:
    """Work out the figures; `marks`: counted from, fault, undoing, back, end (Unix seconds)."""
    counted, begun, undoing, back, end = marks
    before = between(requests, counted, begun)
    during = between(requests, begun, undoing)
    starting = between(requests, undoing, back)
    after = between(requests, back, end)
    p99_before = p99_milliseconds(before)
    recovered = recovery_seconds(
        requests, since=back, until=end, limit_milliseconds=RETURN_FACTOR * p99_before
    )
    everything = between(requests, counted, end)
    unavailable = [one.seconds for one in everything if one.outcome == HTTP_UNAVAILABLE]
    outcome = Outcome(
        name=fault.name,
        requests=len(everything),
        failed=dict(failures(everything)),
        failed_after=sum(failures(after).values()),
        p99_before=p99_before,
        p99_during=p99_milliseconds(during),
        # Where nothing had to start there is hardly a request in that time.
        p99_starting=p99_milliseconds(starting) if back - undoing > 1 else 0.0,
        p99_after=p99_milliseconds(after),
        recovery_seconds=recovered,
        slowest_unavailable_seconds=max(unavailable, default=0.0),
        missed=[],
        series=p99_by_second(everything, begun),
    )
    outcome.missed.extend(missed_targets(fault, outcome))
    return outcome


def missed_targets(fault: Fault, outcome: Outcome) -> list[str]:
    """Return which of the targets did not hold."""
    missed = []
    if outcome.failed and not fault.may_fail:
        missed.append("failed requests")
    if fault.may_fail and set(outcome.failed) - {f"status {HTTP_UNAVAILABLE}"}:
        missed.append("other answers than 503")
    if outcome.slowest_unavailable_seconds > REQUEST_DEADLINE_SECONDS:
        missed.append("503 later than the deadline")
    if fault.limits_p99 and outcome.p99_during > P99_FACTOR * outcome.p99_before:
        missed.append(f"p99 {outcome.p99_during / outcome.p99_before:.1f} times")
    recovered, limit = outcome.recovery_seconds, fault.return_limit_seconds
    if limit is not None and (recovered is None or recovered > limit):
        missed.append(f"recovery over {limit:.0f} s")
    return missed


def report(
    rate: float,
    outcomes: Sequence[Outcome],
    cancelled: CancellationFigures,
    *,
    quick: bool,
) -> int:
    """Print and keep the table; return the exit code."""
    header = (
        "fault",
        "requests",
        "failed",
        "p99 before ms",
        "during",
        "while it starts",
        "after",
        "recovered after s",
        "targets",
    )
    rows = [outcome_row(outcome) for outcome in outcomes]
    about = f"{machine_line()}. Three nodes, RF 3, {rate:.0f} requests/s, open loop."
    parts = ["# Faults", about, markdown_table(header, rows), cancelled.text()]
    text = "\n\n".join(parts) + "\n"
    print(text)
    write_text("bench_faults.md", text, quick=quick)
    kept = write_result(
        "bench_faults",
        {
            "rate": rate,
            "faults": [asdict(outcome) for outcome in outcomes],
            "cancellations": asdict(cancelled),
        },
        quick=quick,
    )
    print(f"kept in {kept}")
    return 1 if any(outcome.missed for outcome in outcomes) or cancelled.leaked else 0


def outcome_row(outcome: Outcome) -> list[str]:
    """Return one line of the table."""
    failed = ", ".join(f"{count} {kind}" for kind, count in outcome.failed.items()) or "0"
    recovered = outcome.recovery_seconds
    return [
        outcome.name,
        str(outcome.requests),
        failed,
        f"{outcome.p99_before:.1f}",
        f"{outcome.p99_during:.1f}",
        f"{outcome.p99_starting:.1f}" if outcome.p99_starting else "",
        f"{outcome.p99_after:.1f}",
        "not" if recovered is None else f"{recovered:.2f}",
        "; ".join(outcome.missed) or "hold",
    ]


if __name__ == "__main__":
    stop_on_sigterm()
    main()
