"""nginx as rendered, before app servers that do as they are told."""

import asyncio
import json
import re
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from nginx.render import NginxPlan, render
from ring.nodes.service import inherited_environment
from tests.support.front import running_front
from tests.support.upstream import Upstream, running

HOST, PORT, STATUS_PORT, APP_PORT = "127.0.10.1", 18000, 18001, 18080
ADDRESSES = ("127.0.10.11", "127.0.10.12")
BASE = f"http://{HOST}:{PORT}"


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run nginx before two addresses where app servers may or may not be; yield its log folder."""
    with running_front(
        tmp_path_factory.mktemp("nginx"),
        [(address, APP_PORT) for address in ADDRESSES],
        host=HOST,
        port=PORT,
        status_port=STATUS_PORT,
    ) as plan:
        yield plan.logs


@pytest_asyncio.fixture
async def upstreams(front: Path) -> AsyncIterator[list[Upstream]]:
    """Two app servers behind nginx, new for each test."""
    del front
    async with AsyncExitStack() as stack:
        upstreams = [
            await stack.enter_async_context(running(Upstream(address, APP_PORT)))
            for address in ADDRESSES
        ]
        # A server that failed in the test before is left alone for a second.
        async with asyncio.timeout(10):
            while not all(upstream.requests for upstream in upstreams):
                await raw(b"GET /warm HTTP/1.0\r\nHost: x\r\n\r\n")
        for upstream in upstreams:
            upstream.requests.clear()
        yield upstreams


@pytest_asyncio.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    """A client that gives up after ten seconds."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        yield session


