"""What makes products appear in lists: the bitmaps of their blocks, and the directory.

Written after the rows. A load that dies before leaves rows that are served by id and not yet
listed; running it again lists them.
"""

from collections import defaultdict
from collections.abc import Mapping

from etl.writers.patient import PatientRing, derived_microseconds, one_by_one
from schema.documents import (
    SEGMENT_BLOCKS,
    block_of,
    count_live_ids,
    drop_live_ids,
    merge_live_ids,
    pack_segment,
    segment_of,
)
from schema.statements.load import (
    SELECT_LIVE_IDS_FOR_LOAD,
    SELECT_SEGMENT_FOR_LOAD,
    SELECT_STORED_PRODUCT,
    WRITE_LIVE_IDS,
    WRITE_SEGMENT,
)


async def list_products(
    ring: PatientRing, written: Mapping[int, bytes], deleted: frozenset[int]
) -> None:
    """Merge what a load wrote into the bitmaps of the blocks, and count them in the directory.

    Args:
        ring: where.
        written: bitmaps of the products that were written, by block.
        deleted: products that were deleted when the load began. Whether they live again is read
            back, because a deletion later than the load's as-of outlives it.

    Raises:
        WriteError: a statement was refused, or no node took it in `load_give_up_seconds`.
    """
    await _write_directory(ring, await _write_live_ids(ring, written, deleted))


async def _write_live_ids(
    ring: PatientRing, written: Mapping[int, bytes], deleted: frozenset[int]
) -> dict[int, bytes]:
    still_deleted: dict[int, list[int]] = defaultdict(list)
    for product_id in deleted:
        if block_of(product_id) in written:
            row = await ring.execute(SELECT_STORED_PRODUCT.name, (product_id,))
            if row and not row[0][0]:
                still_deleted[block_of(product_id)].append(product_id)
    bitmaps: dict[int, bytes] = {}

    async def merge(block: int) -> None:
        stored = await fetch_live_ids(ring, block)
        live_ids = drop_live_ids(still_deleted[block], base=merge_live_ids(stored, written[block]))
        bitmaps[block] = live_ids
        if live_ids != stored:
            await ring.write_row(WRITE_LIVE_IDS.name, (block, live_ids, derived_microseconds()))

    await ring.for_each(one_by_one(sorted(written)), merge)
    return bitmaps


async def _write_directory(ring: PatientRing, bitmaps: dict[int, bytes]) -> None:
    segments: dict[int, dict[int, int]] = defaultdict(dict)
    for block, live_ids in bitmaps.items():
        segments[segment_of(block)][block] = count_live_ids(live_ids)

    for segment, live_rows in sorted(segments.items()):
        # A segment that was never written has no other block with products.
        if await ring.execute(SELECT_SEGMENT_FOR_LOAD.name, (segment,)):
            await _count_others(ring, segment, live_rows)
        await ring.write_row(
            WRITE_SEGMENT.name, (segment, pack_segment(live_rows), derived_microseconds())
        )


async def _count_others(ring: PatientRing, segment: int, live_rows: dict[int, int]) -> None:
    first = segment * SEGMENT_BLOCKS
    others = [block for block in range(first, first + SEGMENT_BLOCKS) if block not in live_rows]

    async def count(block: int) -> None:
        live_rows[block] = count_live_ids(await fetch_live_ids(ring, block))

    await ring.for_each(one_by_one(others), count)


async def fetch_live_ids(ring: PatientRing, block: int) -> bytes:
    """Return the bitmap of a block, empty when none was written. Consistency: LOCAL_QUORUM.

    Raises:
        WriteError: no node answered in `load_give_up_seconds`.
    """
    rows = await ring.execute(SELECT_LIVE_IDS_FOR_LOAD.name, (block,))
    return (rows[0][0] or b"") if rows else b""
