"""The first half of a load and of a verification: what should stand in the tables.

Open the files, clean their rows, look at what is stored, relate and merge.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import duckdb

from etl.account import Account, read_account, read_rejected
from etl.checkpoints import Checkpoints
from etl.database import open_database
from etl.datasets import FAMILIES, Family
from etl.existing import EXISTING_STEP, Existing, fetch_existing
from etl.extract import extract_all
from etl.identity import Identity
from etl.inputs import Inputs
from etl.ledger import fetch_other_loads
from etl.progress import Progress
from etl.record import Work, show_statements
from etl.relations import relate
from etl.render import count_rows
from etl.settings import EtlSettings
from etl.sources import SourceSet, open_sources
from etl.stages import Stages
from etl.standard_input import copy_standard_input
from etl.tables import TABLES
from etl.work_directory import WorkDirectory
from ring import RingClient, RingSettings, Statement

_NOTHING_STORED: Final = Existing(0, frozenset())


@dataclass(frozen=True, slots=True)
class Prepared:
    """Files as they should stand in the tables, not yet rendered.

    Attributes:
        work: the directory of the load.
        families: what the files concern.
        existing: what was stored before; nothing without a ring.
    """

    work: WorkDirectory
    found: SourceSet
    stages: Stages
    families: tuple[Family, ...]
    existing: Existing
    account: Account

    def cut(self, settings: EtlSettings, progress: Progress) -> int:
        """Cut all families into slices; return how many rows will be rendered of them."""
        with progress.stage("cut into slices", work=Work.JOIN, database=self.stages.database):
            if not self.stages.checkpoints.is_done("cut"):
                with self.stages.checkpoints.step("cut"):
                    for family in self.families:
                        self.stages.cut(family, settings.load_slice_products)
            return count_rows(self.stages, self.families)


@asynccontextmanager
async def prepare(
    work: WorkDirectory,
    inputs: Inputs,
    as_of_microseconds: int,
    settings: EtlSettings,
    progress: Progress,
    ring: RingClient | None,
) -> AsyncIterator[Prepared]:
    """Read the files and merge them with what is stored; without a ring nothing is.

    Goes on where an earlier run in this directory was stopped.

    Raises:
        LoadError: a file cannot be read, or was changed meanwhile.
        RingError: the stored rows could not be read.
        OSError: a file of the load's own cannot be written (disk full).
        duckdb.Error: the database of the load failed (disk full, memory limit too low).
    """
    async with AsyncExitStack() as stack:
        await _settle(work, inputs, as_of_microseconds, progress)
        ledger = ""
        if ring is not None:
            ledger = await fetch_other_loads(
                ring, as_of_microseconds, timeout_seconds=settings.load_write_timeout_seconds
            )
            if work.is_resumed:
                await asyncio.to_thread(_refuse_outdated, work, settings, ledger, progress)
        found = await asyncio.to_thread(open_sources, inputs, work.path, work.standard_input)
        stack.callback(found.stop)
        stages = Stages(stack.enter_context(open_database(work.path, settings)))
        show_statements(stages.database)
        if work.is_resumed:
            progress.say(f"goes on with what an earlier run left in {work.path}")
        await asyncio.to_thread(extract_all, found, stages, progress)
        work.keep_identities({one.name: one.identity for one in found.sources if one.identity})
        families = _families(found)
        existing = _NOTHING_STORED
        if ring is not None:
            with progress.stage("read what is stored"):
                existing = await fetch_existing(
                    ring,
                    stages,
                    work.path,
                    families,
                    ledger=ledger,
                    timeout_seconds=settings.load_write_timeout_seconds,
                )
            progress.say(f"stored already: {existing.products:,} products")
        await asyncio.to_thread(_relate, found, stages, progress)
        account = read_account(stages.database, found, as_of_microseconds)
        yield Prepared(work, found, stages, families, existing, account)


def _refuse_outdated(
    work: WorkDirectory, settings: EtlSettings, ledger: str, progress: Progress
) -> None:
    """Begin anew where another load has written since an earlier run looked at the tables."""
    try:
        with open_database(work.path, settings) as database:
            checkpoints = Checkpoints(database)
            checkpoints.open()
            if checkpoints.told(EXISTING_STEP) in {None, ledger}:
                return
        reason = "another load has written since an earlier run of this one"
    except duckdb.Error as error:
        reason = f"what an earlier run left cannot be read ({error})"
    progress.say(f"{reason}: begun anew")
    work.begin_anew()


@asynccontextmanager
async def open_ring(
    ring_settings: RingSettings, settings: EtlSettings, statements: Sequence[Statement]
) -> AsyncIterator[RingClient]:
    """Open a client that is ready to serve.

    Raises:
        RingError: no node answers in `load_ready_timeout_seconds`.
    """
    ring = await RingClient.open(ring_settings, statements)
    try:
        await ring.wait_ready(settings.load_ready_timeout_seconds)
        yield ring
    finally:
        await ring.aclose()


async def _settle(
    work: WorkDirectory, inputs: Inputs, as_of_microseconds: int, progress: Progress
) -> None:
    """Say as of when the load is, copy standard input, and look for an earlier run's work."""
    as_of = datetime.fromtimestamp(as_of_microseconds / 1e6, UTC)
    progress.say(f"as of {as_of:%Y-%m-%dT%H:%M:%SZ}: what was changed later in the tables stays")
    copied: Identity | None = None
    if inputs.has_standard_input:
        copied = await copy_standard_input(sys.stdin.fileno(), work.standard_input)
        progress.say(f"standard input: {copied.size_bytes:,} bytes")
    await asyncio.to_thread(work.settle, inputs, as_of_microseconds, copied, progress.say)


def _families(found: SourceSet) -> tuple[Family, ...]:
    """What the files of this load concern."""
    present = {source.table for source in found.sources}
    return tuple(family for family in FAMILIES if not present.isdisjoint(family.tables))


def _relate(found: SourceSet, stages: Stages, progress: Progress) -> None:
    with progress.stage("relate and merge", work=Work.JOIN, database=stages.database):
        relate(stages, tuple(table for table in TABLES if found.of(table)))
    progress.record.rejected = read_rejected(stages.database)
