"""Senders that are slow, rude or endless: each ends by a 4xx or a closed connection.

Afterwards the server answers as before and has as many open files and tasks as before.
"""

import asyncio
import contextlib
import os
import re
import time
from collections import Counter
from collections.abc import AsyncIterator

import orjson
import pytest

from catalog_api.keys import RECEPTION
from catalog_api.settings import ApiSettings
from ring import RingSettings
from tests.support.api import HOST, RunningApi, running_catalog
from tests.support.stored_catalog import CatalogProduct, plain_product

CATALOG = (CatalogProduct(plain_product(1)),)
DEADLINE_SECONDS = 3.0
SETTINGS = ApiSettings(request_deadline_seconds=DEADLINE_SECONDS)
# A body that was given up is read away for two seconds, so that the 408 arrives.
END_SECONDS = DEADLINE_SECONDS + 2.0
BODY = orjson.dumps({"product_id": 1, "body": "Is it warm?", "name": "jo", "email": "jo@shop.test"})
POST = b"POST /qa/questions HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
VOTE = b"PUT /qa/questions/1/helpful HTTP/1.1\r\nHost: a\r\n"
WHOLE = POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
GET = b"GET /products/1 HTTP/1.1\r\nHost: a\r\n\r\n"


def _open_files() -> Counter[str]:
    """Return what is open in this process: how many of each, sockets without their numbers."""
    found: Counter[str] = Counter()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - links that may be gone already
        with contextlib.suppress(FileNotFoundError):
            found[os.readlink(f"/proc/self/fd/{name}").partition("[")[0]] += 1  # noqa: PTH115
    return found


@contextlib.asynccontextmanager
async def leaving_nothing(api: RunningApi) -> AsyncIterator[None]:
    """Hold that the block leaves no open file, task or request behind, and a server that answers.

    Raises:
        AssertionError: something is still there after ten seconds; it is named.
    """

    async def standing() -> Counter[str]:
        async with api.client.get("/healthz", headers={"Connection": "close"}) as response:
            assert response.status == 200
        await asyncio.sleep(0.05)
        tasks = [task.get_name().rstrip("0123456789") for task in asyncio.all_tasks()]
        found = _open_files() + Counter(tasks)
        found["requests in flight"] = api.app[RECEPTION].telemetry.in_flight
        return found

    before = await standing()
    yield
    patience = time.monotonic() + 10
    while more := await standing() - before:
        assert time.monotonic() < patience, more
        await asyncio.sleep(0.2)
    async with api.client.get("/products/1") as response:
        assert response.status == 200


async def _trickle(api: RunningApi, start: bytes, piece: bytes) -> tuple[bytes, float]:
    """Send `start`, then pieces one by one for ever; returns what came and after how long."""
    reader, writer = await asyncio.open_connection(HOST, api.port)
    began = time.monotonic()

    async def send() -> None:
        writer.write(start)
        with contextlib.suppress(ConnectionError):
            while True:
                await asyncio.sleep(0.25)
                writer.write(piece)
                await writer.drain()

    sending = asyncio.create_task(send())
    received = bytearray()
    try:
        async with asyncio.timeout(60):
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(65_536):
                    received += data
    finally:
        sending.cancel()
        writer.close()
    return bytes(received), time.monotonic() - began


SLOW = [
    (POST + b"Content-Length: 1000\r\n\r\n{", b" ", [b"408"]),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", [b"408"]),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n1", b"0", [b"408"]),
    (VOTE + b"Content-Length: 99\r\n\r\n", b" ", [b"408"]),
    (POST, b"x", []),
    (b"G", b"", []),
    (b"GET /", b"x", []),
    (b"GET /products/1 HTTP/1.1\r\nHost: a\r\n", b"A: b\r\n", []),
    (GET + b"GET /products/1 HTTP/1.1\r\nHo", b"x", [b"200"]),
    (b"", b"\r\n", []),
]
"""What is sent first, what then bit by bit, and which answers come."""


async def test_sender_when_slow_then_408_or_the_end_within_the_deadline(
    ring_settings: RingSettings,
) -> None:
    """A few bytes a second, in a body, in a head, before one: nobody holds a connection so."""
    several = SLOW * 10
    async with running_catalog(ring_settings, CATALOG, SETTINGS) as api, leaving_nothing(api):
        answers = await asyncio.gather(
            *(_trickle(api, start, piece) for start, piece, _ in several)
        )
        for (start, _, statuses), (received, seconds) in zip(several, answers, strict=True):
            assert re.findall(rb"HTTP/1\.1 (\d{3})", received) == statuses, start
            assert seconds < END_SECONDS + 2.0, start


