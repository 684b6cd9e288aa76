"""The app server with everything on, before a stand-in that finds one row in one turn of the loop.

What is left is what HTTP costs: parsing, the fast lane, negotiation, ids, figures, the answer.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any

import uvloop

from catalog_api.app import build_app
from catalog_api.settings import ApiSettings
from catalog_api.sockets import bind
from catalog_api.worker import serve_until
from ring import load_settings
from ring.batches import RowBatch
from schema.documents import etag_of

# As long as the floor's body.
BODY = (b'{"id":1,"default_price":"140.00","description":"' + b"constant " * 80)[:648] + b'"}'


class ConstantRows:
    """Answers like a ring client whose every read ends in the loop's next turn."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._row = (BODY, etag_of(BODY))

    async def fetch_one(
        self,
        name: str,  # noqa: ARG002
        values: Sequence[object] = (),  # noqa: ARG002
        *,
        timeout_seconds: float | None = None,  # noqa: ARG002
    ) -> tuple[Any, ...] | None:
        """Return the row after one turn."""
        reply = self._loop.create_future()
        self._loop.call_soon(reply.set_result, self._row)
        row: tuple[Any, ...] = await reply
        return row

    async def execute(
        self,
        name: str,  # noqa: ARG002
        values: Sequence[object] = (),  # noqa: ARG002
        *,
        timeout_seconds: float | None = None,  # noqa: ARG002
    ) -> list[tuple[Any, ...]]:
        """Return no rows."""
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
        name: str,  # noqa: ARG002
        values: Sequence[object] = (),  # noqa: ARG002
        *,
        page_rows: int = 1000,  # noqa: ARG002
        timeout_seconds: float | None = None,  # noqa: ARG002
    ) -> AsyncIterator[list[tuple[Any, ...]]]:
        """Iterate over one page without rows."""
        yield []

    def gather(self, name: str, rows: Iterable[Sequence[object]]) -> Iterator[RowBatch]:  # noqa: ARG002
        """Yield nothing."""
        return iter(())

    async def write(self, batch: RowBatch, *, timeout_seconds: float | None = None) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        """Nothing is open."""


async def _serve() -> None:
    settings = load_settings(ApiSettings, os.environ).with_session_secret()
    listener = bind(os.environ["BENCH_HOST"], int(os.environ["BENCH_PORT"]), shared=True)
    await serve_until(build_app(settings, ring=ConstantRows()), settings, listener, asyncio.Event())


if __name__ == "__main__":
    uvloop.run(_serve())
