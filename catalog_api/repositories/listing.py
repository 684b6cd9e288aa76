"""What pages of all products are made of: rows by block, bitmaps of live ids, counts of blocks.

Consistency: LOCAL_QUORUM; bitmaps and counts are changed by lightweight transactions.
"""

from collections.abc import Iterable

from catalog_api.repositories.repository import Repository
from schema.documents import (
    NO_LIVE_IDS,
    SEGMENT_BLOCKS,
    block_of,
    count_live_ids,
    drop_live_ids,
    pack_live_ids,
    pack_segment,
    unpack_segment,
)
from schema.statements.changes import (
    CHANGE_LIVE_IDS,
    CHANGE_SEGMENT,
    SELECT_CURRENT_LIVE_IDS,
    SELECT_CURRENT_SEGMENT,
    SELECT_LISTED_PRODUCTS,
    WRITE_LISTED_PRODUCT,
)


class ListingRepository(Repository):
    """Writes rows of lists, and makes bitmaps and counts follow what they are derived from."""

    async def write_row(self, product_id: int, list_row: bytes, written_at: int) -> None:
        """Store a product as lists show it; empty for a deleted one. Idempotent.

        Args:
            product_id: whose.
            list_row: its JSON object.
            written_at: of the product's own row, in microseconds; newer rows stay.

        Raises:
            RingError: it may or may not be stored.
        """
        values = (block_of(product_id), product_id, list_row, written_at)
        await self._execute(WRITE_LISTED_PRODUCT, values)

    async def mark(self, block: int, product_ids: Iterable[int]) -> bool:
        """Make the bitmap of a block agree with the rows of these products.

        Returns:
            Whether it does now; not when somebody else changed it meanwhile.

        Raises:
            RingError: it is unknown whether the bitmap was changed.
        """
        rows = await self._execute(SELECT_LISTED_PRODUCTS, (block, sorted(product_ids)))
        if not rows:
            return True
        known: bytes | None = rows[0][0]
        marked = pack_live_ids((row[1] for row in rows if row[2]), base=known or NO_LIVE_IDS)
        marked = drop_live_ids((row[1] for row in rows if not row[2]), base=marked)
        if marked == known:
            return True
        changed = await self._execute(CHANGE_LIVE_IDS, (marked, block, known))
        return bool(changed[0][0])

    async def count(self, segment: int, blocks: Iterable[int]) -> bool:
        """Make the counts of blocks of one segment agree with their bitmaps.

        Returns:
            Whether they do now; not when they were changed, by us or by others: a bitmap may have
            changed since it was counted, so ask again.

        Raises:
            RingError: it is unknown whether the counts were changed.
        """
        rows = await self._execute(SELECT_CURRENT_SEGMENT, (segment,))
        known: bytes | None = rows[0][0] if rows else None
        # After the counts, so that a transaction on them fails if it knows older bitmaps.
        counts = list(unpack_segment(known)) if known else [0] * SEGMENT_BLOCKS
        before = list(counts)
        for block in blocks:
            found = await self._execute(SELECT_CURRENT_LIVE_IDS, (block,))
            live_ids = (found[0][0] or b"") if found else b""
            counts[block % SEGMENT_BLOCKS] = count_live_ids(live_ids)
        if counts == before:
            return True
        packed = pack_segment(dict(enumerate(counts)))
        await self._execute(CHANGE_SEGMENT, (packed, segment, known))
        return False
