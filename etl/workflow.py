"""A load from beginning to end: open, clean, look at what is stored, merge, write, account."""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import duckdb

from etl.account import Account, Outcome, read_account, read_rejected
from etl.datasets import FAMILIES, PRODUCTS, Family
from etl.errors import TooManyRejectsError, WriteError
from etl.existing import Existing, fetch_existing
from etl.extract import extract_all
from etl.inputs import Inputs
from etl.progress import Progress
from etl.record import Work, show_statements
from etl.rejects import rejects_files, write_rejects
from etl.render import count_rows, live_ids_by_block
from etl.settings import EtlSettings
from etl.sources import SourceSet, open_sources
from etl.stages import Stages
from etl.standard_input import copy_standard_input
from etl.tables import TABLES
from etl.thresholds import RejectsAllowed
from etl.writers.choice import RowWriter, Via, choose_writer
from etl.writers.listing import list_products
from etl.writers.patient import PatientRing
from ring import RingClient, RingSettings
from schema.statements import LOAD_STATEMENTS

_PASSES: Final = 3
_CLOSE_SECONDS: Final = 10.0
_CLOSE_PAUSE_SECONDS: Final = 0.02
_NOTHING_STORED: Final = Existing(0, frozenset())


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What one load was asked for.

    Attributes:
        inputs: the legacy files.
        as_of_microseconds: the timestamp of every row written.
        rejects: where rejects go (see `rejects_files`), even when there are none; None: to files
            named by the time, if there are any.
        rejects_allowed: more rejects than this stop the load before it writes.
        dry_run: clean and account only; the tables are taken for empty, no Cassandra is needed.
        via: which writer.
    """

    inputs: Inputs
    as_of_microseconds: int
    rejects: Path | None = None
    rejects_allowed: RejectsAllowed | None = None
    dry_run: bool = False
    via: Via = Via.AUTO


async def load(
    options: LoadOptions,
    settings: EtlSettings,
    ring_settings: RingSettings,
    progress: Progress,
    report: Callable[[Account], None],
) -> Account:
    """Load legacy files; safe to repeat.

    `report` is given the account as soon as there is no more to come, also of a load that stops
    once the files have been read: what is wrong with them is known by then.

    Raises:
        LoadError: see its subclasses; for all but WriteError nothing has been written.
        RingError: the ring was not ready, or the stored products could not be read.
        OSError: a file of the load's own cannot be written (disk full).
        duckdb.Error: the database of the load failed (disk full, memory limit too low).
    """
    async with AsyncExitStack() as stack:
        scratch = stack.enter_context(_open_scratch(settings))
        found = await _open_inputs(options, scratch, progress)
        stack.callback(found.stop)
        # Before the long part: a load that cannot write should say so at once.
        ring = (
            None
            if options.dry_run
            else await stack.enter_async_context(_open_ring(ring_settings, settings))
        )
        stages = Stages(stack.enter_context(_open_database(scratch, settings)))
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
        account = read_account(stages.database, found, options.as_of_microseconds)
        progress.record.account = account
        account.outcome = Outcome.FAILED
        await asyncio.to_thread(_keep_rejects, options, found, stages, account, progress)
        found.require_unchanged()
        try:
            _check_rejects(options, account)
            if ring is None:
                account.outcome = Outcome.DRY_RUN
            else:
                rows = await asyncio.to_thread(_cut, stages, families, settings, progress)
                patient = PatientRing(ring, settings)
                writer = await choose_writer(
                    options.via,
                    rows,
                    ring=patient,
                    ring_settings=ring_settings,
                    settings=settings,
                    progress=progress,
                    as_of_microseconds=options.as_of_microseconds,
                    scratch=scratch,
                )
                progress.record.writer = partial(_figures, writer, patient)
                account.outcome = Outcome.UNFINISHED
                await _write(writer, rows, patient, stages, families, existing, progress)
                account.rows_written = rows
                account.outcome = Outcome.WRITTEN
        except TooManyRejectsError:
            account.outcome = Outcome.TOO_MANY_REJECTS
            raise
        finally:
            report(account)
        return account


async def _open_inputs(options: LoadOptions, scratch: Path, progress: Progress) -> SourceSet:
    """Say as of when the load is, copy standard input if it is asked for, and open all files."""
    as_of = datetime.fromtimestamp(options.as_of_microseconds / 1e6, UTC)
    progress.say(f"as of {as_of:%Y-%m-%dT%H:%M:%SZ}: what was changed later in the tables stays")
    copy: Path | None = None
    if options.inputs.has_standard_input:
        copy = scratch / "standard_input"
        size_bytes = await copy_standard_input(sys.stdin.fileno(), copy)
        progress.say(f"standard input: {size_bytes:,} bytes")
    return await asyncio.to_thread(open_sources, options.inputs, scratch, copy)


def _families(found: SourceSet) -> tuple[Family, ...]:
    """What the files of this load concern."""
    present = {source.table for source in found.sources}
    return tuple(family for family in FAMILIES if not present.isdisjoint(family.tables))


def _relate(found: SourceSet, stages: Stages, progress: Progress) -> None:
    with progress.stage("relate and merge", work=Work.JOIN, database=stages.database):
        stages.relate(tuple(table for table in TABLES if found.of(table)))
    progress.record.rejected = read_rejected(stages.database)


def _cut(
    stages: Stages, families: tuple[Family, ...], settings: EtlSettings, progress: Progress
) -> int:
    """Cut all families into slices; return how many rows will be rendered of them."""
    with progress.stage("cut into slices", work=Work.JOIN, database=stages.database):
        for family in families:
            stages.cut(family, settings.load_slice_products)
        return count_rows(stages, families)


def _figures(writer: RowWriter, ring: PatientRing) -> dict[str, object]:
    """What the report and Prometheus tell of the writing."""
    return {
        "via": writer.name,
        "in_flight": ring.in_flight,
        "outages": ring.outages,
        **writer.figures(),
    }


async def _write(
    writer: RowWriter,
    rows: int,
    ring: PatientRing,
    stages: Stages,
    families: tuple[Family, ...],
    existing: Existing,
    progress: Progress,
) -> None:
    """Write all rows, then list the products.

    Raises:
        WriteError: a write failed for good, or no pass over all rows was without an outage.
    """
    for _ in range(_PASSES):
        outages = ring.outages
        await writer.write(stages, families, rows)
        if PRODUCTS in families:
            with progress.stage("write lists", work=Work.WRITE):
                written = await asyncio.to_thread(live_ids_by_block, stages)
                await list_products(ring, written, existing.deleted)
        if ring.outages == outages:
            return
        progress.say("no node answered for a while, and what they took last may be lost: once more")
    raise WriteError(f"the nodes went away in each of {_PASSES} passes over all rows")


def _check_rejects(options: LoadOptions, account: Account) -> None:
    allowed = options.rejects_allowed
    if allowed is not None and not allowed.allows(account.rejected_rows, account.rows_in):
        raise TooManyRejectsError(
            f"{account.rejected_rows:,} of {account.rows_in:,} rows rejected, more than"
            f" --max-rejects {allowed}: nothing was written"
        )


def _keep_rejects(
    options: LoadOptions,
    found: SourceSet,
    stages: Stages,
    account: Account,
    progress: Progress,
) -> None:
    if options.rejects is None and not account.rejected_rows:
        return
    files = rejects_files(options.rejects)
    rejected = account.rejected_rows
    with progress.stage("write rejects", total_rows=rejected, database=stages.database) as stage:
        write_rejects(stages.database, found.sources, files, lambda rows: stage.add(rows=rows))
    progress.record.rejects_files = files
    progress.say(f"{account.rejected_rows:,} rejects are in {files.csv} and {files.parquet}")


@contextmanager
def _open_scratch(settings: EtlSettings) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(
        prefix="catalog-load-", dir=settings.load_temp_directory or None
    ) as name:
        yield Path(name)


@contextmanager
def _open_database(scratch: Path, settings: EtlSettings) -> Iterator[duckdb.DuckDBPyConnection]:
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": settings.load_memory_limit,
        "temp_directory": str(scratch / "spill"),
    }
    if settings.load_threads:
        config["threads"] = settings.load_threads
    database = duckdb.connect(str(scratch / "load.duckdb"), config=config)
    try:
        yield database
    finally:
        _close(database)


def _close(database: duckdb.DuckDBPyConnection) -> None:
    """Close the database, also of an interrupted load, whose thread may be between statements."""
    give_up_at = time.monotonic() + _CLOSE_SECONDS
    while True:
        database.interrupt()
        try:
            database.close()
        except duckdb.Error:
            # The thread has not noticed yet. Nothing in this database is worth failing for.
            if time.monotonic() > give_up_at:
                return
            time.sleep(_CLOSE_PAUSE_SECONDS)
        else:
            return


@asynccontextmanager
async def _open_ring(
    ring_settings: RingSettings, settings: EtlSettings
) -> AsyncIterator[RingClient]:
    ring = await RingClient.open(ring_settings, LOAD_STATEMENTS)
    try:
        await ring.wait_ready(settings.load_ready_timeout_seconds)
        yield ring
    finally:
        await ring.aclose()
