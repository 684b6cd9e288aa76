"""One run of a loader: a program with all that it starts, timed until a read finds its last row."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.cql_load import LoadError
from benchmarks.node import Node
from benchmarks.processes import machine_cpu_seconds
from benchmarks.stored_rows import wait_for_row
from etl.memory import resident_bytes

SAMPLE_SECONDS: Final = 0.1
STOP_SECONDS: Final = 10.0
TAIL_LINES: Final = 15


@dataclass(frozen=True, slots=True)
class LoaderRun:
    """What one run cost.

    Attributes:
        seconds: from the start of the program until a read answered the last row.
        loader_cpu_seconds: of the program and of all that it started.
        cassandra_cpu_seconds: of the node in that time.
        peak_bytes: the most resident memory of the program and of all that it started, sampled.
        others_share: of the cores' time, what neither of them used but something else.
    """

    seconds: float
    loader_cpu_seconds: float
    cassandra_cpu_seconds: float
    peak_bytes: int
    others_share: float

    @property
    def cpu_seconds(self) -> float:
        """Of both together."""
        return self.loader_cpu_seconds + self.cassandra_cpu_seconds


@dataclass(frozen=True, slots=True)
class Program:
    """A loader's command, ready to run.

    Attributes:
        environ: variables besides those of this process.
        directory: where it runs.
        log: what it says goes there.
        limit_seconds: it is ended when it takes longer.
    """

    command: Sequence[str]
    environ: Mapping[str, str]
    directory: Path
    log: Path
    limit_seconds: float

    def run(self) -> tuple[float, int]:
        """Run to the end; return CPU seconds and the peak of memory in bytes, all told.

        Raises:
            LoadError: it failed or took too long; with the end of what it said.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as output:
            process = subprocess.Popen(
                list(self.command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environ},
                cwd=self.directory,
            )
        watch = _Watch(process.pid, self.limit_seconds)
        try:
            # Not `wait`, because only this tells what the program and its children used.
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            # Interrupted: it gets the chance to stop what it started.
            process.terminate()
            process.wait(STOP_SECONDS)
            raise
        finally:
            peak_bytes = watch.stop()
        if process.returncode != 0:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
            raise LoadError(f"{self.command[0]} ended with {process.returncode}:\n{tail}")
        return usage.ru_utime + usage.ru_stime, peak_bytes


def run_loader(program: Program, node: Node, *, keyspace: str, last_id: int) -> LoaderRun:
    """Run a loader to its end and read its last row.

    Raises:
        LoadError: it failed, took too long, or its last row is not there.
    """
    cassandra_before, machine_before = node.cpu_seconds(), machine_cpu_seconds()
    started = time.monotonic()
    loader_cpu_seconds, peak_bytes = program.run()
    wait_for_row(node, keyspace, last_id)
    seconds = time.monotonic() - started
    cassandra_cpu_seconds = node.cpu_seconds() - cassandra_before
    others = machine_cpu_seconds() - machine_before - loader_cpu_seconds - cassandra_cpu_seconds
    return LoaderRun(
        seconds=seconds,
        loader_cpu_seconds=loader_cpu_seconds,
        cassandra_cpu_seconds=cassandra_cpu_seconds,
        peak_bytes=peak_bytes,
        others_share=max(0.0, others) / seconds / (os.cpu_count() or 1),
    )


class _Watch:
    """Samples the memory of a program, and ends it when it takes too long."""

    def __init__(self, pid: int, limit_seconds: float) -> None:
        self._pid = pid
        self._ends_at = time.monotonic() + limit_seconds
        self._peak_bytes = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loader watch", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self._peak_bytes = max(self._peak_bytes, resident_bytes(self._pid))
            if time.monotonic() > self._ends_at:
                os.kill(self._pid, signal.SIGTERM)
                return

    def stop(self) -> int:
        """End and return the peak in bytes."""
        self._ended.set()
        self._thread.join()
        return self._peak_bytes
