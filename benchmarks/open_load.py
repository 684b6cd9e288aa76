"""Open-loop HTTP load: requests start when they are due, and latency counts from then on."""

import json
import math
import struct
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from benchmarks.cql_load import LoadError, loadgen
from benchmarks.processes import process_cpu_seconds

RECORD: Final = struct.Struct("<IIHH")
HTTP_OK: Final = 200
HTTP_UNAVAILABLE: Final = 503
# What `loadgen http-open` notes below 100, see benchmarks/loadgen/http_open.go.
OUTCOMES: Final = {1: "no connection", 2: "time-out", 3: "broken", 4: "cancelled", 5: "no room"}
CANCELLED: Final = 4
STOP_MARGIN_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request: when it was due (Unix seconds), how long it took from then, how it ended."""

    due_at: float
    seconds: float
    outcome: int
    target: int


class OpenLoad:
    """A run of `loadgen http-open` in the background."""

    def __init__(
        self,
        targets: Sequence[str],
        *,
        rate: float,
        seconds: float,
        ids: int,
        records: Path,
        limit_seconds: float = 10.0,
        cancel_share: float = 0.0,
    ) -> None:
        """Start at once; `targets` are `host:port`, asked in turn."""
        records.parent.mkdir(parents=True, exist_ok=True)
        self._records = records
        self._ends_at = time.monotonic() + seconds + limit_seconds + STOP_MARGIN_SECONDS
        command = [str(loadgen()), "http-open", f"-targets={','.join(targets)}"]
        command += [f"-rate={rate}", f"-seconds={seconds}", f"-ids={ids}"]
        command += [f"-limit={limit_seconds}s", f"-cancel-share={cancel_share}"]
        command += [f"-records={records}"]
        self._popen = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def cpu_seconds(self) -> float:
        """CPU time of the generator so far."""
        return process_cpu_seconds(self._popen.pid)

    def stop(self) -> list[Request]:
        """End the run early and return its requests, as `finish` does."""
        self._popen.terminate()
        return self.finish()

    def finish(self) -> list[Request]:
        """Wait for the end of the run and return its requests in the order of their due times.

        Raises:
            LoadError: the generator failed or did not end.
        """
        try:
            output, errors = self._popen.communicate(
                timeout=max(1.0, self._ends_at - time.monotonic())
            )
        except subprocess.TimeoutExpired as error:
            self.abandon()
            raise LoadError("loadgen http-open did not end") from error
        if self._popen.returncode != 0:
            raise LoadError(f"loadgen http-open: {errors.strip()}")
        start = json.loads(output)["start_unix_microseconds"]
        return sorted(self._read(start), key=lambda request: request.due_at)

    def _read(self, start_microseconds: int) -> Iterator[Request]:
        for due, latency, outcome, target in RECORD.iter_unpack(self._records.read_bytes()):
            yield Request((start_microseconds + due) / 1e6, latency / 1e6, outcome, target)

    def abandon(self) -> None:
        """End the run now."""
        self._popen.kill()
        self._popen.wait()

    def __enter__(self) -> Self:
        """Return the run, which goes on already."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it when it still goes on."""
        if self._popen.poll() is None:
            self.abandon()


def between(requests: Sequence[Request], start: float, end: float) -> list[Request]:
    """Return the requests that were due from `start` up to `end` (Unix seconds)."""
    return [request for request in requests if start <= request.due_at < end]


def failures(requests: Sequence[Request]) -> Counter[str]:
    """Return how many requests ended otherwise than by 200, by how."""
    return Counter(
        OUTCOMES.get(request.outcome, f"status {request.outcome}")
        for request in requests
        if request.outcome not in (HTTP_OK, CANCELLED)
    )


def p99_milliseconds(requests: Sequence[Request]) -> float:
    """Return the 99th percentile of latency, failed requests included; 0 without any."""
    return percentile_milliseconds(requests, 0.99)


def percentile_milliseconds(requests: Sequence[Request], share: float) -> float:
    """Return the latency that a share of the requests stayed below; 0 without any."""
    if not requests:
        return 0.0
    ordered = sorted(request.seconds for request in requests)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def p99_by_second(requests: Sequence[Request], zero: float) -> list[tuple[int, int, float]]:
    """Return the number of each second from `zero` (Unix seconds) on, its requests, their p99."""
    by_second: dict[int, list[Request]] = {}
    for request in requests:
        by_second.setdefault(math.floor(request.due_at - zero), []).append(request)
    return [
        (second, len(some), round(p99_milliseconds(some), 1))
        for second, some in sorted(by_second.items())
    ]


def recovery_seconds(
    requests: Sequence[Request], *, since: float, until: float, limit_milliseconds: float
) -> float | None:
    """Return how long after `since` the p99 is back under the limit, None when it never is.

    Looked at in windows of `WINDOW_SECONDS`, stepped by `STEP_SECONDS`: the p99 of shorter ones is
    made of too few requests to mean anything.
    """
    start = since
    while start + WINDOW_SECONDS <= until:
        window = between(requests, start, start + WINDOW_SECONDS)
        if window and not failures(window) and p99_milliseconds(window) <= limit_milliseconds:
            return start - since
        start += STEP_SECONDS
    return None


WINDOW_SECONDS: Final = 4.0
STEP_SECONDS: Final = 0.25
