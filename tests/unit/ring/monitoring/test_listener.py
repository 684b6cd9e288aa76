"""The exporter's listener, on real sockets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ring.monitoring.listener import Listener, Page


class Pages:
    """One page that waits until it is let go, one that is there at once, one that fails."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.asked = asyncio.Event()

    async def slow(self) -> Page:
        """Wait to be let go."""
        self.asked.set()
        await self.go.wait()
        return Page(b"late\n")

    async def here(self) -> Page:
        """Be there at once."""
        return Page(b"here\n", "text/html")

    async def broken(self) -> Page:
        """Fail."""
        raise ZeroDivisionError


@asynccontextmanager
async def listening(pages: Pages) -> AsyncIterator[tuple[Listener, int]]:
    """Yield a listener and its port."""
    listener = Listener({"/slow": pages.slow, "/here": pages.here, "/broken": pages.broken})
    port = await listener.start("127.0.0.1", 0)
    try:
        yield listener, port
    finally:
        pages.go.set()
        await listener.aclose(timeout_seconds=5)


async def send(port: int, request: bytes) -> bytes:
    """Return everything that a request is answered with, until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("request_line", "status", "body"),
    [
        (b"GET /here HTTP/1.1", b"200 OK", b"here\n"),
        (b"GET /here?name=x HTTP/1.0", b"200 OK", b"here\n"),
        (b"HEAD /here HTTP/1.1", b"200 OK", b""),
        (b"GET / HTTP/1.1", b"404 Not Found", b"here are: /broken /here /slow\n"),
        (b"POST /here HTTP/1.1", b"405 Method Not Allowed", b"GET and HEAD only\n"),
        (b"GET /broken HTTP/1.1", b"500 Internal Server Error", b"see the log\n"),
        (b"GET /here HTTP/2", b"400 Bad Request", b"this is no HTTP/1 request\n"),
        (b"\xff\xfe", b"400 Bad Request", b"this is no HTTP/1 request\n"),
    ],
)
async def test_listener_when_asked_then_it_answers_by_the_book(
    request_line: bytes, status: bytes, body: bytes
) -> None:
    """Whatever comes is answered, with its length, and the connection ends."""
    async with listening(Pages()) as (_, port):
        answer = await send(port, request_line + b"\r\nHost: x\r\n\r\n")
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert b"Connection: close" in head
    assert rest == body


async def test_listener_when_a_head_is_too_long_then_it_hangs_up() -> None:
    """A caller cannot make it keep what it sends."""
    async with listening(Pages()) as (_, port):
        answer = b""
        with contextlib.suppress(ConnectionError):
            answer = await send(port, b"GET /here HTTP/1.1\r\nX: " + b"x" * 20_000)
        assert answer == b""
        assert (await send(port, b"GET /here HTTP/1.1\r\n\r\n")).endswith(b"here\n")


async def test_listener_when_closed_then_who_is_being_answered_gets_the_whole_page() -> None:
    """A scrape that is under way is not cut, and nobody new is taken."""
    pages = Pages()
    async with listening(pages) as (listener, port):
        scrape = asyncio.create_task(send(port, b"GET /slow HTTP/1.1\r\n\r\n"))
        await pages.asked.wait()
        closing = asyncio.create_task(listener.aclose(timeout_seconds=5))
        await asyncio.sleep(0.05)
        with pytest.raises(OSError):  # noqa: PT011 - refused or reset, as the kernel likes
            await asyncio.open_connection("127.0.0.1", port)
        assert not closing.done()
        pages.go.set()
        assert (await scrape).endswith(b"late\n")
        await closing


async def test_listener_when_a_page_does_not_end_then_closing_does() -> None:
    """Nothing that hangs keeps the exporter from ending."""
    pages = Pages()
    async with listening(pages) as (listener, port):
        scrape = asyncio.create_task(send(port, b"GET /slow HTTP/1.1\r\n\r\n"))
        await pages.asked.wait()
        async with asyncio.timeout(2):
            await listener.aclose(timeout_seconds=0.1)
        assert await scrape == b""


async def test_listener_when_callers_leave_early_then_the_next_is_answered() -> None:
    """Half a request and a closed connection are nobody's error."""
    async with listening(Pages()) as (_, port):
        for _ in range(5):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /he")
            writer.close()
        assert (await send(port, b"GET /here HTTP/1.1\r\n\r\n")).endswith(b"here\n")


async def test_listener_when_too_many_wait_then_the_next_is_turned_away() -> None:
    """Callers that pile up on a page that hangs cost a bound of memory."""
    pages = Pages()
    async with listening(pages) as (_, port):
        waiting = [
            asyncio.create_task(send(port, b"GET /slow HTTP/1.1\r\n\r\n")) for _ in range(32)
        ]
        await pages.asked.wait()
        await asyncio.sleep(0.1)
        assert (await send(port, b"GET /here HTTP/1.1\r\n\r\n")).startswith(b"HTTP/1.1 503 ")
        pages.go.set()
        assert all(answer.endswith(b"late\n") for answer in await asyncio.gather(*waiting))
