"""What the repositories ask of the ring client; tests may put something else behind it."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, Protocol

from ring.batches import RowBatch


class RowSource(Protocol):
    """Runs prepared statements by name; `ring.RingClient` is one.

    Every method keeps to its deadline and raises `ring.errors.RingError`, nothing else.
    """

    async def execute(
        self,
        name: str,
        values: Sequence[object] = (),
        *,
        timeout_seconds: float | None = None,
    ) -> list[tuple[Any, ...]]:
        """Return the rows."""
        ...

    async def fetch_one(
        self,
        name: str,
        values: Sequence[object] = (),
        *,
        timeout_seconds: float | None = None,
    ) -> tuple[Any, ...] | None:
        """Return the first row, or None."""
        ...

    async def fetch_many(
        self,
        name: str,
        keys: Iterable[object],
        *,
        timeout_seconds: float | None = None,
    ) -> list[tuple[Any, ...]]:
        """Return the rows of many keys with their key in front, in no order."""
        ...

    def pages(
        self,
        name: str,
        values: Sequence[object] = (),
        *,
        page_rows: int = 1000,
        timeout_seconds: float | None = None,
    ) -> AsyncIterator[list[tuple[Any, ...]]]:
        """Iterate over the pages of a read; each page has a deadline of its own."""
        ...

    def gather(self, name: str, rows: Iterable[Sequence[object]]) -> Iterator[RowBatch]:
        """Yield the rows of a statement that may be repeated in batches, each for one replica."""
        ...

    async def write(self, batch: RowBatch, *, timeout_seconds: float | None = None) -> None:
        """Write the rows of a batch; when it fails, some of them may have been written."""
        ...

    async def aclose(self) -> None:
        """End every connection."""
        ...
