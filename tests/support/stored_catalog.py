"""Writes products as the load would leave them, for tests that read."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ring import RingClient, RingSettings
from schema.documents import (
    Product,
    SourceRows,
    Style,
    block_of,
    etag_of,
    pack_live_ids,
    pack_segment,
    render_list_row,
    render_product,
    render_related,
    render_source_rows,
    render_styles,
    segment_of,
)
from schema.statements import LOAD_STATEMENTS
from schema.statements.load import (
    WRITE_BLOCK_ROW,
    WRITE_LIVE_IDS,
    WRITE_PRODUCT,
    WRITE_SEGMENT,
)

READY_SECONDS = 30.0
# Parallel enough to be quick, few enough for any queue in front of the nodes.
_PARALLEL_WRITES = 64


@dataclass(frozen=True, slots=True)
class CatalogProduct:
    """A product with everything that is read by its id."""

    product: Product
    styles: Sequence[Style] = ()
    related: Sequence[int] = ()


def plain_product(product_id: int, **changes: Any) -> Product:
    """Return a product whose texts tell its id; `changes` are fields with other values."""
    product = Product(
        product_id,
        name=f"name {product_id}",
        slogan=f"slogan {product_id}",
        description=f"description {product_id}",
        category=f"category {product_id}",
        default_price_cents=14000,
    )
    return replace(product, **changes)


async def write_catalog(settings: RingSettings, catalog: Iterable[CatalogProduct]) -> None:
    """Write products, their blocks and the directory; the whole catalog in one call."""
    writer = await RingClient.open(settings, LOAD_STATEMENTS)
    try:
        await writer.wait_ready(READY_SECONDS)
        await _write(writer, list(catalog))
    finally:
        await writer.aclose()


async def _write(writer: RingClient, catalog: list[CatalogProduct]) -> None:
    written_at = time.time_ns() // 1000
    gate = asyncio.Semaphore(_PARALLEL_WRITES)

    async def write(name: str, *values: object) -> None:
        async with gate:
            await writer.execute(name, (*values, written_at))

    ids_by_block: defaultdict[int, list[int]] = defaultdict(list)
    async with asyncio.TaskGroup() as writes:
        for entry in catalog:
            product_id = entry.product.product_id
            ids_by_block[block_of(product_id)].append(product_id)
            writes.create_task(write(WRITE_PRODUCT.name, *_product_row(entry)))
            row = render_list_row(entry.product)
            block = block_of(product_id)
            writes.create_task(write(WRITE_BLOCK_ROW.name, block, product_id, row))
    counts_by_segment: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for block, ids in ids_by_block.items():
        counts_by_segment[segment_of(block)][block] = len(ids)
        await write(WRITE_LIVE_IDS.name, block, pack_live_ids(ids))
    for segment, counts in counts_by_segment.items():
        await write(WRITE_SEGMENT.name, segment, pack_segment(counts))


def _product_row(entry: CatalogProduct) -> tuple[object, ...]:
    product = render_product(entry.product)
    related = render_related(entry.related)
    styles = render_styles(entry.product.product_id, entry.styles)
    sources = render_source_rows(SourceRows())
    return (
        entry.product.product_id,
        product,
        etag_of(product),
        related,
        etag_of(related),
        sources,
        styles,
        etag_of(styles),
    )
