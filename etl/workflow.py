"""A load from beginning to end: open, clean, look at what is stored, merge, write, account."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from etl.account import Account, Outcome
from etl.datasets import PRODUCTS
from etl.errors import TooManyRejectsError, WriteError
from etl.inputs import Inputs
from etl.ledger import enter_load
from etl.new_ids import reserve_ids
from etl.preparation import Prepared, open_ring, prepare
from etl.progress import Progress
from etl.record import Work
from etl.rejects import rejects_files, write_rejects
from etl.render import live_ids_by_block
from etl.settings import EtlSettings
from etl.thresholds import RejectsAllowed
from etl.work_directory import WorkDirectory, open_scratch, open_work
from etl.writers.choice import RowWriter, Via, choose_writer
from etl.writers.listing import list_products
from etl.writers.patient import PatientRing
from ring import RingClient, RingSettings
from ring.operation_lock import LOCK_STATEMENTS, RING_LOCK, hold_operation_lock
from schema.statements import LOAD_STATEMENTS

_PASSES: Final = 3


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
        ring: RingClient | None = None
        work = stack.enter_context(_open_work(options, settings, ring_settings, progress))
        if not options.dry_run:
            # Before the long part: a load that cannot write should say so at once.
            ring = await stack.enter_async_context(
                open_ring(ring_settings, settings, (*LOAD_STATEMENTS, *LOCK_STATEMENTS))
            )
            await stack.enter_async_context(
                hold_operation_lock(ring, RING_LOCK, owner=work.owner, purpose="a bulk load")
            )
        prepared = await stack.enter_async_context(
            prepare(work, options.inputs, options.as_of_microseconds, settings, progress, ring)
        )
        account = progress.record.account = prepared.account
        account.outcome = Outcome.FAILED
        await asyncio.to_thread(_keep_rejects, options, prepared, progress)
        prepared.found.require_unchanged()
        try:
            _check_rejects(options, account)
            if ring is None:
                account.outcome = Outcome.DRY_RUN
            else:
                await _write_all(options, prepared, ring, ring_settings, settings, progress)
        except TooManyRejectsError:
            account.outcome = Outcome.TOO_MANY_REJECTS
            raise
        finally:
            report(account)
        return account


def _open_work(
    options: LoadOptions, settings: EtlSettings, ring_settings: RingSettings, progress: Progress
) -> AbstractContextManager[WorkDirectory]:
    """What a dry run has done is not worth keeping: its tables are empty ones."""
    if options.dry_run:
        return open_scratch(settings)
    return open_work(options.inputs, ring_settings, settings, progress.say)


async def _write_all(
    options: LoadOptions,
    prepared: Prepared,
    ring: RingClient,
    ring_settings: RingSettings,
    settings: EtlSettings,
    progress: Progress,
) -> None:
    """Choose the writer and write."""
    rows = await asyncio.to_thread(prepared.cut, settings, progress)
    patient = PatientRing(ring, settings)
    await enter_load(patient, options.as_of_microseconds, prepared.found)
    await reserve_ids(patient, prepared.stages.database)
    writer = await choose_writer(
        options.via,
        rows,
        ring=patient,
        ring_settings=ring_settings,
        settings=settings,
        progress=progress,
        as_of_microseconds=options.as_of_microseconds,
        staging=prepared.work.staging,
    )
    progress.record.writer = partial(_figures, writer, patient)
    prepared.account.outcome = Outcome.UNFINISHED
    await _write(writer, patient, prepared, progress)
    prepared.account.rows_written = rows
    prepared.account.outcome = Outcome.WRITTEN


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
    ring: PatientRing,
    prepared: Prepared,
    progress: Progress,
) -> None:
    """Write all rows, then list the products.

    Raises:
        WriteError: a write failed for good, or no pass over all rows was without an outage.
    """
    for _ in range(_PASSES):
        outages = ring.outages
        await writer.write(prepared.stages, prepared.families)
        if PRODUCTS in prepared.families:
            with progress.stage("write lists", work=Work.WRITE):
                written = await asyncio.to_thread(live_ids_by_block, prepared.stages)
                await list_products(ring, written, prepared.existing.deleted)
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


def _keep_rejects(options: LoadOptions, prepared: Prepared, progress: Progress) -> None:
    rejected = prepared.account.rejected_rows
    if options.rejects is None and not rejected:
        return
    files = rejects_files(options.rejects)
    database = prepared.stages.database
    with progress.stage("write rejects", total_rows=rejected, database=database) as stage:
        write_rejects(database, prepared.found.sources, files, lambda rows: stage.add(rows=rows))
    progress.record.rejects_files = files
    progress.say(f"{rejected:,} rejects are in {files.csv} and {files.parquet}")
