"""A stand-in behind the app server for tests and benchmarks of connections: no row is looked at.

It answers every read by id with one body. Whatever touches a real row is tested with Cassandra.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any

from ring.batches import RowBatch
from schema.documents import etag_of


class ConstantRows:
    """Answers as a ring client would that always finds the same row.

    Args:
        body: of every read by id.

    Attributes:
        gate: reads wait while it is cleared.
        waiting: reads that wait now.
        error: raised by reads instead of an answer, when set.
    """

    def __init__(self, body: bytes) -> None:
        self._row = (body, etag_of(body))
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = 0
        self.error: Exception | None = None
        self.closed = False

    async def fetch_one(
        self,
        name: str,  # noqa: ARG002
        values: Sequence[object] = (),  # noqa: ARG002
        *,
        timeout_seconds: float | None = None,  # noqa: ARG002
    ) -> tuple[Any, ...] | None:
        """Return the row."""
        self.waiting += 1
        try:
            await self.gate.wait()
        finally:
            self.waiting -= 1
        if self.error is not None:
            raise self.error
        return self._row

    async def execute(
        self,
        name: str,  # noqa: ARG002
        values: Sequence[object] = (),  # noqa: ARG002
        *,
        timeout_seconds: float | None = None,  # noqa: ARG002
    ) -> list[tuple[Any, ...]]:
        """Return no rows."""
        if self.error is not None:
            raise self.error
        return []

    async def fetch_many(
        self,
        name: str,
        keys: Iterable[object],
        *,
        timeout_seconds: float | None = None,
    ) -> list[tuple[Any, ...]]:
        """Return the row for each key."""
        row = await self.fetch_one(name, (), timeout_seconds=timeout_seconds)
        return [(key, *(row or ())) for key in keys]

    async def pages(
        self,
        name: str,
        values: Sequence[object] = (),
        *,
        page_rows: int = 1000,  # noqa: ARG002
        timeout_seconds: float | None = None,
    ) -> AsyncIterator[list[tuple[Any, ...]]]:
        """Iterate over one page without rows."""
        yield await self.execute(name, values, timeout_seconds=timeout_seconds)

    def gather(self, name: str, rows: Iterable[Sequence[object]]) -> Iterator[RowBatch]:  # noqa: ARG002
        """Yield nothing."""
        return iter(())

    async def write(self, batch: RowBatch, *, timeout_seconds: float | None = None) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        """Remember that it was closed."""
        self.closed = True
