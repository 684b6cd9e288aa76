"""Closed-loop HTTP load by wrk, with random ids; and one-off requests to check an answer."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from benchmarks.cql_load import LoadError
from benchmarks.paths import HERE
from benchmarks.processes import Process, StartError

SCRIPT: Final = HERE / "random_ids.lua"
KINDS_SCRIPT: Final = HERE / "requests.lua"
RUN_MARGIN_SECONDS: Final = 60.0
# A different seed each run: otherwise every run reads the same ids in the same order.
_seeds = count(int(time.time()))


@dataclass(frozen=True, slots=True)
class HttpFigures:
    """What one run of wrk saw; latencies in milliseconds."""

    requests: int
    seconds: float
    per_second: float
    errors: int
    p50: float
    p99: float
    p999: float
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class RequestKind:
    """What is asked: `%d` in path and body stands for a random id.

    Attributes:
        ids: the largest of them, from 1 on; or a file that has one a line.
    """

    method: str
    path: str
    ids: int | Path
    body: str | None = None


def run_kind(
    address: str, port: int, kind: RequestKind, *, connections: int, seconds: float
) -> HttpFigures:
    """Send one kind of request over so many kept connections, one at a time on each.

    Raises:
        LoadError: wrk is missing or failed.
    """
    ids = f"@{kind.ids}" if isinstance(kind.ids, Path) else str(kind.ids)
    arguments = [kind.method, kind.path, ids, str(next(_seeds))]
    arguments += [] if kind.body is None else [kind.body]
    return _run(KINDS_SCRIPT, f"http://{address}:{port}", arguments, connections, seconds)


def run_wrk(address: str, port: int, *, connections: int, seconds: float, ids: int) -> HttpFigures:
    """Send `GET /products/{random id}` over so many kept connections, one at a time on each.

    Raises:
        LoadError: wrk is missing or failed.
    """
    return _run(
        SCRIPT, f"http://{address}:{port}", [str(ids), str(next(_seeds))], connections, seconds
    )


def _run(
    script: Path, url: str, arguments: list[str], connections: int, seconds: float
) -> HttpFigures:
    command = [wrk(), "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    command += ["-s", str(script), url, "--", *arguments]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=seconds + RUN_MARGIN_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise LoadError(f"wrk: {done.stderr.strip() or done.stdout.strip()}")
    seen = json.loads(done.stdout.splitlines()[-1])
    took = seen["microseconds"] / 1e6
    kinds = ("status_errors", "connect_errors", "read_errors", "write_errors", "timeouts")
    return HttpFigures(
        requests=seen["requests"],
        seconds=took,
        per_second=seen["requests"] / took,
        errors=sum(seen[kind] for kind in kinds),
        p50=seen["p50"] / 1000,
        p99=seen["p99"] / 1000,
        p999=seen["p99_9"] / 1000,
        bytes=seen["bytes"],
    )


def wrk() -> str:
    """Return where wrk is."""
    found = shutil.which("wrk")
    if found is None:
        raise LoadError("wrk is not installed (Debian and Ubuntu: sudo apt-get install wrk)")
    return found


def wait_for_body(
    process: Process, address: str, port: int, *, product_id: int, timeout_seconds: float = 60.0
) -> bytes:
    """Return the body of one product as soon as the server answers it with 200.

    Raises:
        StartError: the server ended, or did not answer 200 in time.
    """
    deadline = time.monotonic() + timeout_seconds
    url = f"http://{address}:{port}/products/{product_id}"
    while True:
        process.check_alive()
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                body: bytes = answer.read()
                check_content_type(process.name, answer.headers.get("Content-Type", ""))
                return body
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > deadline:
                raise StartError(f"{process.name} does not answer: {error}") from error
            time.sleep(0.2)


def check_content_type(name: str, given: str) -> None:
    """Refuse a server that does not send what the contract demands."""
    if given != "application/json; charset=utf-8":
        raise StartError(f"{name} answers with Content-Type {given!r}")
