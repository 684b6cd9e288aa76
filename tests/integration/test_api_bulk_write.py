"""Bulk writes over HTTP, with a real Cassandra: each row has its outcome, whatever others do."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson

from catalog_api.settings import ApiSettings
from ring import RingSettings
from tests.support.api import HOST, RunningApi, running_catalog
from tests.support.catalog_documents import NEW, legacy, listed, send, until
from tests.support.editor import AS_EDITOR
from tests.support.stored_catalog import CatalogProduct, plain_product

CATALOG = [CatalogProduct(plain_product(number)) for number in (1, 2)]
PATH = "/v1/products/bulk"
NDJSON = {"Content-Type": "application/x-ndjson"}


def row(**changes: object) -> bytes:
    """Return one line."""
    return orjson.dumps({"name": "n", "default_price": "1.00"} | changes) + b"\n"


async def write(api: RunningApi, body: Any, **headers: str) -> list[dict[str, Any]]:
    """Send a body and return the outcomes."""
    sent = AS_EDITOR | NDJSON | {name.replace("_", "-"): value for name, value in headers.items()}
    async with api.client.post(PATH, data=body, headers=sent) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "application/x-ndjson"
        assert response.headers["X-Request-Id"]
        return [orjson.loads(line) for line in (await response.read()).splitlines()]


async def test_rows_when_written_in_bulk_then_each_has_its_outcome_and_is_listed(
    ring_settings: RingSettings,
) -> None:
    """A thousand rows beyond the limit of bodies; bad ones among them end nothing."""
    settings = ApiSettings(max_body_bytes=20_000)
    async with running_catalog(ring_settings, CATALOG, settings) as api:
        good = [row(id=number, name=f"bulk {number}") for number in range(10, 510)]
        bad = [
            b"{\n",
            b'{"name":"x"}\n',
            b"\n",
            row(description="d" * 30_000),
            b"\xff\n",
            row(id=10**12),
        ]
        body = b"".join(good[:250] + bad + good[250:]) + row(**NEW)[:-1]
        assert len(body) > settings.max_body_bytes
        outcomes = await write(api, body)
        lines = [*range(1, 253), *range(254, 508)]
        assert [one["line"] for one in outcomes] == lines
        by_line = {one["line"]: one for one in outcomes}
        assert [by_line[number]["status"] for number in range(251, 257) if number != 253] == [
            *(422, 422, 413, 422, 409)
        ]
        assert all(one["problem"]["status"] == one["status"] for one in outcomes if one["problem"])
        stored = [one for one in outcomes if one["status"] == 201]
        assert [one["id"] for one in stored[:-1]] == [*range(10, 510)]
        assert stored[-1]["id"] >= 10**12
        read = await send(api, "GET", "/v1/products/17")
        assert (read.json["name"], read.etag) == ("bulk 17", f'"{by_line[8]["etag"]}"')
        last = (await send(api, "GET", f"/v1/products/{stored[-1]['id']}")).json
        await until(api, "/products?page=503&count=1", [listed(last)])
        pages = await legacy(api, "/products?count=1000")
        assert [one["id"] for one in pages] == [1, 2, *range(10, 510), stored[-1]["id"]]


async def test_rows_when_they_come_slowly_then_outcomes_come_meanwhile(
    ring_settings: RingSettings,
) -> None:
    """Longer than any request may take; cut anywhere; rows of one product in their order."""
    settings = ApiSettings(request_deadline_seconds=1.0)
    async with running_catalog(ring_settings, CATALOG, settings) as api:
        answered = asyncio.Event()
        pieces = [row(id=7, name=f"v{place}") for place in range(5)]

        async def body() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece[:9]
                await asyncio.sleep(0.3)
                yield piece[9:]
            # The outcomes of what was sent are here before the end is.
            async with asyncio.timeout(10):
                await answered.wait()
            yield b"".join(row(id=7, name=f"w{place}") for place in range(20))

        async with api.client.post(PATH, data=body(), headers=AS_EDITOR | NDJSON) as response:
            outcomes = []
            async for line in response.content:
                outcomes.append(orjson.loads(line))
                if len(outcomes) == len(pieces):
                    answered.set()
        assert [one["status"] for one in outcomes] == [201] + [200] * 24
        assert (await send(api, "GET", "/v1/products/7")).json["name"] == "w19"


async def test_rows_when_sent_again_with_their_key_then_nothing_is_stored_twice(
    ring_settings: RingSettings,
) -> None:
    """Each row is remembered by its line; a changed one is refused alone."""
    async with running_catalog(ring_settings, CATALOG) as api:
        rows = [row(name=f"r{place}") for place in range(5)]
        first = await write(api, b"".join(rows), Idempotency_Key="k")
        assert [one["status"] for one in first] == [201] * 5
        rows[2] = row(name="other")
        again = await write(api, b"".join([*rows, row(name="more")]), Idempotency_Key="k")
        assert [one["status"] for one in again] == [201, 201, 422, 201, 201, 201]
        assert [one["replayed"] for one in again] == [True, True, False, True, True, False]
        same = [(one["id"], one["etag"]) for one in first]
        assert [(one["id"], one["etag"]) for one in again][:2] == same[:2]
        assert len({one["id"] for one in again if one["id"]}) == 5


async def test_stream_when_nothing_comes_then_it_is_ended_and_when_cut_then_the_server_goes_on(
    ring_settings: RingSettings,
) -> None:
    """The last outcome says so; what came before is stored; other media types are 415."""
    settings = ApiSettings(bulk_idle_seconds=0.5)
    async with running_catalog(ring_settings, CATALOG, settings) as api:
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/x-ndjson\r\n"
            f"Authorization: {AS_EDITOR['Authorization']}\r\n"
            "Content-Length: 100000\r\n\r\n"
        ).encode()
        answer = await api.exchange(head + row(id=7))
        assert b'"line":1,"id":7,"status":201' in answer
        assert b'"line":2,"id":null,"status":408' in answer
        assert answer.endswith(b"0\r\n\r\n")
        reader, writer = await asyncio.open_connection(HOST, api.port)
        writer.write(head + row(id=8))
        await reader.readuntil(b'"status":201')
        writer.transport.abort()
        assert (await send(api, "GET", "/v1/products/8")).status == 200
        async with api.client.post(PATH, json={}, headers=AS_EDITOR) as response:
            assert response.status == 415
        metrics = (await send(api, "GET", "/metrics")).body.decode()
        assert 'route="/v1/products/bulk",status="200"' in metrics


async def test_connection_when_a_stream_was_read_whole_then_it_takes_the_next_request(
    ring_settings: RingSettings,
) -> None:
    """With a length, in chunks, behind a slow end, and for exports; not when the caller closes."""
    async with running_catalog(ring_settings, CATALOG) as api:
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/x-ndjson\r\n"
            f"Authorization: {AS_EDITOR['Authorization']}\r\n"
        ).encode()
        body = row(id=7) + row(id=8)
        measured = b"%bContent-Length: %d\r\n\r\n" % (head, len(body))
        reader, writer = await asyncio.open_connection(HOST, api.port)
        for pieces in (
            [measured + body],
            [measured, body[:5], body[5:]],
            [
                head + b"Transfer-Encoding: chunked\r\n\r\n",
                b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
            ],
            [f"GET /v1/products/export HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()],
        ):
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0.05)
            async with asyncio.timeout(10):
                answer = await reader.readuntil(b"\r\n0\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"Connection: close" not in answer
            assert answer.count(b'"id":7') == 1
        writer.write(measured.replace(b"Host", b"Connection: close\r\nHost") + body)
        async with asyncio.timeout(10):
            answer = await reader.read()
        assert b"\r\nConnection: close\r\n" in answer
        assert answer.count(b'"status":200') == 2
        writer.close()
