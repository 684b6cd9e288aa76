"""A load from beginning to end: open, clean, look at what is stored, merge, write, account."""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import duckdb
import orjson

from etl.account import Account, Outcome, read_account
from etl.errors import TooManyRejectsError, WriteError
from etl.existing import Existing, fetch_existing
from etl.extract import extract_all
from etl.inputs import Inputs
from etl.progress import Progress
from etl.rejects import write_rejects
from etl.render import count_products, rendered_batches
from etl.settings import EtlSettings
from etl.sources import SourceSet, open_sources
from etl.stages import Stages
from etl.standard_input import copy_standard_input
from etl.tables import TABLES
from etl.thresholds import RejectsAllowed
from etl.writers.driver import DriverWriter
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
        inputs: the files.
        as_of_microseconds: the timestamp of every row written.
        rejects: where rejects go, even when there are none; None: a name of the time, when needed.
        account: where the account goes as JSON; None: nowhere.
        rejects_allowed: more rejects than this stop the load before it writes.
        dry_run: clean and account only; the tables are taken for empty, no Cassandra is needed.
    """

    inputs: Inputs
    as_of_microseconds: int
    rejects: Path | None = None
    account: Path | None = None
    rejects_allowed: RejectsAllowed | None = None
    dry_run: bool = False


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
        await asyncio.to_thread(extract_all, found, stages, progress.say)
        existing = _NOTHING_STORED
        if ring is not None:
            existing = await fetch_existing(
                ring, stages, scratch, timeout_seconds=settings.load_write_timeout_seconds
            )
            progress.say(f"stored already: {existing.products:,} products")
        await asyncio.to_thread(_relate, found, stages, settings, progress)
        account = read_account(stages.database, found, options.as_of_microseconds)
        account.outcome = Outcome.DRY_RUN if options.dry_run else Outcome.UNFINISHED
        await asyncio.to_thread(_keep_rejects, options, found, stages, account, progress)
        found.require_unchanged()
        try:
            _check_rejects(options, account)
            if ring is not None:
                writer = DriverWriter(ring, settings, progress, options.as_of_microseconds)
                account.products_written = await _write(writer, stages, existing, progress)
                account.outcome = Outcome.WRITTEN
        except TooManyRejectsError:
            account.outcome = Outcome.TOO_MANY_REJECTS
            raise
        finally:
            _keep_account(options, account)
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


def _relate(found: SourceSet, stages: Stages, settings: EtlSettings, progress: Progress) -> None:
    started = time.monotonic()
    stages.relate(tuple(table for table in TABLES if found.of(table)))
    stages.merge(settings.load_slice_products)
    progress.say(f"related and merged in {time.monotonic() - started:.1f} s")


async def _write(
    writer: DriverWriter, stages: Stages, existing: Existing, progress: Progress
) -> int:
    """Write everything; return how many products.

    Raises:
        WriteError: a write failed for good, or no pass over all rows was without an outage.
    """
    products = count_products(stages)
    for _ in range(_PASSES):
        outages = writer.outages
        progress.begin(products)
        await writer.write_rows(rendered_batches(stages))
        progress.end()
        bitmaps = await writer.write_live_ids(existing.deleted)
        await writer.write_directory(bitmaps)
        if writer.outages == outages:
            return products
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
    path = options.rejects
    if path is None:
        if not account.rejected_rows:
            return
        path = Path(time.strftime("rejects-%Y%m%dT%H%M%SZ.jsonl", time.gmtime()))
    write_rejects(stages.database, found.sources, path)
    progress.say(f"{account.rejected_rows:,} rejects are in {path}")


def _keep_account(options: LoadOptions, account: Account) -> None:
    if options.account is not None:
        options.account.write_bytes(
            orjson.dumps(account.as_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        )


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
