"""What a connection must keep in the fast lane: order, keep-alive, HEAD, closing, cancellation.

A stand-in answers instead of Cassandra, since reads have to wait when the test wants them to.
"""

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest

from catalog_api.keys import RECEPTION
from catalog_api.settings import ApiSettings
from ring import RingOverloadedError, RingRequestError, RingTimeoutError, RingUnavailableError
from tests.support.api import HOST, RunningApi, running_api
from tests.support.constant_rows import ConstantRows

BODY = orjson.dumps({"id": 1, "text": "x" * 600})
GET = b"GET /products/1 HTTP/1.1\r\nHost: a\r\n\r\n"
LAST = b"GET /products/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
PAGE = b"GET /products HTTP/1.1\r\nHost: a\r\n\r\n"


def _statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - counters of the server, not ours to make events of
            await asyncio.sleep(0.005)


async def _wait_for_reads(rows: ConstantRows, number: int) -> None:
    await _until(lambda: rows.waiting == number)


async def test_pipelining_when_lane_and_application_mix_then_answers_keep_their_order() -> None:
    """Requests sent at once are answered one after the other, whoever answers them."""
    ids = [f"r{number}" for number in range(60)]
    targets = [b"/products/1", b"/products", b"/products/1/styles", b"/nowhere", b"/products/%31"]
    requests = b"".join(
        b"GET %s HTTP/1.1\r\nHost: a\r\nX-Request-Id: %s\r\n\r\n"
        % (targets[number % len(targets)], name.encode())
        for number, name in enumerate(ids)
    )
    async with running_api(ConstantRows(BODY)) as api:
        answers = await api.exchange(requests + LAST)
        assert re.findall(rb"X-Request-Id: (r\d+)", answers) == [name.encode() for name in ids]
        assert _statuses(answers) == [200, 200, 200, 404, 200] * 12 + [200]


@pytest.mark.parametrize("size", [1, 7, 64])
async def test_requests_when_they_arrive_in_pieces_then_they_are_answered(size: int) -> None:
    """The lane starts when a request is whole, wherever the network cut it."""
    async with running_api(ConstantRows(BODY)) as api:
        reader, writer = await asyncio.open_connection(HOST, api.port)
        stream = GET + PAGE + GET + LAST
        for start in range(0, len(stream), size):
            writer.write(stream[start : start + size])
            await writer.drain()
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            answers = await reader.read()
        writer.close()
        assert _statuses(answers) == [200] * 4


@pytest.mark.parametrize(
    ("request_bytes", "connection"),
    [
        (LAST, b"close"),
        (b"GET /products/1 HTTP/1.0\r\n\r\n", b"close"),
        (b"GET /products/%31 HTTP/1.0\r\n\r\n", b"close"),
        (b"GET /products/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + LAST, b"keep-alive"),
    ],
)
async def test_connection_when_its_end_is_asked_for_then_it_is_closed(
    request_bytes: bytes, connection: bytes
) -> None:
    """`Connection: close` and HTTP/1.0 end the connection after the answer; keep-alive does not."""
    async with running_api(ConstantRows(BODY)) as api:
        answers = await api.exchange(request_bytes)
        assert b"\r\nConnection: " + connection in answers
        assert answers.endswith(BODY)


async def test_head_when_followed_by_get_then_no_body_lies_between() -> None:
    """HEAD in the lane leaves the connection where the next answer begins."""
    head = GET.replace(b"GET", b"HEAD", 1)
    async with running_api(ConstantRows(BODY)) as api:
        answers = await api.exchange(head + LAST)
        assert answers.count(BODY) == 1
        assert answers.count(b"Content-Length: %d\r\n" % len(BODY)) == 2


async def test_get_when_it_has_a_body_then_the_body_is_not_taken_for_the_next_request() -> None:
    """A body on a GET is unusual but allowed; it is read away."""
    bodies = (
        b"GET /products/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /"
        b"GET /products/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
        b"GET /products/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nGET\r\n0\r\n\r\n"
    )
    async with running_api(ConstantRows(BODY)) as api:
        assert _statuses(await api.exchange(bodies + GET + LAST)) == [200] * 5


async def test_connection_when_idle_then_it_is_closed_after_the_setting_and_not_before() -> None:
    """Each request in the lane begins the wait anew; a read that takes longer is not idle."""
    rows = ConstantRows(BODY)
    async with running_api(rows, ApiSettings(keepalive_seconds=0.6)) as api:
        reader, writer = await asyncio.open_connection(HOST, api.port)
        for _ in range(3):
            await asyncio.sleep(0.3)
            writer.write(GET)
            await reader.readuntil(BODY)
        rows.gate.clear()
        writer.write(GET)
        await asyncio.sleep(1.0)
        rows.gate.set()
        await reader.readuntil(BODY)
        answered = time.monotonic()
        assert await reader.read() == b""
        assert 0.4 < time.monotonic() - answered < 3.0
        writer.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
        b"GET\r\n\r\n",
        b"GET /products/1 HTTP/9.9\r\n\r\n",
        b"GET /products/1 HTTP/1.1\r\nHost a\r\n\r\n",
        b"GET /products/1 HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"GET /products/1 HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /products/" + b"1" * 10_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /products/1 HTTP/1.1\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
        b"GET /products/1 HTTP/1.1\r\n" + b"".join(b"A%d: b\r\n" % n for n in range(500)) + b"\r\n",
    ],
)
async def test_http_when_malformed_then_400_as_problem_json_and_the_end(garbage: bytes) -> None:
    """What is no HTTP, and lines beyond every bound, are refused in one answer."""
    async with running_api(ConstantRows(BODY)) as api:
        for before in (b"", GET):
            answers = await api.exchange(before + garbage)
            assert _statuses(answers)[-1] == 400
            assert b"Content-Type: application/problem+json\r\n" in answers
            assert b"Traceback" not in answers


