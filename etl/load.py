"""`catalog-etl load`: arguments, signals, exit codes."""

import argparse
import asyncio
import os
import signal
import sys
import time
from datetime import UTC, datetime
from typing import Final

import duckdb
import uvloop

from etl.account import Account, render_account
from etl.errors import LoadError, TooManyRejectsError, UsageError
from etl.exit_status import ExitStatus
from etl.inputs import Inputs, find_inputs
from etl.niceness import nice
from etl.outputs import add_arguments, check_outputs, write_outputs
from etl.progress import Progress
from etl.record import LoadRecord
from etl.report import options_of
from etl.settings import EtlSettings
from etl.telemetry import serve_figures
from etl.thresholds import RejectsAllowed, parse_rejects_allowed
from etl.workflow import LoadOptions, load
from etl.writers.choice import Via
from ring import RingError, RingSettings, RingSettingsError

_DESCRIPTION: Final = """\
Read the legacy files (products with features, styles, photos, skus and related ones; reviews;
questions; carts), clean them, and add or replace their rows in Cassandra. Nothing is ever deleted;
a file that is absent leaves what is stored. Running the same load again changes nothing.

An INPUT is a directory, a file, a pattern ('exports/*.csv.gz') or, with its table, standard input
(product=-). Files are CSV, also packed with gzip or zstd, or Parquet. The table follows from a
file's name (skus.csv, skus-00.csv.gz, skus_2024-01.parquet); TABLE=PATH says it for any other name.
A table may have several files: of rows with one key the later line stays, then the later file name.
"""
_EXIT_CODES: Final = "\n".join(f"  {int(one)}  {one.meaning}" for one in ExitStatus)
_EPILOG: Final = f"""\
exit codes:
{_EXIT_CODES}

The tables must exist (catalog-ring apply-schema). Settings are environment variables: those of the
ring (CATALOG_CONTACT_POINTS and so on) and CATALOG_LOAD_MEMORY_LIMIT, CATALOG_LOAD_TEMP_DIRECTORY,
CATALOG_LOAD_THREADS, CATALOG_LOAD_CONCURRENCY, CATALOG_LOAD_METRICS_PORT (Prometheus figures while
the load runs) and more; etl/README.md lists them.
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `load` command."""
    parser = subparsers.add_parser(
        "load",
        help="load legacy files into Cassandra",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help="directory, file, pattern or TABLE=PATH; TABLE=- is standard input",
    )
    parser.add_argument(
        "--as-of",
        metavar="TIME",
        help="timestamp of all rows: microseconds since 1970 or an ISO date-time (default: when the"
        " oldest input was modified; needed with standard input)",
    )
    add_arguments(parser)
    parser.add_argument(
        "--max-rejects",
        metavar="N",
        help="stop before writing when more rows than this, or than N%% of all, are rejected",
    )
    parser.add_argument(
        "--via",
        choices=[via.value for via in Via],
        default=Via.AUTO.value,
        help="how rows are written: finished SSTables given to the nodes, or the driver;"
        " auto: SSTables for CATALOG_LOAD_SSTABLE_ROWS rows and more, where they can be made",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="clean and account only: no Cassandra, tables taken for empty",
    )
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    try:
        check_outputs(given)
    except UsageError as error:
        return _fail(str(error), ExitStatus.USAGE)
    record = LoadRecord(options=options_of(given))
    status, message = _attempt(given, record)
    if message:
        _fail(message, status)
    try:
        write_outputs(given, record, status, message)
    except OSError as error:
        return _fail(f"the report could not be written: {error}", ExitStatus.FATAL)
    return status


def _attempt(given: argparse.Namespace, record: LoadRecord) -> tuple[ExitStatus, str]:
    """Load; return the exit code, and what stopped the load, if anything did."""
    try:
        inputs = find_inputs(given.inputs)
        options = LoadOptions(
            inputs=inputs,
            as_of_microseconds=choose_as_of(
                given.as_of, inputs, now_microseconds=time.time_ns() // 1_000
            ),
            rejects=given.rejects,
            rejects_allowed=_rejects_allowed(given.max_rejects),
            dry_run=given.dry_run,
            via=Via(given.via),
        )
        record.settings = settings = EtlSettings.from_environ(os.environ)
        ring_settings = RingSettings.from_environ(os.environ)
        with (
            nice(settings.load_niceness),
            serve_figures(settings, record),
            Progress(record=record) as progress,
        ):
            loading = _until_signalled(options, settings, ring_settings, progress)
            account = uvloop.run(loading)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return ExitStatus.INTERRUPTED, "interrupted; run it again to finish"
    except (UsageError, RingSettingsError) as error:
        return ExitStatus.USAGE, str(error)
    except TooManyRejectsError as error:
        return ExitStatus.TOO_MANY_REJECTS, str(error)
    except (LoadError, RingError, OSError, duckdb.Error) as error:
        return ExitStatus.FATAL, str(error)
    return ExitStatus.REJECTS if account.rejected_rows else ExitStatus.CLEAN, ""


def _rejects_allowed(text: str | None) -> RejectsAllowed | None:
    return None if text is None else parse_rejects_allowed(text)


async def _until_signalled(
    options: LoadOptions, settings: EtlSettings, ring_settings: RingSettings, progress: Progress
) -> Account:
    """Load, and treat SIGTERM as an interruption."""
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await load(options, settings, ring_settings, progress, _report)


def _report(account: Account) -> None:
    sys.stdout.write(render_account(account) + "\n")


def choose_as_of(text: str | None, inputs: Inputs, *, now_microseconds: int) -> int:
    """Return the load's timestamp: what is asked for, or when the oldest input was modified.

    By then its rows were as they are, so what people changed later is newer than all of them.

    Raises:
        UsageError: see `parse_as_of`; or nothing is asked for and the inputs have no such time.
    """
    if text is not None:
        return parse_as_of(text, now_microseconds=now_microseconds)
    stamps = [one.stamp for one in inputs.inputs if one.stamp is not None]
    if inputs.has_standard_input or not stamps:
        raise UsageError("--as-of: needed with standard input, which has no modification time")
    oldest = min(stamp.modified_ns for stamp in stamps) // 1_000
    if not 0 < oldest <= now_microseconds:
        moment = datetime.fromtimestamp(oldest / 1e6, UTC).isoformat()
        raise UsageError(f"--as-of: needed, as the oldest input was modified at {moment}")
    return oldest


def parse_as_of(text: str, *, now_microseconds: int) -> int:
    """Return the load's timestamp in microseconds since 1970; a date-time without zone is UTC.

    Raises:
        UsageError: it is no time, or one in the future.
    """
    try:
        if text.strip().isdecimal():
            microseconds = int(text)
        else:
            moment = datetime.fromisoformat(text)
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            microseconds = round(aware.timestamp() * 1_000_000)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"--as-of {text!r}: neither microseconds nor an ISO date-time") from error
    if microseconds > now_microseconds:
        raise UsageError(f"--as-of {text!r}: lies in the future; its rows could not be changed")
    if microseconds < 1:
        raise UsageError(f"--as-of {text!r}: lies before 1970")
    return microseconds


def _fail(message: str, status: ExitStatus) -> int:
    sys.stderr.write(f"catalog-etl load: {message}\n")
    return status
