"""The first half of a load and of a verification: what should stand in the tables.

Open the files, clean their rows, look at what is stored, relate and merge.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from etl.account import Account, read_account, read_rejected
from etl.database import open_database, open_scratch
from etl.datasets import FAMILIES, Family
from etl.existing import Existing, fetch_existing
from etl.extract import extract_all
from etl.inputs import Inputs
from etl.progress import Progress
from etl.record import Work, show_statements
from etl.render import count_rows
from etl.settings import EtlSettings
from etl.sources import SourceSet, open_sources
from etl.stages import Stages
from etl.standard_input import copy_standard_input
from etl.tables import TABLES
from ring import RingClient, RingSettings, Statement

_NOTHING_STORED: Final = Existing(0, frozenset())


@dataclass(frozen=True, slots=True)
class Prepared:
    """Files as they should stand in the tables, not yet rendered.

    Attributes:
        scratch: a directory that goes with the load.
        families: what the files concern.
        existing: what was stored before; nothing without a ring.
    """

    scratch: Path
    found: SourceSet
    stages: Stages
    families: tuple[Family, ...]
    existing: Existing
    account: Account

    def cut(self, settings: EtlSettings, progress: Progress) -> int:
        """Cut all families into slices; return how many rows will be rendered of them."""
        with progress.stage("cut into slices", work=Work.JOIN, database=self.stages.database):
            for family in self.families:
                self.stages.cut(family, settings.load_slice_products)
            return count_rows(self.stages, self.families)


@asynccontextmanager
async def prepare(
    inputs: Inputs,
    as_of_microseconds: int,
    settings: EtlSettings,
    progress: Progress,
    ring: RingClient | None,
) -> AsyncIterator[Prepared]:
    """Read the files and merge them with what is stored; without a ring nothing is.

    Raises:
        LoadError: a file cannot be read, or was changed meanwhile.
        RingError: the stored rows could not be read.
        OSError: a file of the load's own cannot be written (disk full).
        duckdb.Error: the database of the load failed (disk full, memory limit too low).
    """
    async with AsyncExitStack() as stack:
        scratch = stack.enter_context(open_scratch(settings))
        found = await _open_inputs(inputs, as_of_microseconds, scratch, progress)
        stack.callback(found.stop)
        stages = Stages(stack.enter_context(open_database(scratch, settings)))
        show_statements(stages.database)
        await asyncio.to_thread(extract_all, found, stages, progress)
        families = _families(found)
        existing = _NOTHING_STORED
        if ring is not None:
            with progress.stage("read what is stored"):
                existing = await fetch_existing(
                    ring,
                    stages,
                    scratch,
                    families,
                    timeout_seconds=settings.load_write_timeout_seconds,
                )
            progress.say(f"stored already: {existing.products:,} products")
        await asyncio.to_thread(_relate, found, stages, progress)
        account = read_account(stages.database, found, as_of_microseconds)
        yield Prepared(scratch, found, stages, families, existing, account)


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


async def _open_inputs(
    inputs: Inputs, as_of_microseconds: int, scratch: Path, progress: Progress
) -> SourceSet:
    """Say as of when the load is, copy standard input if it is asked for, and open all files."""
    as_of = datetime.fromtimestamp(as_of_microseconds / 1e6, UTC)
    progress.say(f"as of {as_of:%Y-%m-%dT%H:%M:%SZ}: what was changed later in the tables stays")
    copy: Path | None = None
    if inputs.has_standard_input:
        copy = scratch / "standard_input"
        size_bytes = await copy_standard_input(sys.stdin.fileno(), copy)
        progress.say(f"standard input: {size_bytes:,} bytes")
    return await asyncio.to_thread(open_sources, inputs, scratch, copy)


def _families(found: SourceSet) -> tuple[Family, ...]:
    """What the files of this load concern."""
    present = {source.table for source in found.sources}
    return tuple(family for family in FAMILIES if not present.isdisjoint(family.tables))


def _relate(found: SourceSet, stages: Stages, progress: Progress) -> None:
    with progress.stage("relate and merge", work=Work.JOIN, database=stages.database):
        stages.relate(tuple(table for table in TABLES if found.of(table)))
    progress.record.rejected = read_rejected(stages.database)
