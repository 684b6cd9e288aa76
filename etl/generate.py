"""`catalog-etl generate DIR`: a legacy-shaped set of any size, and a manifest of what is in it."""

import argparse
import errno
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from etl.exit_status import ExitStatus
from etl.generation.catalog import Generator, Request
from etl.generation.errors import GenerateError, GenerateSpaceError, GenerateUsageError
from etl.generation.staging import open_staging, publish

BYTES_PER_PRODUCT: Final = 6_000
"""What a product and its children take in the files (`etl/GENERATE.md` says how it was found)."""

MAX_PRODUCTS: Final = 100_000_000
"""Above it the ids of characteristic reviews would reach those that orphans name."""
MAX_DIRTY: Final = 0.5
MAX_GAPS: Final = 0.5
PROGRESS_SECONDS: Final = 10.0

_DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `generate` to the commands of `catalog-etl`; `run` is its `run` default."""
    parser = subparsers.add_parser(
        "generate",
        help="make a legacy-shaped set of CSV files and a manifest of what is wrong with them",
        description=__doc__,
    )
    add_arguments(parser)
    parser.set_defaults(run=run)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `generate`."""
    parser.add_argument("directory", metavar="DIR", type=Path, help="where the files go")
    parser.add_argument(
        "--products", metavar="N", type=int, default=1000, help="how many products (%(default)s)"
    )
    parser.add_argument(
        "--seed", metavar="S", type=int, default=1, help="another seed, another set (%(default)s)"
    )
    parser.add_argument(
        "--dirty",
        metavar="RATE",
        type=float,
        default=0.0,
        help=f"the share of rows that are made dirty, 0 to {MAX_DIRTY} (%(default)s)",
    )
    parser.add_argument(
        "--gaps",
        metavar="RATE",
        type=float,
        default=0.015,
        help=f"the share of ids above 1,000 that are missing, 0 to {MAX_GAPS} (%(default)s)",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace a set that stands in DIR already"
    )


def run(args: argparse.Namespace) -> int:
    """Make the set and return the exit status; what went wrong stands on standard error."""
    try:
        with _terminated_like_interrupted():
            make_set(args.directory, _request(args), force=args.force)
    except GenerateUsageError as error:
        return _failed(error, ExitStatus.USAGE)
    except GenerateError as error:
        return _failed(error, ExitStatus.FATAL)
    except KeyboardInterrupt:
        sys.stderr.write("\ngenerate: interrupted, nothing was kept\n")
        return ExitStatus.INTERRUPTED
    return ExitStatus.CLEAN


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM clean up as Ctrl-C does; only the main thread may say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _failed(error: GenerateError, status: ExitStatus) -> int:
    sys.stderr.write(f"generate: {error}\n")
    return status


def _request(args: argparse.Namespace) -> Request:
    """Return what the arguments ask for.

    Raises:
        GenerateUsageError: a number is out of its range.
    """
    if not 1 <= args.products <= MAX_PRODUCTS:
        raise GenerateUsageError(f"--products is 1 to {MAX_PRODUCTS:,}, not {args.products}")
    if not 0 <= args.seed < 2**63:
        raise GenerateUsageError(f"--seed is a whole number from 0 to 2^63-1, not {args.seed}")
    if not 0 <= args.dirty <= MAX_DIRTY:
        raise GenerateUsageError(f"--dirty is 0 to {MAX_DIRTY}, not {args.dirty}")
    if not 0 <= args.gaps <= MAX_GAPS:
        raise GenerateUsageError(f"--gaps is 0 to {MAX_GAPS}, not {args.gaps}")
    return Request(
        products=args.products,
        seed=args.seed,
        # The smallest rate above 0 still plants one row of each kind.
        plants_per_million=max(1, round(args.dirty * 1_000_000)) if args.dirty else 0,
        gap_every=round(1 / args.gaps) if args.gaps else 0,
    )


