"""What makes products appear in lists: the bitmaps of their blocks, and the directory.

Written after the rows. A load that dies before leaves rows that are served by id and not yet
listed; running it again lists them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from etl.writers.patient import PatientRing, one_by_one
from schema.documents import (
    SEGMENT_BLOCKS,
    block_of,
    count_live_ids,
    drop_live_ids,
    merge_live_ids,
    pack_segment,
    segment_of,
)
from schema.statements.changes import CHANGE_LIVE_IDS, CHANGE_SEGMENT
from schema.statements.load import (
    SELECT_LIVE_IDS_FOR_LOAD,
    SELECT_SEGMENT_FOR_LOAD,
    SELECT_STORED_PRODUCT,
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
    still_deleted = await _find_deleted(ring, written, deleted)
    blocks_by_segment: dict[int, list[int]] = defaultdict(list)
    for block in sorted(written):
        blocks_by_segment[segment_of(block)].append(block)
    for segment, blocks in sorted(blocks_by_segment.items()):
        await _write_live_ids(
            ring, segment, {block: written[block] for block in blocks}, still_deleted
        )
        await _count_segment(ring, segment, blocks)


async def _find_deleted(
    ring: PatientRing, written: Mapping[int, bytes], deleted: frozenset[int]
) -> dict[int, list[int]]:
    """Return, by block, the products that did not come back to life."""
    still_deleted: dict[int, list[int]] = defaultdict(list)
    for product_id in deleted:
        if block_of(product_id) in written:
            row = await ring.execute(SELECT_STORED_PRODUCT.name, (product_id,))
            if row and not row[0][0]:
                still_deleted[block_of(product_id)].append(product_id)
    return still_deleted


async def _write_live_ids(
    ring: PatientRing,
    segment: int,
    written: Mapping[int, bytes],
    still_deleted: Mapping[int, list[int]],
) -> None:
    # Where nothing was ever listed, the transaction itself is the first to look.
    is_new = await _fetch_segment(ring, segment) is None

    async def merge(block: int) -> None:
        # By transactions, as the API's own changes of the same bitmap: neither may undo the other.
        stored = None if is_new else await _fetch_stored(ring, block)
        while True:
            merged = merge_live_ids(stored or b"", written[block])
            live_ids = drop_live_ids(still_deleted.get(block, ()), base=merged)
            if live_ids == stored:
                return
            if (await ring.execute(CHANGE_LIVE_IDS.name, (live_ids, block, stored)))[0][0]:
                return
            stored = await _fetch_stored(ring, block)

    await ring.for_each(one_by_one(sorted(written)), merge)


async def _count_segment(ring: PatientRing, segment: int, written: Sequence[int]) -> None:
    first = segment * SEGMENT_BLOCKS
    while True:
        stored = await _fetch_segment(ring, segment)
        # Counted after this, so that whoever changes a bitmap meanwhile makes the transaction fail.
        # A segment that was never written has no other block with products.
        blocks = written if stored is None else range(first, first + SEGMENT_BLOCKS)
        packed = pack_segment(await _count(ring, blocks))
        if packed == stored:
            return
        if (await ring.execute(CHANGE_SEGMENT.name, (packed, segment, stored)))[0][0]:
            return


async def _count(ring: PatientRing, blocks: Iterable[int]) -> dict[int, int]:
    live_rows: dict[int, int] = {}

    async def count(block: int) -> None:
        live_rows[block] = count_live_ids(await fetch_live_ids(ring, block))

    await ring.for_each(one_by_one(blocks), count)
    return live_rows


async def fetch_live_ids(ring: PatientRing, block: int) -> bytes:
    """Return the bitmap of a block, empty when none was written. Consistency: LOCAL_QUORUM.

    Raises:
        WriteError: no node answered in `load_give_up_seconds`.
    """
    return await _fetch_stored(ring, block) or b""


async def _fetch_stored(ring: PatientRing, block: int) -> bytes | None:
    rows = await ring.execute(SELECT_LIVE_IDS_FOR_LOAD.name, (block,))
    return rows[0][0] if rows else None


async def _fetch_segment(ring: PatientRing, segment: int) -> bytes | None:
    rows = await ring.execute(SELECT_SEGMENT_FOR_LOAD.name, (segment,))
    return rows[0][0] if rows else None
