"""What a load leaves beside the tables: the files that were asked for, checked early, written late.

They are checked before the long part, because after it is too late to learn of a typing error, and
the report is written however the load ended.
"""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

from etl.errors import UsageError
from etl.exit_status import ExitStatus
from etl.page import render_page
from etl.record import LoadRecord
from etl.rejects import rejects_files
from etl.report import build_report, encode_report, write_whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name files to write."""
    parser.add_argument(
        "--rejects",
        metavar="STEM",
        type=Path,
        help="refused rows with place, reason and bytes, as STEM.csv and STEM.parquet; a folder:"
        " files named by the time in it (default: such files here, if a row is refused)",
    )
    parser.add_argument(
        "--report", metavar="FILE", type=Path, help="also write all that is known as JSON"
    )
    parser.add_argument(
        "--html", metavar="FILE", type=Path, help="also write the report as a page with plots"
    )


def check_outputs(given: argparse.Namespace) -> None:
    """Refuse files that could not be written.

    Raises:
        UsageError: one of them; the message names it.
    """
    rejects = rejects_files(given.rejects) if given.rejects is not None else ()
    asked: Iterable[Path | None] = (*rejects, given.report, given.html)
    for file in asked:
        if file is None:
            continue
        wrong = file.is_dir() or not os.access(file.absolute().parent, os.W_OK)
        if wrong or (file.exists() and not os.access(file, os.W_OK)):
            raise UsageError(f"{file}: cannot be written")


def write_outputs(
    given: argparse.Namespace, record: LoadRecord, exit_status: ExitStatus, error: str
) -> None:
    """Write the report and the page, as far as they were asked for.

    Raises:
        OSError: one of them cannot be written.
    """
    if given.report is None and given.html is None:
        return
    report = build_report(record, exit_status=exit_status, error=error)
    if given.report is not None:
        write_whole(given.report, encode_report(report))
    if given.html is not None:
        write_whole(given.html, render_page(report))
