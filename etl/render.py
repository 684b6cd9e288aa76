"""Rows as they are stored, streamed out of DuckDB slice by slice."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

import duckdb

from etl.stages import Stages

BATCH_ROWS: Final = 64
_SLICE_STAGES: Final = ("denormalise_product", "denormalise_styles", "denormalise_related")
_FETCHED_ROWS: Final = 1_024


class RenderedRow(NamedTuple):
    """One product's bodies, in the order of the statement that writes them."""

    product_id: int
    product: bytes
    product_etag: str
    related: bytes
    related_etag: str
    source_rows: bytes
    styles: bytes
    styles_etag: str
    list_row: bytes


def count_products(stages: Stages) -> int:
    """Return how many products will be rendered."""
    row = stages.database.execute("SELECT coalesce(sum(products), 0) FROM slices").fetchone()
    return int(row[0]) if row else 0


async def rendered_batches(stages: Stages) -> AsyncIterator[list[RenderedRow]]:
    """Yield all products in batches of at most `BATCH_ROWS`, ids ascending by slice.

    Rendering runs in a thread. Memory holds one slice's tables on DuckDB's side and
    `_FETCHED_ROWS` rows here.
    """
    slices = stages.database.execute("SELECT low, high FROM slices ORDER BY low").fetchall()
    for low, high in slices:
        cursor = await asyncio.to_thread(_render_slice, stages, low, high)
        while rows := await asyncio.to_thread(cursor.fetchmany, _FETCHED_ROWS):
            for start in range(0, len(rows), BATCH_ROWS):
                yield [RenderedRow(*row) for row in rows[start : start + BATCH_ROWS]]


def _render_slice(stages: Stages, low: int, high: int) -> duckdb.DuckDBPyConnection:
    for stage in _SLICE_STAGES:
        stages.run(stage, low=low, high=high)
    return stages.run("rendered")
