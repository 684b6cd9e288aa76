"""What the tables hold already, as rows of the CSV files again, so that a load can merge with it.

Scans of whole tables, even for a small load: a child row that the files bring anew may be stored
under a product that they do not name, and must not be served twice. Only what the files touch is
kept. An empty table costs one page; a table that the files do not concern is not read.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from etl.datasets import CARTS, QUESTIONS, REVIEWS, Family
from etl.stages import Stages, sql_text
from ring import RingClient
from ring.statements import Statement
from schema.reviews import review_of_delta
from schema.statements.load import (
    SELECT_ALL_STORED_CARTS,
    SELECT_ALL_STORED_META,
    SELECT_ALL_STORED_PRODUCTS,
    SELECT_ALL_STORED_QUESTIONS,
    SELECT_ALL_STORED_REVIEWS,
)

EXISTING_STEP: Final = "existing"
_PAGE_ROWS: Final = 250
"""A page of bodies is work that a node does in one go, while it serves readers."""
_BATCH_BYTES: Final = 64 * 2**20
"""Stored bodies that become rows in one go."""

_Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Existing:
    """What the scans found.

    Attributes:
        products: how many products live.
        deleted: ids of products that were deleted, whose rows remain with empty bodies.
    """

    products: int
    deleted: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Scan:
    """One table: what is selected, the stage that takes a file of it, and a row as a line of it.

    The bodies are JSON already and are not decoded here. A row without a line is none any more.
    """

    select: Statement
    stage: str
    line: Callable[[_Row], bytes | None]


def _product_line(row: _Row) -> bytes | None:
    _product_id, product, styles, related, source_rows = row
    if not product:
        return None
    return b'{"product":%b,"styles":%b,"related":%b,"source_rows":%b}\n' % (
        product,
        styles or b'{"results":[]}',
        related or b"[]",
        source_rows or b"{}",
    )


def _meta_line(row: _Row) -> bytes | None:
    product_id, delta, totals = row
    if not totals:
        return None
    if delta:
        return b'{"product_id":%d,"review":%d}\n' % (product_id, review_of_delta(totals))
    return b'{"product_id":%d,"totals":%b}\n' % (product_id, totals)


def _review_line(row: _Row) -> bytes | None:
    product_id, section, review, reported, source = row
    if section or not review:
        return None
    return b'{"product_id":%d,"reported":%b,"review":%b,"source":%b}\n' % (
        product_id,
        b"true" if reported else b"false",
        review,
        source or b"{}",
    )


def _question_line(row: _Row) -> bytes | None:
    product_id, question_id, answer_id, body, photos, reported, source = row
    if not body:
        return None
    return (
        b'{"product_id":%d,"question_id":%d,"answer_id":%d,"reported":%b,"body":%b,"photos":%b,'
        b'"source":%b}\n'
        % (
            product_id,
            question_id,
            answer_id,
            b"true" if reported else b"false",
            body,
            photos or b"[]",
            source or b"{}",
        )
    )


def _cart_line(row: _Row) -> bytes | None:
    user_session, cart_id, active, product_id = row
    if not product_id:
        return None
    line = {
        "user_session": user_session,
        "cart_id": cart_id,
        "active": active,
        "product_id": product_id,
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


_PRODUCT_SCAN: Final = _Scan(SELECT_ALL_STORED_PRODUCTS, "existing_products", _product_line)
_SCANS: Final[dict[str, tuple[_Scan, ...]]] = {
    # Characteristics first: they tell of products whose reviews are wanted too.
    REVIEWS.name: (
        _Scan(SELECT_ALL_STORED_META, "existing_meta", _meta_line),
        _Scan(SELECT_ALL_STORED_REVIEWS, "existing_reviews", _review_line),
    ),
    QUESTIONS.name: (_Scan(SELECT_ALL_STORED_QUESTIONS, "existing_questions", _question_line),),
    CARTS.name: (_Scan(SELECT_ALL_STORED_CARTS, "existing_carts", _cart_line),),
}


async def fetch_existing(
    ring: RingClient,
    stages: Stages,
    scratch: Path,
    families: Sequence[Family],
    *,
    ledger: str,
    timeout_seconds: float,
) -> Existing:
    """Fill the `stored_…` tables with what this load touches; `stored_ids` with all live ids.

    Where an earlier run of this load has, its findings stand: what was written since is its own,
    because a load that finds another `ledger` (which loads there have been) begins anew.
    Consistency: LOCAL_QUORUM, so that what an earlier load reported as written is seen.

    Raises:
        RingError: a scan failed; nothing has been written.
    """
    if not stages.checkpoints.is_done(EXISTING_STEP):
        with stages.checkpoints.step(EXISTING_STEP, ledger):
            await _scan_all(ring, stages, scratch, families, timeout_seconds)
    return await asyncio.to_thread(_read_findings, stages)


async def _scan_all(
    ring: RingClient,
    stages: Stages,
    scratch: Path,
    families: Sequence[Family],
    timeout_seconds: float,
) -> None:
    await asyncio.to_thread(stages.run, "existing_names")
    scanner = _Scanner(ring, stages, scratch, timeout_seconds)
    for family in families:
        for scan in _SCANS.get(family.name, ()):
            await scanner.run(scan)
    await scanner.run(_PRODUCT_SCAN)
    await asyncio.to_thread(stages.run, "existing_places", deleted=sorted(scanner.deleted))


def _read_findings(stages: Stages) -> Existing:
    products = stages.database.execute("SELECT count(*) FROM stored_ids").fetchone()
    deleted = stages.database.execute("SELECT id FROM stored_deleted").fetchall()
    return Existing(products[0] if products else 0, frozenset(one for (one,) in deleted))


class _Scanner:
    """Reads tables page by page and hands them to their stages in files of some size."""

    def __init__(
        self, ring: RingClient, stages: Stages, scratch: Path, timeout_seconds: float
    ) -> None:
        self._ring = ring
        self._stages = stages
        self._scratch = scratch
        self._timeout_seconds = timeout_seconds
        self.deleted: set[int] = set()

    async def run(self, scan: _Scan) -> None:
        """Scan one table."""
        pages = self._ring.pages(
            scan.select.name, page_rows=_PAGE_ROWS, timeout_seconds=self._timeout_seconds
        )
        batch: list[bytes] = []
        batch_bytes = 0
        partition: object = None
        async for page in pages:
            for row in page:
                # A partition is never cut: a stage sees all rows of a product or none.
                if batch_bytes >= _BATCH_BYTES and row[0] != partition:
                    await asyncio.to_thread(self._take_in, scan, batch)
                    batch, batch_bytes = [], 0
                partition = row[0]
                line = scan.line(row)
                if line is not None:
                    batch.append(line)
                    batch_bytes += len(line)
                elif scan is _PRODUCT_SCAN:
                    self.deleted.add(row[0])
        if batch:
            await asyncio.to_thread(self._take_in, scan, batch)

    def _take_in(self, scan: _Scan, lines: list[bytes]) -> None:
        path = self._scratch / "existing.ndjson"
        path.write_bytes(b"".join(lines))
        self._stages.run(scan.stage, path=sql_text(str(path)))
        path.unlink()
