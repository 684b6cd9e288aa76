"""A load that runs beside this program: start it, look at its record, check the ring, stop it."""

import asyncio
import contextlib
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from benchmarks.live_bodies import bodies_of
from benchmarks.paths import REPOSITORY
from benchmarks.processes import Process, StartError
from benchmarks.ring_load.check import Checked, check
from benchmarks.ring_load.figures import Figures, figures_between
from benchmarks.ring_load.plan import LoadPlan
from benchmarks.ring_load.record import recorded_problems, recorded_reads, recorded_writes
from benchmarks.ring_load.rows import CREATE_TABLE, TABLE
from benchmarks.ring_load.stored import (
    connected,
    read_quorum,
    read_replicas,
    wait_for_hints,
)
from benchmarks.ring_load.streams import Received, received_bytes, received_since
from ring import Consistency, RingSettings
from ring.control import fetch_state
from ring.transport import CqlConnection, query

START_SECONDS: Final = 90.0
SCHEMA_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.1
# The longest that a write may be under way, and some more for it to be recorded.
LONGEST_WRITE_SECONDS: Final = 12.0
HINTS_SECONDS: Final = 120.0


class RingLoad:
    """One load with its record.

    Attributes:
        catalog: bodies of the products that are read and never changed.
    """

    def __init__(self, plan: LoadPlan) -> None:
        self.plan = plan
        self.catalog: Mapping[int, bytes] = bodies_of(Path(plan.data), range(1, plan.products + 1))
        self._directory = Path(plan.directory)
        self._process = Process(
            "ring load",
            [sys.executable, "-m", "benchmarks.ring_load", self._directory / "plan.json"],
            log=self._directory / "load.log",
            directory=REPOSITORY,
            stop_seconds=2 * LONGEST_WRITE_SECONDS,
        )
        self._runs = False

    def __repr__(self) -> str:
        """Where and whether it runs, for messages."""
        return f"<RingLoad {self._directory} {self._process}>"

    @contextlib.contextmanager
    def running(self) -> Iterator["RingLoad"]:
        """Begin with an empty table and a new record; stop at the end."""
        self.start()
        try:
            yield self
        finally:
            self.stop()

    def start(self) -> None:
        """Start, and return when it flows.

        Raises:
            StartError: it ended, or did not begin to flow in time.
        """
        shutil.rmtree(self._directory, ignore_errors=True)
        self._directory.mkdir(parents=True)
        self.plan.write(self._directory / "plan.json")
        asyncio.run(prepare_table(self.plan.ring_settings()))
        self._process.start()
        self._runs = True
        deadline = time.monotonic() + START_SECONDS
        while not (self._directory / "ready").exists():
            self._process.check_alive()
            if time.monotonic() > deadline:
                raise StartError(f"the load does not begin; see {self._process.log}")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Let what is under way end, and stop."""
        self._process.stop()
        self._runs = False

    def check_alive(self) -> None:
        """Raise StartError when the load has ended by itself."""
        self._process.check_alive()

    def figures(self, start: float, end: float) -> Figures:
        """Return what users saw from one moment up to another (Unix seconds, as `time.time`)."""
        reads, writes = recorded_reads(self._directory), recorded_writes(self._directory)
        return figures_between(reads, writes, start, end)

    def problems(self) -> list[str]:
        """Return what the load noted about reads and writes that were not answered rightly."""
        return recorded_problems(self._directory)

    def received(self) -> Received:
        """Return what the ring's nodes have received from each other, for `received_since`."""
        return asyncio.run(received_bytes(self.plan.ring_settings()))

    def received_since(self, before: Received) -> int:
        """Return how many bytes they have received since then."""
        return received_since(before, self.received())

    def check_quorum(self, *contact_points: str, firm_until: float | None = None) -> Checked:
        """Read all that was written back at QUORUM.

        Args:
            contact_points: of the ring that is asked; the plan's, unless given.
            firm_until: Unix seconds; what ended later may be there or not. Now, unless given.
        """
        settings = self.plan.ring_settings(*contact_points)
        return self._check(settings, firm_until, quorum=True, replicas=False)

    def check_replicas(self, *contact_points: str, firm_until: float | None = None) -> Checked:
        """Read all that was written back from each of its replicas alone, after hints."""
        settings = self.plan.ring_settings(*contact_points)
        asyncio.run(wait_for_hints(settings, timeout_seconds=HINTS_SECONDS))
        return self._check(settings, firm_until, quorum=False, replicas=True)

    def _check(
        self, settings: RingSettings, firm_until: float | None, *, quorum: bool, replicas: bool
    ) -> Checked:
        begun = time.time()
        stored = [asyncio.run(read_quorum(settings))] if quorum else []
        stored += asyncio.run(read_replicas(settings)) if replicas else []
        if self._runs:
            # What was being written while the tables were read is to be in the record.
            time.sleep(LONGEST_WRITE_SECONDS)
        writes = recorded_writes(self._directory)
        return check(stored, writes, self.catalog, firm_until=firm_until or begun)


async def prepare_table(settings: RingSettings) -> None:
    """Make the load's table, empty, and wait until all nodes know it.

    Raises:
        TransportError: no node answers, or it refused.
        TimeoutError: the nodes do not agree.
    """
    async with connected(settings) as connection:
        await query(connection, CREATE_TABLE, timeout_seconds=SCHEMA_SECONDS)
        await _agree(connection, settings)
        await query(
            connection,
            f"TRUNCATE {TABLE}",
            consistency=Consistency.ALL,
            timeout_seconds=SCHEMA_SECONDS,
        )


async def _agree(connection: CqlConnection, settings: RingSettings) -> None:
    async with asyncio.timeout(SCHEMA_SECONDS):
        while True:
            state = await fetch_state(connection, settings)
            if len({node.schema_version for node in state.nodes}) == 1:
                return
            await asyncio.sleep(POLL_SECONDS)
