"""Products as they are stored: bodies by id, and pages of list rows by block.

Consistency: LOCAL_ONE; LOCAL_QUORUM for what the nearest replica does not have.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

from catalog_api.domain.errors import MissingItemError
from catalog_api.domain.page import Page
from catalog_api.repositories.directory import DirectoryCache, Position, Span
from catalog_api.repositories.rows import RowSource
from ring.statements import Statement
from schema.documents import unpack_live_ids
from schema.statements.products import (
    BY_QUORUM,
    SELECT_BLOCK_SLICE,
    SELECT_LIVE_IDS,
    SELECT_PRODUCT,
)

_Result = TypeVar("_Result")


class ProductsRepository:
    """Reads products through the ring client.

    Args:
        rows: the ring client.
        directory: which blocks hold how many rows.
        timeout_seconds: deadline of each read.
        parallel_reads: most reads that one page has under way at once.
    """

    def __init__(
        self,
        rows: RowSource,
        directory: DirectoryCache,
        *,
        timeout_seconds: float,
        parallel_reads: int,
    ) -> None:
        self._rows = rows
        self._directory = directory
        self._timeout_seconds = timeout_seconds
        self._parallel_reads = parallel_reads

    async def fetch_body(self, statement: Statement, product_id: int) -> tuple[bytes, str] | None:
        """Return a stored body and its entity tag; None when the product does not exist.

        One partition, one round trip, or two when there is none; idempotent.

        Args:
            statement: one of those that select a body and its tag by product id.
            product_id: any id.

        Raises:
            RingError: no replica answered in time.
        """
        row = await self._fetch_one(statement, product_id)
        # A deleted product leaves live, empty bodies: cells, not tombstones.
        if row is None or not row[0]:
            return None
        body, etag = row
        return body, etag

    async def fetch_bodies(self, product_ids: Iterable[int]) -> dict[int, tuple[bytes, str]]:
        """Return the stored bodies of many products and their tags, of those that exist.

        One round trip to one replica of each, side by side; one more when some are missing.

        Raises:
            RingError: no replica answered in time.
        """
        asked = tuple(product_ids)
        rows = await self._fetch_many(SELECT_PRODUCT, asked)
        missing = set(asked).difference(row[0] for row in rows)
        if missing:
            rows += await self._fetch_many(BY_QUORUM[SELECT_PRODUCT], missing)
        return {product_id: (body, etag) for product_id, body, etag in rows if body}

    async def require(self, product_id: int) -> None:
        """Return when there is such a product.

        Raises:
            MissingItemError: there is none.
            RingError: no replica answered in time.
        """
        if await self.fetch_body(SELECT_PRODUCT, product_id) is None:
            raise MissingItemError(f"product {product_id}")

    async def fetch_page(self, page: Page) -> list[bytes]:
        """Return the stored list rows of a page, by id ascending.

        Two round trips, whatever the page: bitmaps of the blocks touched, then their rows. Rows
        that were deleted since the directory was read are made up for from the blocks after.

        Raises:
            RingError: no replica answered in time.
        """
        directory = await self._directory.current()
        position: Position = directory.locate(page.offset)
        found: list[bytes] = []
        while len(found) < page.rows:
            spans, position = directory.spans(position, page.rows - len(found))
            if not spans:
                break
            bitmaps = await self._together(self._fetch_live_ids, [(span.block,) for span in spans])
            slices = [
                (span.block, ids[0], ids[-1], len(ids))
                for span, live_ids in zip(spans, bitmaps, strict=True)
                if (ids := _ids_of(span, live_ids))
            ]
            rows = await self._together(self._fetch_slice, slices)
            found.extend(row for rows_of_block in rows for row in rows_of_block)
        return found[: page.rows]

    async def _fetch_one(self, statement: Statement, key: int) -> tuple[Any, ...] | None:
        seconds = self._timeout_seconds
        row = await self._rows.fetch_one(statement.name, (key,), timeout_seconds=seconds)
        # Without its first column it has missed a write as well.
        if row is not None and row[0] is not None:
            return row
        again = BY_QUORUM[statement].name
        return await self._rows.fetch_one(again, (key,), timeout_seconds=seconds)

    async def _fetch_many(self, statement: Statement, keys: Iterable[int]) -> list[tuple[Any, ...]]:
        return await self._rows.fetch_many(
            statement.name, keys, timeout_seconds=self._timeout_seconds
        )

    async def _fetch_live_ids(self, block: int) -> bytes:
        row = await self._fetch_one(SELECT_LIVE_IDS, block)
        return b"" if row is None else row[0] or b""

    async def _fetch_slice(
        self, block: int, first_id: int, last_id: int, expected: int
    ) -> list[bytes]:
        values, seconds = (block, first_id, last_id), self._timeout_seconds
        rows = await self._rows.execute(SELECT_BLOCK_SLICE.name, values, timeout_seconds=seconds)
        # Rows of deleted products are still rows.
        if len(rows) < expected:
            again = BY_QUORUM[SELECT_BLOCK_SLICE].name
            rows = await self._rows.execute(again, values, timeout_seconds=seconds)
        return [body for (body,) in rows if body]

    async def _together(
        self,
        read: Callable[..., Awaitable[_Result]],
        arguments: Sequence[tuple[int, ...]],
    ) -> list[_Result]:
        """Run one read per item side by side, a bounded number at once; results in order.

        The first failure ends the others and is raised.
        """
        if len(arguments) == 1:
            return [await read(*arguments[0])]
        gate = asyncio.Semaphore(self._parallel_reads)

        async def gated(values: tuple[int, ...]) -> _Result:
            async with gate:
                return await read(*values)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(gated(values)) for values in arguments]
        except* Exception as failures:
            raise failures.exceptions[0] from failures
        return [task.result() for task in tasks]


def _ids_of(span: Span, live_ids: bytes) -> list[int]:
    """Return the ids that the span stands for in the block as it is now."""
    if not live_ids:
        return []
    return unpack_live_ids(span.block, live_ids)[span.rank : span.rank + span.rows]
