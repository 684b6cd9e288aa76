"""`catalog-find`: keeps what searches read true to products that came in by bulk loads.

Exit codes: 0 done, 2 settings or arguments that cannot be used, 4 the ring failed, 5 interrupted.
Whatever ended it, running it again goes on where it was.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Final

from catalog_api.logs import log_to_stderr
from catalog_api.repositories.find_entries import FindEntriesRepository
from catalog_api.repositories.find_rebuilds import FindRebuildsRepository
from catalog_api.repositories.product_rows import ProductRowsRepository
from catalog_api.repositories.product_scan import ProductScan
from catalog_api.services.find_rebuild import FindRebuild, Progress
from catalog_api.services.find_view import FindView
from ring import RingClient, RingSettings
from ring.errors import RingError, RingSettingsError
from schema.statements import API_STATEMENTS

_READY_SECONDS: Final = 30.0
_STATEMENT_SECONDS: Final = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    given = _parser().parse_args(arguments)
    log_to_stderr()
    try:
        settings = RingSettings.from_environ(os.environ)
        progress = asyncio.run(_rebuild(settings, given.products_per_second))
    except RingSettingsError as error:
        print(f"catalog-find: {error}", file=sys.stderr)
        return 2
    except RingError as error:
        print(f"catalog-find: {error}; run it again to go on", file=sys.stderr)
        return 4
    except KeyboardInterrupt:
        print("catalog-find: interrupted; run it again to go on", file=sys.stderr)
        return 5
    print(
        f"{progress.seen:,} products, {progress.placed:,} of them placed anew;"
        f" {progress.products_per_second:,.0f} products/s"
    )
    return 0


async def _rebuild(settings: RingSettings, products_per_second: int) -> Progress:
    ring = await RingClient.open(settings, API_STATEMENTS)
    try:
        await ring.wait_ready(_READY_SECONDS)
        entries = FindEntriesRepository(ring, timeout_seconds=_STATEMENT_SECONDS)
        return await FindRebuild(
            ProductScan(ring, timeout_seconds=_STATEMENT_SECONDS),
            entries,
            FindView(entries),
            ProductRowsRepository(ring, timeout_seconds=_STATEMENT_SECONDS),
            FindRebuildsRepository(ring, timeout_seconds=_STATEMENT_SECONDS),
            products_per_second=products_per_second,
        ).run(_report)
    finally:
        await ring.aclose()


def _report(progress: Progress) -> None:
    print(
        f"{progress.share:6.1%}  {progress.seen:,} products, {progress.products_per_second:,.0f}/s",
        file=sys.stderr,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="catalog-find",
        description="Place all products in the orders that searches read. Safe beside a live shop;"
        " one that was stopped goes on where it was.",
    )
    parser.add_argument("command", choices=["rebuild"])
    parser.add_argument(
        "--products-per-second", type=int, default=0, help="at the most; 0: no limit"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
