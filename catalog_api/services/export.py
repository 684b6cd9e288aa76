"""Exports: all products as a stream, at a pace that leaves the nodes to those who read.

Pages are small, the next one is read when the caller has taken this one, and after each the export
rests for several times as long as the page took: the slower the nodes, the more it stands back.
"""

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

import msgspec

from catalog_api.domain.errors import ExportBusyError
from catalog_api.domain.export import ExportRequest
from catalog_api.repositories.product_rows import StoredProduct
from catalog_api.repositories.product_scan import FIRST_TOKEN, LAST_TOKEN, ProductScan
from catalog_api.services.legacy_csv import TABLES
from ring.token_ring import token_of_key

PAGE_PRODUCTS: Final = 50
_TOKENS: Final = 2**64
_BIGINT: Final = struct.Struct(">q")


class ExportService:
    """Gives exports out, a bounded number at once.

    Args:
        scan: reads all products.
        most: exports that one process has under way.
        share: of the time that an export may spend on reading and rendering, from 0 to 1.
    """

    def __init__(self, scan: ProductScan, *, most: int, share: float) -> None:
        self._scan = scan
        self._most = most
        self._share = share
        self.running = 0

    async def open(self, request: ExportRequest) -> "Export":
        """Begin an export: its first page is read, so that a failure can still be told.

        Raises:
            ExportBusyError: as many as may be are under way.
            RingError: too few replicas answered in time.
        """
        if self.running >= self._most:
            raise ExportBusyError("As many exports as may be are under way.")
        self.running += 1
        export = Export(self, self._scan, request, share=self._share)
        try:
            await export.begin()
        except BaseException:
            await export.aclose()
            raise
        return export

    def ended(self) -> None:
        """Let the next one begin."""
        self.running -= 1


class Export:
    """One export: an iterator of pieces, to be closed."""

    def __init__(
        self, service: ExportService, scan: ProductScan, request: ExportRequest, *, share: float
    ) -> None:
        self._service = service
        self._scan = scan
        self._request = request
        self._share = share
        self._token, self._last = _range_of(request)
        self._rest_seconds = 0.0
        self._waiting: list[bytes] = []
        self._is_open = True

    async def begin(self) -> None:
        """Read the first page.

        Raises:
            RingError: too few replicas answered in time.
        """
        table, after = self._request.table, self._request.after
        # Parts after the first, and what follows an earlier export, are put behind its lines.
        head = (
            f"{TABLES[table][0]}\n" if table and after is None and self._request.part == 1 else ""
        )
        self._waiting.append(head.encode() + await self._read())

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._waiting:
            return self._waiting.pop()
        if self._token >= self._last:
            raise StopAsyncIteration
        await asyncio.sleep(self._rest_seconds)
        return await self._read()

    async def aclose(self) -> None:
        """Let another one begin."""
        if self._is_open:
            self._is_open = False
            self._service.ended()

    async def _read(self) -> bytes:
        if self._token >= self._last:
            return b""
        began_at = time.monotonic()
        chunk = await self._scan.fetch(self._token, PAGE_PRODUCTS, last=self._last)
        self._token = chunk.reached
        piece = b"".join(self._lines(chunk.products))
        took_seconds = time.monotonic() - began_at
        self._rest_seconds = took_seconds * (1 - self._share) / self._share
        return piece

    def _lines(self, products: Sequence[StoredProduct]) -> Iterator[bytes]:
        table = self._request.table
        for product in products:
            if not product.lives:
                continue
            if table is None:
                yield msgspec.json.encode(product.document()) + b"\n"
            else:
                for line in TABLES[table][1](product.document(), product.sources()):
                    yield line.encode() + b"\n"


def _range_of(request: ExportRequest) -> tuple[int, int]:
    """Return the token behind which an export begins, and the last one of it."""
    first = FIRST_TOKEN + _TOKENS * (request.part - 1) // request.parts
    last = min(FIRST_TOKEN + _TOKENS * request.part // request.parts, LAST_TOKEN)
    if request.after is not None:
        first = max(first, token_of_key(_BIGINT.pack(request.after)))
    return first, last
