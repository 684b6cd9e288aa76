"""The bare CQL load generator (`benchmarks/loadgen`, Go): built once, driven from here."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from benchmarks.paths import HERE, PEER_STATE

RUN_MARGIN_SECONDS: Final = 60.0
WRITE_TIMEOUT_SECONDS: Final = 900.0
BUILD_TIMEOUT_SECONDS: Final = 600.0


class LoadError(Exception):
    """The load generator failed, or Cassandra answered it with errors."""


@dataclass(frozen=True, slots=True)
class CqlFigures:
    """What one run of the generator saw; latencies in milliseconds."""

    requests: int
    seconds: float
    per_second: float
    errors: int
    empty: int
    milliseconds: dict[str, float]


def go_program(source: Path, name: str) -> Path:
    """Build a Go program of the benchmarks and return it; Go's own cache makes repeats quick.

    Raises:
        LoadError: Go is missing, or the program does not compile.
    """
    go = shutil.which("go")
    if go is None:
        raise LoadError("Go is not installed (Debian and Ubuntu: sudo apt-get install golang-go)")
    target = PEER_STATE / "bin" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [go, "build", "-trimpath", "-o", str(target), "."]
    done = subprocess.run(
        command,
        cwd=source,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise LoadError(f"{source.name} does not build: {done.stderr.strip()}")
    return target


@cache
def loadgen() -> Path:
    """Return the load generator, built from this checkout."""
    return go_program(HERE / "loadgen", "loadgen")


def run_statements(contact: str, statements: Sequence[str]) -> None:
    """Run CQL statements as they stand, in order."""
    _run(["cql-run", f"-address={contact}", *statements], timeout_seconds=WRITE_TIMEOUT_SECONDS)


def write_rows(
    contact: str,
    keyspace: str,
    cql: str,
    *,
    binds: Sequence[str],
    templates: Path,
    ids: int,
    in_flight: int = 64,
) -> CqlFigures:
    """Write the rows of ids 1 to `ids`; `binds` as `loadgen cql-write -bind` has them.

    Raises:
        LoadError: a write failed.
    """
    arguments = ["cql-write", f"-address={contact}", f"-keyspace={keyspace}", f"-cql={cql}"]
    arguments += [f"-bind={','.join(binds)}", f"-templates={templates}", f"-ids={ids}"]
    arguments += [f"-in-flight={in_flight}"]
    return _figures(_run(arguments, timeout_seconds=WRITE_TIMEOUT_SECONDS))


def read_rows(
    contact: str, keyspace: str, cql: str, *, ids: int, in_flight: int, seconds: float
) -> CqlFigures:
    """Read random ids for so many seconds; every one of them must have a row.

    Raises:
        LoadError: a read failed or found no row.
    """
    arguments = ["cql-read", f"-address={contact}", f"-keyspace={keyspace}", f"-cql={cql}"]
    arguments += [f"-ids={ids}", f"-in-flight={in_flight}", f"-seconds={seconds}"]
    arguments += [f"-connections={min(2, in_flight)}"]
    figures = _figures(_run(arguments, timeout_seconds=seconds + RUN_MARGIN_SECONDS))
    if figures.empty:
        raise LoadError(f"{figures.empty} of {figures.requests} reads found no row")
    return figures


def _figures(answer: dict[str, Any]) -> CqlFigures:
    if answer["errors"]:
        raise LoadError(f"{answer['errors']} errors, the first: {answer.get('first_error')}")
    return CqlFigures(
        answer["requests"],
        answer["seconds"],
        answer["per_second"],
        answer["errors"],
        answer["empty"],
        answer["milliseconds"],
    )


def _run(arguments: Sequence[str], *, timeout_seconds: float) -> dict[str, Any]:
    done = subprocess.run(
        [str(loadgen()), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    if done.returncode != 0:
        problem = done.stderr.strip() or f"ended with {done.returncode}"
        raise LoadError(f"loadgen {arguments[0]}: {problem}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