async def test_body_when_too_large_then_413_and_the_end() -> None:
    """A body beyond the setting is refused by what its head announces."""
    announced = b"Content-Length: 99999999\r\n\r\n"
    async with running_api(ConstantRows(BODY)) as api:
        for line in (b"POST /products", b"GET /products/1", b"GET /nowhere"):
            answers = await api.exchange(line + b" HTTP/1.1\r\nHost: a\r\n" + announced + b"xxx")
            assert _statuses(answers) == [413]


async def test_expect_when_strange_then_417_as_problem_json() -> None:
    """Only 100-continue can be expected."""
    request = PAGE[:-2] + b"Expect: miracles\r\nConnection: close\r\n\r\n"
    async with running_api(ConstantRows(BODY)) as api:
        answers = await api.exchange(request)
        assert _statuses(answers) == [417]
        assert b"application/problem+json" in answers


@pytest.mark.parametrize(
    "error",
    [
        RingUnavailableError("none", retry_after_seconds=3),
        RingTimeoutError("late"),
        RingOverloadedError("full"),
        RingRequestError("wrong"),
    ],
)
@pytest.mark.parametrize("path", ["/products/1", "/products/%31/styles", "/readyz"])
async def test_ring_when_it_fails_then_503_with_retry_after(path: str, error: Exception) -> None:
    """Every failure of the ring is a 503 that says when to come back."""
    rows = ConstantRows(BODY)
    async with running_api(rows) as api:
        rows.error = error
        async with api.client.get(path) as response:
            assert response.status == 503
            assert int(response.headers["Retry-After"]) >= 1


