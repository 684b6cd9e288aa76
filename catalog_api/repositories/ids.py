"""Ids of what is created here: unique over all app servers, given without a row that all write.

Each process takes ten thousand ids of a kind at a time by a lightweight transaction and gives them
out of memory. A block whose outcome is unknown is left alone: ids may have gaps. They begin above
what catalogs are loaded with; a load that brings larger ids moves the beginning.
"""

import asyncio
from typing import Final

from catalog_api.repositories.rows import RowSource
from ring.errors import RingUnavailableError
from schema.ids import FIRST_NEW_ID
from schema.statements.ids import CREATE_ID_KIND, SELECT_NEXT_ID, TAKE_ID_BLOCK

BLOCK_IDS: Final = 10_000
_ATTEMPTS: Final = 20
_PAUSE_SECONDS: Final = 0.01


class IdAllocator:
    """Gives ids of one kind.

    Args:
        rows: the ring client.
        kind: `reviews`, `answers`, …; each has numbers of its own.
        timeout_seconds: deadline of each statement.
    """

    def __init__(self, rows: RowSource, kind: str, *, timeout_seconds: float) -> None:
        self._rows = rows
        self._kind = kind
        self._timeout_seconds = timeout_seconds
        self._next = self._end = 0
        # One request fetches a block; the others wait for it instead of taking more.
        self._taking = asyncio.Lock()

    async def take(self, count: int = 1) -> range:
        """Return ids that nobody else has or ever gets, ascending.

        Consistency: SERIAL and QUORUM, once in ten thousand ids; otherwise no request.

        Raises:
            RingError: no block could be taken.
        """
        while self._end - self._next < count:
            async with self._taking:
                if self._end - self._next < count:
                    self._next = await self._take_block()
                    self._end = self._next + BLOCK_IDS
        first = self._next
        self._next += count
        return range(first, first + count)

    async def _take_block(self) -> int:
        for attempt in range(_ATTEMPTS):
            try:
                first = await self._fetch_next()
                rows = await self._rows.execute(
                    TAKE_ID_BLOCK.name,
                    (first + BLOCK_IDS, self._kind, first),
                    timeout_seconds=self._timeout_seconds,
                )
            except RingUnavailableError:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                if rows[0][0]:
                    return first
            await asyncio.sleep(_PAUSE_SECONDS * attempt)
        raise RingUnavailableError(f"no block of {self._kind} ids: too many others take one")

    async def _fetch_next(self) -> int:
        row = await self._rows.fetch_one(
            SELECT_NEXT_ID.name, (self._kind,), timeout_seconds=self._timeout_seconds
        )
        if row is not None:
            return int(row[0])
        await self._rows.execute(
            CREATE_ID_KIND.name, (self._kind, FIRST_NEW_ID), timeout_seconds=self._timeout_seconds
        )
        return FIRST_NEW_ID
