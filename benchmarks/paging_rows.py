"""Ten million products with gaps, as much of them as pages of /products need to be found and read.

The directory and every block's bitmap are written whole; rows only in the blocks that are read. All
is derived from the block's number, so what a page must hold can be worked out without a database.
"""

import asyncio
import random
import time
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Final

from ring import RingClient
from schema.documents import (
    BLOCK_IDS,
    SEGMENT_BLOCKS,
    Product,
    pack_live_ids,
    pack_segment,
    render_list_row,
)
from schema.statements.load import WRITE_BLOCK_ROW, WRITE_LIVE_IDS, WRITE_SEGMENT

SEED: Final = 77
FEWEST_LIVE: Final = 820
MOST_LIVE: Final = 995
# Every third block that is read has lost some rows since the load.
DELETED_PER_BLOCK: Final = 40
IN_FLIGHT: Final = 64
WRITE_TIMEOUT_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Catalog:
    """The ids of a catalog of exactly `rows` products (before deletions).

    Attributes:
        rows: live products that the load wrote.
        deleted: products of those that were deleted since, by block.
    """

    rows: int
    deleted: dict[int, frozenset[int]] = field(default_factory=dict)

    @cached_property
    def loaded_counts(self) -> list[int]:
        """Products that the load wrote, by block; the last block holds what is left over."""
        source = random.Random(SEED)  # noqa: S311 -- the same gaps on every run, no secrets
        counts: list[int] = []
        left = self.rows
        while left > 0:
            counts.append(min(left, source.randint(FEWEST_LIVE, MOST_LIVE)))
            left -= counts[-1]
        return counts

    def live_ids(self, block: int) -> list[int]:
        """Return the ids of a block that live now, ascending."""
        gone = self.deleted.get(block, frozenset())
        return [product_id for product_id in self.loaded_ids(block) if product_id not in gone]

    def loaded_ids(self, block: int) -> list[int]:
        """Return the ids of a block that the load wrote, ascending."""
        source = random.Random(SEED * 1_000_003 + block)  # noqa: S311 -- as above
        # There is no product 0.
        places = source.sample(range(int(block == 0), BLOCK_IDS), self.loaded_counts[block])
        return [block * BLOCK_IDS + place for place in sorted(places)]

    def live_count(self, block: int) -> int:
        """Return how many ids of a block live now."""
        return self.loaded_counts[block] - len(self.deleted.get(block, frozenset()))

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(self.live_count(block) for block in range(len(self.loaded_counts))))

    @property
    def live_rows(self) -> int:
        """Products that live now."""
        return self._ends[-1]

    def blocks_of(self, offset: int, count: int) -> list[int]:
        """Return the blocks that hold the rows from `offset` on."""
        first = bisect_right(self._ends, offset)
        last = bisect_right(self._ends, min(offset + count, self.live_rows) - 1)
        return list(range(first, last + 1))

    def page_ids(self, offset: int, count: int) -> list[int]:
        """Return the ids that a page must hold."""
        ids: list[int] = []
        blocks = self.blocks_of(offset, count)
        for block in blocks:
            ids += self.live_ids(block)
        before = self._ends[blocks[0]] - self.live_count(blocks[0])
        return ids[offset - before : offset - before + count]


def delete_some(rows: int, blocks: Iterable[int]) -> Catalog:
    """Return the catalog of which every third of these blocks has lost some of its rows."""
    loaded = Catalog(rows)
    source = random.Random(SEED + 1)  # noqa: S311 -- as above
    deleted = {}
    for block in sorted(blocks)[::3]:
        ids = loaded.loaded_ids(block)
        deleted[block] = frozenset(source.sample(ids, min(DELETED_PER_BLOCK, len(ids) // 2)))
    return Catalog(rows, deleted)


def list_row(product_id: int) -> bytes:
    """Return what the list shows of one product."""
    return render_list_row(
        Product(
            product_id,
            f"Product {product_id}",
            "A slogan as long as slogans are in the real catalog",
            "A description of ordinary length, " * 6,
            "Jackets",
            14_000,
        )
    )


async def write_catalog(client: RingClient, catalog: Catalog, blocks: Sequence[int]) -> None:
    """Write directory, bitmaps and the rows of `blocks`; deleted rows are live, empty cells."""
    now = time.time_ns() // 1000
    calls: list[tuple[str, tuple[object, ...]]] = []
    count = len(catalog.loaded_counts)
    for segment in range(0, count, SEGMENT_BLOCKS):
        members = range(segment, min(segment + SEGMENT_BLOCKS, count))
        packed = pack_segment({block: catalog.live_count(block) for block in members})
        calls.append((WRITE_SEGMENT.name, (segment // SEGMENT_BLOCKS, packed, now)))
    for block in range(count):
        bitmap = pack_live_ids(catalog.live_ids(block))
        calls.append((WRITE_LIVE_IDS.name, (block, bitmap, now)))
    for block in blocks:
        gone = catalog.deleted.get(block, frozenset())
        for product_id in catalog.loaded_ids(block):
            body = b"" if product_id in gone else list_row(product_id)
            calls.append((WRITE_BLOCK_ROW.name, (block, product_id, body, now)))
    await run_calls(client, calls)


async def run_calls(client: RingClient, calls: Sequence[tuple[str, tuple[object, ...]]]) -> None:
    """Run statements, `IN_FLIGHT` at a time.

    Raises:
        RingError: one of them failed.
    """
    waiting = iter(calls)

    async def work() -> None:
        for name, values in waiting:
            await client.execute(name, values, timeout_seconds=WRITE_TIMEOUT_SECONDS)

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(work())
