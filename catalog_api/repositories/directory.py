"""The directory of /products: how many live rows each block of ids holds.

Ten million products are ten rows of 20 KB in all. A process keeps them as prefix sums, so that the
block in which a page starts is one bisection away on any page, and reads them again every few
seconds. The directory may be a little old: pages are filled by what the blocks really hold.
"""

import asyncio
import contextlib
import logging
import random
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from catalog_api.repositories.rows import RowSource
from ring.errors import RingError
from schema.documents import SEGMENT_BLOCKS, unpack_segment
from schema.statements.products import SELECT_DIRECTORY

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a row stands: `place` counts the directory's blocks, `rank` the block's live rows."""

    place: int
    rank: int


@dataclass(frozen=True, slots=True)
class Span:
    """Neighbouring rows of one block: `rows` of them from `rank` on."""

    block: int
    rank: int
    rows: int


class Directory:
    """Blocks with live rows, ascending, and the rows up to each one's end. Never changed."""

    __slots__ = ("_blocks", "_ends")

    def __init__(self, segments: Iterable[tuple[int, bytes]]) -> None:
        counted = [
            (segment * SEGMENT_BLOCKS + index, rows)
            for segment, live_rows in sorted(segments)
            for index, rows in enumerate(unpack_segment(live_rows))
            if rows
        ]
        self._blocks = [block for block, _ in counted]
        self._ends = list(accumulate(rows for _, rows in counted))

    def __repr__(self) -> str:
        return f"<Directory blocks={len(self._blocks)} rows={self.rows}>"

    @property
    def rows(self) -> int:
        """Live rows of the whole catalog."""
        return self._ends[-1] if self._ends else 0

    def locate(self, offset: int) -> Position:
        """Return where the row after `offset` others stands; past the end, the end."""
        place = bisect_right(self._ends, offset)
        start = self._ends[place - 1] if place else 0
        return Position(place, offset - start)

    def spans(self, start: Position, rows: int) -> tuple[list[Span], Position]:
        """Return the spans that should hold the next `rows` rows, and where they end."""
        spans = []
        place, rank = start.place, start.rank
        while rows > 0 and place < len(self._blocks):
            before = self._ends[place - 1] if place else 0
            here = min(rows, self._ends[place] - before - rank)
            if here > 0:
                spans.append(Span(self._blocks[place], rank, here))
                rows -= here
                rank += here
            if rows > 0:
                place, rank = place + 1, 0
        return spans, Position(place, rank)


class DirectoryCache:
    """Holds the newest directory of a process and reads it again in the background.

    Args:
        rows: where the directory is read.
        refresh_seconds: how old it may grow; each wait is jittered by a fifth, so that the
            processes of a ring do not all read at once.
        timeout_seconds: deadline of one read.
    """

    def __init__(self, rows: RowSource, *, refresh_seconds: float, timeout_seconds: float) -> None:
        self._rows = rows
        self._refresh_seconds = refresh_seconds
        self._timeout_seconds = timeout_seconds
        self._segments: list[tuple[int, bytes]] | None = None
        self._directory: Directory | None = None
        self._reading: asyncio.Task[Directory] | None = None
        self._refreshing: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<DirectoryCache {self._directory!r}>"

    def start(self) -> None:
        """Begin to refresh in the background."""
        self._refreshing = asyncio.create_task(self._refresh(), name="directory refresh")

    async def aclose(self) -> None:
        """End every read of the directory."""
        tasks = [task for task in (self._refreshing, self._reading) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def current(self) -> Directory:
        """Return the directory held; while there is none yet, read it now, once for all callers.

        Raises:
            RingError: there is none yet and it cannot be read.
        """
        if self._directory is not None:
            return self._directory
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="directory first read")
            self._reading.add_done_callback(self._forget)
        # One caller's cancellation must not take the read from the others.
        return await asyncio.shield(self._reading)

    def _forget(self, reading: asyncio.Task[Directory]) -> None:
        self._reading = None
        if not reading.cancelled():
            reading.exception()

    async def _read(self) -> Directory:
        """One partition, consistency LOCAL_QUORUM."""
        rows = await self._rows.execute(
            SELECT_DIRECTORY.name, (), timeout_seconds=self._timeout_seconds
        )
        segments = [(segment, live_rows) for segment, live_rows in rows if live_rows]
        if self._directory is None or segments != self._segments:
            self._segments = segments
            self._directory = Directory(segments)
        return self._directory

    async def _refresh(self) -> None:
        while True:
            # A failed read leaves the old directory; whoever asks for rows meets the same error.
            with contextlib.suppress(RingError):
                await self._read()
            await asyncio.sleep(self._refresh_seconds * random.uniform(0.8, 1.0))  # noqa: S311
