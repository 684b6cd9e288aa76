"""What the tables hold already, as rows of the CSV files again, so that a load can merge with it.

A scan of the whole table, even for a small load: a child row that the files bring anew may be
stored under a product that they do not name, and must not be served twice. An empty table costs one
page.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from etl.stages import Stages, sql_text
from ring import RingClient
from schema.statements import SELECT_ALL_STORED_PRODUCTS

_PAGE_ROWS: Final = 1_000
_BATCH_BYTES: Final = 64 * 2**20
"""Stored bodies that become rows in one go."""


@dataclass(frozen=True, slots=True)
class Existing:
    """What a scan found.

    Attributes:
        products: how many products live.
        deleted: ids of products that were deleted, whose rows remain with empty bodies.
    """

    products: int
    deleted: frozenset[int]


async def fetch_existing(
    ring: RingClient, stages: Stages, scratch: Path, *, timeout_seconds: float
) -> Existing:
    """Fill the `stored_…` tables with what this load touches; `stored_ids` with all live ids.

    Consistency: LOCAL_QUORUM, so that what an earlier load reported as written is seen.

    Raises:
        RingError: the scan failed; nothing has been written.
    """
    await asyncio.to_thread(stages.run, "existing_names")
    products = 0
    deleted: set[int] = set()
    batch: list[bytes] = []
    batch_bytes = 0
    pages = ring.pages(
        SELECT_ALL_STORED_PRODUCTS.name, page_rows=_PAGE_ROWS, timeout_seconds=timeout_seconds
    )
    async for page in pages:
        deleted.update(row[0] for row in page if not row[1])
        lines = list(_json_lines(page))
        products += len(lines)
        batch += lines
        batch_bytes += sum(map(len, lines))
        if batch_bytes >= _BATCH_BYTES:
            await asyncio.to_thread(_take_in, stages, scratch, batch)
            batch, batch_bytes = [], 0
    if batch:
        await asyncio.to_thread(_take_in, stages, scratch, batch)
    return Existing(products, frozenset(deleted))


def _json_lines(page: Iterable[tuple[Any, ...]]) -> Iterator[bytes]:
    """One JSON object a live product; the bodies are JSON already and are not decoded here."""
    for _product_id, product, styles, related, source_rows in page:
        if product:
            yield b'{"product":%b,"styles":%b,"related":%b,"source_rows":%b}\n' % (
                product,
                styles or b'{"results":[]}',
                related or b"[]",
                source_rows or b"{}",
            )


def _take_in(stages: Stages, scratch: Path, lines: list[bytes]) -> None:
    path = scratch / "existing.ndjson"
    path.write_bytes(b"".join(lines))
    stages.run("existing_page", path=sql_text(str(path)))
    path.unlink()