async def raw(request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes as they are; return status, headers in lower case and body."""
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(HOST, PORT)
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").rstrip().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        body = await reader.readexactly(int(headers["content-length"]))
        writer.close()
    return int(status_line.split(" ")[1]), headers, body


def assert_problem(status: int, headers: dict[str, str], body: bytes, wanted: int) -> None:
    """Assert that an answer is a problem document of this status, with its request's id."""
    assert status == wanted
    assert headers["content-type"] == "application/problem+json"
    problem = json.loads(body)
    assert (problem["status"], problem["type"]) == (wanted, "about:blank")
    assert problem["title"] != "Error"
    assert problem["request_id"] == headers["x-request-id"]


@pytest.mark.parametrize(
    ("request_bytes", "wanted"),
    [
        (b"GET /products/1 HTTP/1.1\r\nHost: x\r\nno colon here\r\nConnection: close\r\n\r\n", 400),
        (b"GET /products/%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 400),
        (b"GET /products/1 HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"GET /products/" + b"9" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 40_000 + b"\r\n\r\n", 431),
        (
            b"POST /r HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n",
            413,
        ),
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b"GET /%6detrics/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b"GET /api/fec2/hr-x/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
        (b"GET /assets/none.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 404),
    ],
)
async def test_bad_request_when_nginx_refuses_then_problem(
    upstreams: list[Upstream], request_bytes: bytes, wanted: int
) -> None:
    """What nginx refuses itself is a problem document and reaches no app server."""
    assert_problem(*await raw(request_bytes), wanted)
    assert [upstream.requests for upstream in upstreams] == [[], []]


async def test_long_line_below_the_limit_when_asked_then_passed_on(
    upstreams: list[Upstream], client: aiohttp.ClientSession
) -> None:
    """A line of 7 kB is the app server's to judge."""
    async with client.get(f"{BASE}/products/{'9' * 7000}") as answer:
        assert answer.status == 200
    assert sum(len(upstream.requests) for upstream in upstreams) == 1


@pytest.mark.usefixtures("front")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
async def test_no_app_server_when_asked_then_bad_gateway(
    client: aiohttp.ClientSession, method: str
) -> None:
    """Without any app server every method gets a 502 that says when to come back."""
    async with client.request(method, f"{BASE}/products/1") as answer:
        headers = {name.lower(): value for name, value in answer.headers.items()}
        assert_problem(answer.status, headers, await answer.read(), 502)
        assert headers["retry-after"] == "1"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
async def test_one_app_server_dead_when_asked_then_no_request_fails(
    front: Path, client: aiohttp.ClientSession, method: str
) -> None:
    """A refused connection costs a client nothing, whatever the method: nobody saw the request."""
    del front
    async with running(Upstream(ADDRESSES[1], APP_PORT)) as alive:
        async with asyncio.timeout(10):
            while not alive.requests:
                await raw(b"GET /warm HTTP/1.0\r\nHost: x\r\n\r\n")
        # By now the other one is to be tried again.
        await asyncio.sleep(1.1)
        alive.requests.clear()
        body = None if method in {"GET", "HEAD"} else b'{"a":1}'
        for _ in range(30):
            async with client.request(method, f"{BASE}/products/1", data=body) as answer:
                assert answer.status == 200
        assert [(request[0], request[3]) for request in alive.requests] == [
            (method, body or b"")
        ] * 30


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("body", [b'{"rating":5}', None])
async def test_write_when_app_server_dies_during_it_then_not_repeated(
    upstreams: list[Upstream], client: aiohttp.ClientSession, method: str, body: bytes | None
) -> None:
    """A write that an app server may have seen is answered by 502, never sent to another one."""
    for upstream in upstreams:
        upstream.behaviour = "hang_up"
    async with client.request(method, f"{BASE}/reviews", data=body) as answer:
        assert answer.status == 502
    assert sum(len(upstream.requests) for upstream in upstreams) == 1


async def test_read_when_app_server_dies_during_it_then_asked_of_another(
    upstreams: list[Upstream], client: aiohttp.ClientSession
) -> None:
    """A read goes on to the next app server; its client sees 200."""
    upstreams[0].behaviour = "hang_up"
    for _ in range(10):
        async with client.get(f"{BASE}/products/1") as answer:
            assert answer.status == 200
            assert await answer.text() == f"from {upstreams[1].address}"


@pytest.mark.parametrize(
    ("given", "kept"),
    [("mine-1.a_b~c", True), ("a" * 128, True), ("a" * 129, False), ("two words", False)],
)
async def test_request_id_when_well_formed_then_passed_on(
    upstreams: list[Upstream], client: aiohttp.ClientSession, given: str, *, kept: bool
) -> None:
    """The app server gets the caller's id when it is well-formed, and one of nginx's otherwise."""
    async with client.get(f"{BASE}/products/1", headers={"X-Request-Id": given}) as answer:
        assert answer.status == 200
    (request,) = [request for upstream in upstreams for request in upstream.requests]
    passed_on = request[2]["x-request-id"]
    assert (passed_on == given) is kept
    assert kept or re.fullmatch("[0-9a-f]{32}", passed_on)


async def test_client_that_names_its_own_address_when_asked_then_not_believed(
    upstreams: list[Upstream], client: aiohttp.ClientSession
) -> None:
    """X-Forwarded-For is what nginx saw, not what the client says."""
    headers = {"X-Forwarded-For": "1.2.3.4", "X-Real-IP": "1.2.3.4"}
    async with client.get(f"{BASE}/products/1", headers=headers) as answer:
        assert answer.status == 200
    (request,) = [request for upstream in upstreams for request in upstream.requests]
    assert request[2]["x-forwarded-for"] == request[2]["x-real-ip"] != "1.2.3.4"


async def test_reads_when_many_then_all_app_servers_on_kept_connections(
    upstreams: list[Upstream], client: aiohttp.ClientSession
) -> None:
    """Reads spread over the app servers, without a new connection each."""
    before = await connections_handled(client)
    for _ in range(40):
        async with client.get(f"{BASE}/products/1") as answer:
            assert answer.status == 200
    assert all(upstream.requests for upstream in upstreams)
    assert all(
        request[2].get("connection") is None
        for upstream in upstreams
        for request in upstream.requests
    )
    # Only the client's own connections and the one that asks for the figures are counted there.
    assert await connections_handled(client) - before <= 5


async def connections_handled(client: aiohttp.ClientSession) -> int:
    """Return how many connections nginx has accepted, from stub_status."""
    async with client.get(f"http://127.0.0.1:{STATUS_PORT}/nginx_status") as answer:
        assert answer.status == 200
        match = re.search(r"\n (\d+) (\d+) (\d+)", await answer.text())
    assert match is not None
    return int(match[2])


async def test_access_log_when_request_done_then_one_json_line(
    front: Path, upstreams: list[Upstream], client: aiohttp.ClientSession
) -> None:
    """Every request leaves one line of JSON with its id, status and app server."""
    del upstreams
    headers = {"X-Request-Id": "logged-1", "User-Agent": 'quote " and \\ inside'}
    async with client.get(f"{BASE}/products/1?x=%22", headers=headers) as answer:
        assert answer.status == 200
    line = ""
    for _ in range(50):
        # Lines are written in blocks, at the latest after a second.
        await asyncio.sleep(0.1)
        text = (front / "nginx-access.log").read_text(encoding="utf-8")
        line = next((line for line in text.splitlines() if "logged-1" in line), "")
        if line:
            break
    entry = json.loads(line)
    assert entry["status"] == "200"
    assert entry["uri"] == "/products/1?x=%22"
    assert entry["agent"] == 'quote " and \\ inside'
    assert entry["upstream"] in {f"{address}:{APP_PORT}" for address in ADDRESSES}


def test_rendered_configuration_when_tested_by_nginx_then_accepted_without_a_word(
    tmp_path: Path,
) -> None:
    """`nginx -t` accepts the result, warnings included, also in a folder with blanks."""
    plan = NginxPlan(tmp_path / "a b", (("127.0.0.1", 8080), ("::1", 8080)))
    render(plan)
    command = ["nginx", "-e", str(tmp_path / "error.log"), "-t", "-q", "-c", str(plan.main_file)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env=inherited_environment(),
    )
    assert (done.returncode, done.stderr) == (0, "")
