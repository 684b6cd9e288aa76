"""A soak: a fault each minute under load, while memory and file descriptors are watched.

    python -m benchmarks.soak [--minutes 20] [--rows 50000] [--rate N] [--fault-seconds 60]

Targets: no failed request (never are all nodes down), and after the first three minutes (a fifth of
a shorter run) memory and file descriptors of the app servers within 10 %. Exit code 1 otherwise.
"""

import argparse
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from statistics import median
from typing import Final

from benchmarks.fault_ring import PORT, FaultRing, fault_ring, maximum_rate, warm
from benchmarks.faults import CutOff, Fault, Frozen, Killed, Restarted, Slow
from benchmarks.open_load import OpenLoad, Request, failures, p99_milliseconds
from benchmarks.own_network import enter_own_network
from benchmarks.paths import NODE_STATE
from benchmarks.processes import accepted_connections, open_files, resident_bytes, stop_on_sigterm
from benchmarks.results import machine_line, markdown_table, write_result

MODULE: Final = "benchmarks.soak"
SHARE_OF_MAXIMUM: Final = 0.3
FULL_MINUTES: Final = 20.0
SETTLING_MINUTES: Final = 3.0
SAMPLE_SECONDS: Final = 5.0
ALLOWED_SHARE: Final = 0.10
FAULT_HOLD_SECONDS: Final = 10.0
# After a fault is undone at the end of the run, requests go on for a moment.
LAST_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Sample:
    """What the app servers held at one moment (Unix seconds), all together.

    Callers' connections are not counted: how many there are is the callers' doing.
    """

    at: float
    memory_bytes: int
    file_descriptors: int


class Sampler:
    """Samples the app servers in the background."""

    def __init__(self, ring: FaultRing) -> None:
        self.samples: list[Sample] = []
        self._ring = ring
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            sessions = [server.pid for server in self._ring.servers]
            memory = sum(map(resident_bytes, sessions))
            files = sum(map(open_files, sessions)) - accepted_connections(PORT)
            self.samples.append(Sample(time.time(), memory, files))

    def stop(self) -> list[Sample]:
        """End and return all samples."""
        self._ended.set()
        self._thread.join()
        return self.samples


def main() -> None:
    """Soak, print, judge."""
    parser = argparse.ArgumentParser(prog=f"python -m {MODULE}")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rate", type=float, help="requests/s; default 30 %% of the maximum")
    parser.add_argument("--fault-seconds", type=float, default=60.0, help="from fault to fault")
    given = parser.parse_args()
    enter_own_network(MODULE)
    with fault_ring(rows=given.rows) as ring:
        warm(ring)
        rate = given.rate or SHARE_OF_MAXIMUM * maximum_rate(ring)
        print(f"{rate:.0f} requests/s for {given.minutes:g} minutes", flush=True)
        began = time.time()
        requests, samples, faults = soak(ring, rate, given.minutes * 60, given.fault_seconds)
    settled_at = began + 60 * min(SETTLING_MINUTES, given.minutes / 5)
    settled = [one for one in samples if one.at >= settled_at]
    quick = given.minutes < FULL_MINUTES
    code = report(requests, settled, faults, period_seconds=given.fault_seconds, quick=quick)
    sys.exit(code)


def soak(
    ring: FaultRing, rate: float, seconds: float, fault_seconds: float
) -> tuple[list[Request], list[Sample], list[str]]:
    """Make fault after fault until the time is over; return requests, samples, faults made."""
    sampler = Sampler(ring)
    ends_at = time.monotonic() + seconds
    records = NODE_STATE / "soak_records.bin"
    with OpenLoad(
        ring.targets,
        rate=rate,
        # The last fault may take longer to undo than it should.
        seconds=seconds + 300,
        ids=ring.ids,
        records=records,
    ) as load:
        made = []
        for fault in cycle(soak_faults()):
            next_at = time.monotonic() + fault_seconds
            if next_at > ends_at + 1:
                break
            made.append(fault.name)
            print(f"{time.strftime('%H:%M:%S')} {fault.name}", flush=True)
            fault.begin(ring)
            time.sleep(min(FAULT_HOLD_SECONDS, fault_seconds / 3))
            fault.undo(ring)
            time.sleep(max(LAST_SECONDS, next_at - time.monotonic()))
        requests = load.stop()
    return requests, sampler.stop(), made


def soak_faults() -> list[Fault]:
    """Return the faults that a soak makes in turn; one node of three is left untouched."""
    return [
        Frozen(),
        Killed("killed (kill -9)", (1,)),
        Slow(),
        CutOff(),
        Restarted(),
        Killed("killed (kill -9), another", (2,)),
    ]


def report(
    requests: Sequence[Request],
    samples: Sequence[Sample],
    faults: Sequence[str],
    *,
    period_seconds: float,
    quick: bool,
) -> int:
    """Print the figures; return the exit code."""
    failed = failures(requests)
    held = held_between_faults(samples, period_seconds)
    rows = [
        [
            name,
            f"{values[0]:.0f}",
            f"{min(values):.0f}",
            f"{max(values):.0f}",
            f"{drift(values):.1%}",
        ]
        for name, values in held.items()
    ]
    print(machine_line())
    print(
        f"{len(requests)} requests, {sum(failed.values())} failed {dict(failed) or ''}, p99 "
        f"{p99_milliseconds(requests):.1f} ms, {len(faults)} faults"
    )
    print(
        markdown_table(("app servers, settled, by period", "first", "least", "most", "drift"), rows)
    )
    kept = write_result(
        "soak",
        {
            "requests": len(requests),
            "failed": dict(failed),
            "faults": list(faults),
            "samples": [asdict(sample) for sample in samples],
        },
        quick=quick,
    )
    print(f"kept in {kept}")
    drifted = any(drift(values) > ALLOWED_SHARE for values in held.values())
    return 1 if failed or drifted else 0


def held_between_faults(samples: Sequence[Sample], period_seconds: float) -> dict[str, list[float]]:
    """Return what the app servers held in each period, by kind.

    Memory: the least, which a leak raises too, while what a fault needs for a moment is gone again.
    File descriptors: the median, because callers' connections are subtracted a moment later.
    """
    memory = by_period(samples, lambda one: one.memory_bytes / 1024**2, period_seconds, min)
    files = by_period(samples, lambda one: float(one.file_descriptors), period_seconds, median)
    return {"memory MiB": memory, "file descriptors": files}


def by_period(
    samples: Sequence[Sample],
    value: Callable[[Sample], float],
    period_seconds: float,
    summary: Callable[[list[float]], float],
) -> list[float]:
    """Return one value for each period from fault to fault."""
    periods: dict[int, list[float]] = {}
    for sample in samples:
        period = int((sample.at - samples[0].at) // period_seconds)
        periods.setdefault(period, []).append(value(sample))
    return [summary(values) for values in periods.values()]


def drift(values: Sequence[float]) -> float:
    """Return how far the values move, as a share of the first; growing without end is a leak."""
    return (max(values) - min(values)) / values[0]


if __name__ == "__main__":
    stop_on_sigterm()
    main()
