"""`catalog-etl verify`: compare what the tables hold with the files."""

import argparse
import asyncio
import dataclasses
import os
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import duckdb
import orjson
import uvloop

from etl.comparison import TableComparison, compare, missing_from_lists, verify_statements
from etl.datasets import FAMILIES, PRODUCTS
from etl.errors import LoadError, UsageError
from etl.exit_status import ExitStatus
from etl.inputs import Inputs, find_inputs
from etl.load import choose_as_of
from etl.niceness import nice
from etl.preparation import open_ring, prepare
from etl.progress import Progress
from etl.settings import EtlSettings
from etl.work_directory import open_scratch
from etl.writers.patient import PatientRing
from ring import RingError, RingSettings, RingSettingsError
from schema.statements import LOAD_STATEMENTS

_SAMPLE_ROWS: Final = 1_000
_DESCRIPTION: Final = """\
Read legacy files as a load would, and compare what should stand in the tables with what does: how
many rows each table holds, the contents of a sample of them or of all, and whether every product is
in the lists. Nothing is written. Rows that were changed after the data was exported are counted
apart and are no fault.
"""
_EPILOG: Final = """\
exit codes: 0 all is as the files say; 1 something is missing or differs; 2 wrong usage; 4 a file,
the disk or Cassandra failed; 5 interrupted.
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found.

    Attributes:
        unlisted_blocks: blocks of products whose bitmap lacks one that the files have.
    """

    tables: Sequence[TableComparison]
    unlisted_blocks: Sequence[int]

    @property
    def is_well(self) -> bool:
        """Whether everything is as the files say."""
        return not self.unlisted_blocks and all(table.is_well for table in self.tables)

    def text(self) -> str:
        """Return the verdict as a person reads it."""
        columns = ("of the files", "stored", "compared", "missing", "different", "changed since")
        lines = [f"{'table':<26}" + "".join(f"{name:>14}" for name in columns)]
        for one in self.tables:
            figures = (
                one.expected,
                one.stored,
                one.compared,
                one.missing,
                one.different,
                one.changed_since,
            )
            lines.append(f"{one.table:<26}" + "".join(f"{figure:>14,}" for figure in figures))
            if one.examples:
                lines.append(f"    wrong: {'; '.join(one.examples)}")
        if self.unlisted_blocks:
            shown = ", ".join(map(str, self.unlisted_blocks[:10]))
            lines.append(f"{len(self.unlisted_blocks):,} blocks lack products in lists: {shown}")
        lines.append(
            "the tables hold what the files say" if self.is_well else "NOT as the files say"
        )
        return "\n".join(lines)


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `verify` command."""
    parser = subparsers.add_parser(
        "verify",
        help="compare what the tables hold with the files",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "inputs", metavar="INPUT", nargs="+", help="as `catalog-etl load` takes them"
    )
    parser.add_argument("--as-of", metavar="TIME", help="the load's, if it was given one")
    parser.add_argument(
        "--sample",
        metavar="N",
        type=_rows,
        default=_SAMPLE_ROWS,
        help="compare about N rows of each table (%(default)s)",
    )
    parser.add_argument("--all", action="store_true", help="compare every row")
    parser.add_argument(
        "--report", metavar="FILE", type=Path, help="also write the verdict as JSON"
    )
    parser.set_defaults(run=run)


def _rows(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError("at least 1")
    return int(text)


def run(given: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    try:
        inputs = find_inputs(given.inputs)
        as_of = choose_as_of(given.as_of, inputs, now_microseconds=time.time_ns() // 1_000)
        settings = EtlSettings.from_environ(os.environ)
        ring_settings = RingSettings.from_environ(os.environ)
        with nice(settings.load_niceness), Progress() as progress:
            verdict = uvloop.run(
                verify(
                    inputs,
                    as_of,
                    settings,
                    ring_settings,
                    progress,
                    sample_rows=None if given.all else given.sample,
                )
            )
        if given.report is not None:
            given.report.write_bytes(
                orjson.dumps(dataclasses.asdict(verdict), option=orjson.OPT_INDENT_2)
            )
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _fail("interrupted", ExitStatus.INTERRUPTED)
    except (UsageError, RingSettingsError) as error:
        return _fail(str(error), ExitStatus.USAGE)
    except (LoadError, RingError, OSError, duckdb.Error) as error:
        return _fail(str(error), ExitStatus.FATAL)
    sys.stdout.write(verdict.text() + "\n")
    return ExitStatus.CLEAN if verdict.is_well else ExitStatus.REJECTS


async def verify(
    inputs: Inputs,
    as_of_microseconds: int,
    settings: EtlSettings,
    ring_settings: RingSettings,
    progress: Progress,
    *,
    sample_rows: int | None,
) -> Verdict:
    """Compare the tables with the files. Consistency: LOCAL_QUORUM.

    Raises:
        LoadError: a file cannot be read, or no node answers for long.
        RingError: the ring was not ready.
        OSError: a file of our own cannot be written (disk full).
        duckdb.Error: the database failed (disk full, memory limit too low).
    """
    statements = (*LOAD_STATEMENTS, *verify_statements(FAMILIES))
    async with AsyncExitStack() as stack:
        work = stack.enter_context(open_scratch(settings))
        client = await stack.enter_async_context(open_ring(ring_settings, settings, statements))
        prepared = await stack.enter_async_context(
            prepare(work, inputs, as_of_microseconds, settings, progress, client)
        )
        await asyncio.to_thread(prepared.cut, settings, progress)
        ring = PatientRing(client, settings)
        tables = await compare(
            prepared,
            ring,
            progress,
            as_of_microseconds=as_of_microseconds,
            sample_rows=sample_rows,
        )
        unlisted = await missing_from_lists(prepared, ring) if PRODUCTS in prepared.families else []
        return Verdict(tables, unlisted)


def _fail(message: str, status: ExitStatus) -> int:
    sys.stderr.write(f"catalog-etl verify: {message}\n")
    return status