@pytest.mark.parametrize("path", ["/products/1", "/products/%31"])
async def test_bug_when_a_read_raises_then_500_shows_nothing_of_it(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug of ours is a 500 without a trace; the trace is in the log under the request's id."""
    rows = ConstantRows(BODY)
    rows.error = ZeroDivisionError("secret detail")
    async with (
        running_api(rows) as api,
        api.client.get(path, headers={"X-Request-Id": "find-me"}) as response,
    ):
        assert response.status == 500
        assert response.headers["Content-Type"] == "application/problem+json"
        assert b"secret" not in await response.read()
    assert "find-me" in caplog.text
    assert "secret detail" in caplog.text


def _in_flight(api: RunningApi) -> int:
    return api.app[RECEPTION].telemetry.in_flight


async def test_caller_when_it_goes_away_then_its_read_is_cancelled() -> None:
    """A closed connection takes its read along and leaves nothing behind."""
    rows = ConstantRows(BODY)
    async with running_api(rows) as api:
        rows.gate.clear()
        writers = []
        for _ in range(20):
            _, writer = await asyncio.open_connection(HOST, api.port)
            writer.write(GET + GET)
            writers.append(writer)
        await _wait_for_reads(rows, 20)
        for writer in writers:
            writer.transport.abort()
        await _wait_for_reads(rows, 0)
        assert _in_flight(api) == 0
        rows.gate.set()
        async with api.client.get("/products/1") as response:
            assert response.status == 200


@pytest.mark.parametrize("path", ["/products/1", "/products/%31"])
async def test_stop_when_requests_are_in_flight_then_they_are_finished(path: str) -> None:
    """/readyz turns 503 first, the port closes, what was asked is answered, the ring is closed."""
    rows = ConstantRows(BODY)
    settings = replace(ApiSettings(), drain_seconds=0.3, shutdown_grace_seconds=5.0)
    async with running_api(rows, settings) as api:
        rows.gate.clear()
        waiting = asyncio.create_task(
            api.exchange(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % path.encode())
        )
        await _wait_for_reads(rows, 1)
        api.stop.set()
        await asyncio.sleep(0.1)
        async with api.client.get("/readyz") as response:
            assert response.status == 503
            assert response.headers["Connection"] == "close"
        await asyncio.sleep(0.4)
        with pytest.raises(ConnectionError):
            await asyncio.open_connection(HOST, api.port)
        assert not api.ended.done()
        rows.gate.set()
        answers = await waiting
        assert _statuses(answers) == [200]
        assert b"\r\nConnection: close" in answers
        await asyncio.wait_for(api.ended, 3)
        assert rows.closed


async def test_stop_when_a_read_never_ends_then_the_grace_period_bounds_it() -> None:
    """A request that hangs cannot hold the process."""
    rows = ConstantRows(BODY)
    async with running_api(rows, ApiSettings(shutdown_grace_seconds=0.2)) as api:
        rows.gate.clear()
        waiting = asyncio.create_task(api.exchange(GET))
        await _wait_for_reads(rows, 1)
        api.stop.set()
        await asyncio.wait_for(api.ended, 5)
        assert await waiting == b""


async def test_stop_when_connections_are_idle_then_they_are_closed_at_once() -> None:
    """Kept-alive connections without a request do not delay a stop."""
    async with running_api(ConstantRows(BODY)) as api:
        reader, writer = await asyncio.open_connection(HOST, api.port)
        writer.write(GET)
        await reader.readuntil(BODY)
        api.stop.set()
        await asyncio.wait_for(api.ended, 3)
        assert await reader.read() == b""
        writer.close()


async def test_caller_when_it_does_not_read_then_it_is_cut_off_within_the_deadline() -> None:
    """Answers that nobody takes do not pile up: the connection waits, then ends."""
    rows = ConstantRows(b'"' + b"x" * 4_000_000 + b'"')
    async with running_api(rows, ApiSettings(request_deadline_seconds=0.3)) as api:
        reader, writer = await asyncio.open_connection(HOST, api.port, limit=1024)
        writer.write(GET * 30)
        await _until(lambda: _in_flight(api) > 0)
        await _until(lambda: _in_flight(api) == 0)
        telemetry = api.app[RECEPTION].telemetry
        assert telemetry.latencies["/products/{id}", 200].count < 30
        writer.close()
        del reader


@pytest.mark.parametrize("origins", ["*", "https://shop.test, https://b.test"])
async def test_preflight_when_a_browser_asks_then_it_may_send_its_headers(origins: str) -> None:
    """Preflights for Authorization and Content-Type are answered for allowed origins only."""
    asks = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    async with running_api(ConstantRows(BODY), ApiSettings(cors_origins=origins)) as api:
        for path in ("/products/1", "/products", "/api/fec2/x/products/1/styles/"):
            headers = asks | {"Origin": "https://shop.test"}
            async with api.client.options(path, headers=headers) as response:
                assert response.status == 204
                assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
                assert response.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
                allowed = response.headers["Access-Control-Allow-Headers"]
                assert {"Authorization", "Content-Type"} <= set(allowed.split(", "))
                assert response.headers["Access-Control-Allow-Origin"] in {
                    "*",
                    "https://shop.test",
                }
        if origins != "*":
            headers = asks | {"Origin": "https://evil.test"}
            async with api.client.options("/products/1", headers=headers) as response:
                assert response.status == 204
                assert not [
                    name for name in response.headers if name.startswith("Access-Control-A")
                ]
        async with api.client.options("/nowhere") as response:
            assert response.status == 404


async def test_request_id_when_given_then_it_is_echoed_everywhere() -> None:
    """One id follows a request; a malformed one is replaced."""
    async with running_api(ConstantRows(BODY)) as api:
        for path in ("/products/1", "/products/%31", "/nowhere", "/healthz"):
            async with api.client.get(path, headers={"X-Request-Id": "abc-1"}) as response:
                assert response.headers["X-Request-Id"] == "abc-1"
            async with api.client.get(path, headers={"X-Request-Id": "no good"}) as response:
                assert response.headers["X-Request-Id"] not in {"", "no good"}


async def test_metrics_when_scraped_then_every_request_is_counted_once() -> None:
    """Lane and application count alike, by route and status."""
    async with running_api(ConstantRows(BODY)) as api:
        for path in ("/products/1", "/products/%31", "/products/x", "/nowhere", "/products"):
            async with api.client.get(path) as response:
                await response.read()
        await api.exchange(b"nonsense\r\n\r\n")
        async with api.client.get("/metrics") as response:
            text = await response.text()
        for labels, count in (
            ('route="/products/{id}",status="200"', 2),
            ('route="/products/{id}",status="404"', 1),
            ('route="unmatched",status="404"', 1),
            ('route="unreadable",status="400"', 1),
            ('route="/products",status="200"', 1),
        ):
            assert f"catalog_requests_total{{{labels}}} {count}.0" in text
        assert "catalog_requests_in_flight 1.0" in text
        assert "catalog_event_loop_lag_seconds_bucket" in text