async def test_connections_when_cut_in_the_middle_of_a_body_then_nothing_stays(
    ring_settings: RingSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """Two hundred callers leave while they send, half of them by a reset; no trace is logged."""
    async with running_catalog(ring_settings, CATALOG, SETTINGS) as api, leaving_nothing(api):
        for half in (POST + b"Content-Length: 500\r\n\r\n{", WHOLE[:-3], WHOLE[:60]):
            connections = [await asyncio.open_connection(HOST, api.port) for _ in range(200)]
            for _, writer in connections:
                writer.write(half)
                await writer.drain()
            await asyncio.sleep(0.1)
            for number, (_, writer) in enumerate(connections):
                if number % 2:
                    writer.transport.abort()
                else:
                    writer.close()
        await asyncio.sleep(0.2)
    assert "Traceback" not in caplog.text


async def test_posts_when_pipelined_then_each_is_done_once_in_order(
    ring_settings: RingSettings,
) -> None:
    """Fifty at once on one connection, one of them refused: as many answers, in their order."""
    broken = POST + b"Content-Length: 1\r\n\r\n{"
    last = WHOLE.replace(b"Host: a\r\n", b"Host: a\r\nConnection: close\r\n")
    async with running_catalog(ring_settings, CATALOG) as api, leaving_nothing(api):
        answers = await api.exchange(WHOLE * 25 + broken + WHOLE * 23 + GET + last)
        statuses = re.findall(rb"HTTP/1\.1 (\d{3})", answers)
        assert statuses == [b"201"] * 25 + [b"422"] + [b"201"] * 23 + [b"200", b"201"]
        async with api.client.get("/qa/questions?product_id=1&count=100") as response:
            assert len(orjson.loads(await response.read())["results"]) == 49


async def test_posts_when_behind_one_that_closes_then_they_are_not_done(
    ring_settings: RingSettings,
) -> None:
    """What follows a `Connection: close`, or a body that was refused unread, is never done."""
    closing = WHOLE.replace(b"Host: a\r\n", b"Host: a\r\nConnection: close\r\n")
    refused = POST + b"Content-Length: 99999999\r\n\r\n"
    async with running_catalog(ring_settings, CATALOG) as api, leaving_nothing(api):
        assert re.findall(rb"HTTP/1\.1 (\d{3})", await api.exchange(refused + WHOLE)) == [b"413"]
        # Sent together they contradict each other, and neither is done.
        assert re.findall(rb"HTTP/1\.1 (\d{3})", await api.exchange(closing + WHOLE)) == [b"400"]
        reader, writer = await asyncio.open_connection(HOST, api.port)
        writer.write(closing)
        await reader.readuntil(b"\r\n\r\nCreated")
        with contextlib.suppress(ConnectionError):
            writer.write(WHOLE)
            assert await reader.read() == b""
        writer.close()
        async with api.client.get("/qa/questions?product_id=1&count=100") as response:
            assert len(orjson.loads(await response.read())["results"]) == 1


async def _flood(api: RunningApi, start: bytes, piece: bytes, most_bytes: int) -> bytes:
    """Send pieces as fast as they go, until the server ends it; returns what came."""
    reader, writer = await asyncio.open_connection(HOST, api.port)
    writer.write(start)
    with contextlib.suppress(ConnectionError):
        for _ in range(most_bytes // len(piece)):
            writer.write(piece)
            await writer.drain()
    received = b""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(30):
            received = await reader.read()
    writer.close()
    return received


async def test_heads_when_endless_then_400_or_the_end(ring_settings: RingSettings) -> None:
    """Header lines, one header, a target or chunk extensions without end: none is kept for long."""
    line = b"GET /products/1 HTTP/1.1\r\nHost: a\r\n"
    async with running_catalog(ring_settings, CATALOG, SETTINGS) as api, leaving_nothing(api):
        for start, piece in (
            (line, b"A: " + b"b" * 1_000 + b"\r\n"),
            (line, b"A: b\r\n" * 100),
            (line + b"A: ", b"b" * 1_000),
            (b"GET /", b"x" * 1_000),
            (b"", b"x" * 1_000),
            (POST + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 1_000),
            (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"A: " + b"b" * 1_000 + b"\r\n"),
        ):
            received = await asyncio.gather(
                *(_flood(api, start, piece, 5_000_000) for _ in range(3))
            )
            for answer in received:
                statuses = re.findall(rb"HTTP/1\.1 (\d{3})", answer)
                assert statuses in ([], [b"400"], [b"408"]), (piece[:10], answer)


async def test_connections_when_many_come_at_once_then_all_are_answered(
    ring_settings: RingSettings,
) -> None:
    """Five hundred that say nothing do not stand in the way of five hundred that do."""
    async with running_catalog(ring_settings, CATALOG) as api, leaving_nothing(api):
        silent = [await asyncio.open_connection(HOST, api.port) for _ in range(500)]
        talking = [await asyncio.open_connection(HOST, api.port) for _ in range(500)]
        for _, writer in talking:
            writer.write(GET)
        for reader, _ in talking:
            async with asyncio.timeout(30):
                assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        for _, writer in silent + talking:
            writer.close()
