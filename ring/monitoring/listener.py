"""Answers GET requests with pages that are made when somebody asks; for scrapers, on loopback.

HTTP/1.1 with one request a connection. Whoever is slow, or sends too much, is hung up on: a page is
asked for by a few programs that are ours, and must never hold up the process that makes it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

_LOG: Final = logging.getLogger("ring.monitoring")
_HEAD_BYTES: Final = 8192
_HEAD_SECONDS: Final = 5.0
_SEND_SECONDS: Final = 10.0
_MOST_CALLERS: Final = 32
_GONE: Final = (
    OSError,
    TimeoutError,
    asyncio.IncompleteReadError,
    asyncio.LimitOverrunError,
)
_PLAIN: Final = "text/plain; charset=utf-8"
_REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Page:
    """What a path is answered with."""

    body: bytes
    content_type: str = _PLAIN
    status: int = 200


MakePage = Callable[[], Awaitable[Page]]


class Listener:
    """A server of pages by their paths.

    Args:
        pages: makes each page anew; must end by itself, for nothing cuts it short.
    """

    def __init__(self, pages: Mapping[str, MakePage]) -> None:
        self._pages = pages
        self._server: asyncio.Server | None = None
        self._callers: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Listener {sorted(self._pages)} callers={len(self._callers)}>"

    async def start(self, address: str, port: int) -> int:
        """Listen; returns the port, which the system chose when 0 was asked for.

        Raises:
            OSError: the port is taken, or the address is not of this machine.
        """
        self._server = await asyncio.start_server(self._meet, address, port, limit=_HEAD_BYTES)
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    async def aclose(self, *, timeout_seconds: float = _SEND_SECONDS) -> None:
        """Take no more callers, let those who are here have their page, and end."""
        if self._server is None:
            return
        self._server.close()
        if self._callers:
            _, late = await asyncio.wait(self._callers, timeout=timeout_seconds)
            for caller in late:
                caller.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._server.wait_closed()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller = asyncio.current_task()
        if caller is None:
            raise RuntimeError("asyncio serves each caller in a task of its own")
        self._callers.add(caller)
        try:
            # A caller who leaves, takes too long or sends too much is nobody's error.
            with contextlib.suppress(*_GONE):
                await self._serve(reader, writer)
        finally:
            self._callers.discard(caller)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
        if len(self._callers) > _MOST_CALLERS:
            method, page = "GET", Page(b"too many callers\n", status=503)
        else:
            method, page = await self._answer(head)
        async with asyncio.timeout(_SEND_SECONDS):
            writer.write(_head(page) + (b"" if method == "HEAD" else page.body))
            await writer.drain()

    async def _answer(self, head: bytes) -> tuple[str, Page]:
        words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return "GET", Page(b"this is no HTTP/1 request\n", status=400)
        method, target = words[:2]
        make = self._pages.get(target.partition("?")[0])
        if make is None:
            paths = " ".join(sorted(self._pages))
            return method, Page(f"here are: {paths}\n".encode(), status=404)
        if method not in ("GET", "HEAD"):
            return method, Page(b"GET and HEAD only\n", status=405)
        try:
            return method, await make()
        except Exception:  # noqa: BLE001 - one page must not end the others
            _LOG.exception("the page %s could not be made", target)
            return method, Page(b"see the log\n", status=500)


def _head(page: Page) -> bytes:
    lines = [
        f"HTTP/1.1 {page.status} {_REASONS[page.status]}",
        f"Content-Type: {page.content_type}",
        f"Content-Length: {len(page.body)}",
        "Connection: close",
    ]
    if page.status == 405:
        lines.append("Allow: GET, HEAD")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