def make_set(
    directory: Path, request: Request, *, force: bool = False, threads: int | None = None
) -> None:
    """Make the set in `directory`: every file and the manifest, or nothing.

    Raises:
        GenerateUsageError: the directory is taken.
        GenerateSpaceError: the disk is full, or too small for the set.
        GenerateError: the files cannot be written.
        KeyboardInterrupt: a signal came.
    """
    started_seconds = time.monotonic()
    try:
        with open_staging(directory, force=force) as staging:
            _require_space(staging, request)
            with Generator(request, staging, threads=threads) as generator:
                files = generator.write_files(_ProgressLine(request.products))
                manifest = generator.manifest(files)
            publish(staging, directory, json.dumps(manifest, indent=1).encode() + b"\n")
    except OSError as error:
        raise _write_error(error.errno, str(error)) from error
    except duckdb.IOException as error:
        told = [number for number in _DISK_FULL if os.strerror(number) in str(error)]
        raise _write_error(told[0] if told else None, str(error)) from error
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        raise GenerateError(f"the database that makes the rows failed ({error})") from error
    except RuntimeError as error:
        # DuckDB's Python client reports a signal that came during a query by this message alone.
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise
    _print_result(directory, manifest["files"], time.monotonic() - started_seconds)


def _write_error(number: int | None, message: str) -> GenerateError:
    if number in _DISK_FULL:
        return GenerateSpaceError(f"the disk is full, nothing was kept ({message})")
    return GenerateError(f"the files cannot be written ({message})")


def _require_space(staging: Path, request: Request) -> None:
    needed_bytes = request.products * BYTES_PER_PRODUCT
    free_bytes = shutil.disk_usage(staging).free
    if needed_bytes > free_bytes:
        raise GenerateSpaceError(
            f"{request.products:,} products take about {needed_bytes / 1e9:,.1f} GB, but only"
            f" {free_bytes / 1e9:,.1f} GB are free in {staging.parent}; make fewer, or elsewhere"
        )


class _ProgressLine:
    """Says on standard error how far it is: in place on a terminal, else a line now and then."""

    def __init__(self, products: int) -> None:
        self._products = products
        self._started_seconds = self._said_seconds = time.monotonic()

    def __call__(self, products: int, rows: int) -> None:
        now_seconds = time.monotonic()
        in_place = sys.stderr.isatty()
        if not in_place and now_seconds - self._said_seconds < PROGRESS_SECONDS:
            return
        self._said_seconds = now_seconds
        elapsed_seconds = max(now_seconds - self._started_seconds, 1e-9)
        left_seconds = int(elapsed_seconds / products * (self._products - products))
        end = "\r" if in_place and products < self._products else "\n"
        sys.stderr.write(
            f"generate: {products:,} of {self._products:,} products, {rows:,} rows,"
            f" {rows / elapsed_seconds:,.0f} rows/s,"
            f" {left_seconds // 60}:{left_seconds % 60:02} left{end}"
        )
        sys.stderr.flush()


def _print_result(
    directory: Path, files: dict[str, dict[str, int]], elapsed_seconds: float
) -> None:
    rows = sum(file["rows"] for file in files.values())
    lines = [f"{'file':<28}{'rows':>13}{'loaded':>13}{'rejected':>11}{'bytes':>16}"]
    lines += [
        f"{name:<28}{file['rows']:>13,}{file['loaded']:>13,}"
        f"{file['rows'] - file['loaded']:>11,}{file['bytes']:>16,}"
        for name, file in files.items()
    ]
    lines.append(
        f"{rows:,} rows in {elapsed_seconds:.1f} s ({rows / elapsed_seconds:,.0f} rows/s)"
        f" in {directory}; what they hold is told by {directory / 'manifest.json'}"
    )
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> int:
    """Run `generate` by itself."""
    parser = argparse.ArgumentParser(prog="catalog-etl generate", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
