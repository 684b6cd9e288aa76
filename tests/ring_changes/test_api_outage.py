"""Cassandra is down before the app server starts, dies under requests, and comes back."""

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ring import RingClient, RingSettings
from ring.apply_schema import apply_schema
from ring.nodes.local_ring import LocalRing
from ring.nodes.settings import REPOSITORY
from schema.statements import API_STATEMENTS
from tests.support.api import RunningApi, running_api
from tests.support.ccm import ring_of_one
from tests.support.stored_catalog import CatalogProduct, plain_product, write_catalog

ADDRESS_PREFIX = "127.0.11."
ADDRESS = ADDRESS_PREFIX + "1"
JMX_PORT = 17_190
CATALOG = tuple(CatalogProduct(plain_product(number)) for number in range(1, 21))
# From the opening of the CQL port; a starting JVM takes both cores here.
BACK_SECONDS = 10.0

pytestmark = [
    pytest.mark.ring,
    pytest.mark.timeout(600),
    # ccm 3.1.5 reads versions the old way and leaves its children's output open.
    pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]


@pytest.fixture
def one_node() -> Iterator[LocalRing]:
    """A ring of one node of this test alone, not started."""
    with ring_of_one("tests-outage-ring", ADDRESS_PREFIX, JMX_PORT) as ring:
        yield ring


async def test_reads_when_cassandra_dies_and_returns_then_only_200_and_503(
    one_node: LocalRing,
) -> None:
    """No answer but 200 and 503 at any time, and 200 again without a restart."""
    settings = RingSettings(contact_points=(ADDRESS,), keyspace="outage")
    ring = await RingClient.open(settings, API_STATEMENTS)
    async with running_api(ring) as api:
        assert await _status(api, "/products/1") == 503
        assert await _status(api, "/readyz") == 503

        await asyncio.to_thread(one_node.start)
        await apply_schema(settings, Path(REPOSITORY) / "schema")
        await write_catalog(settings, CATALOG)
        await _until_served(api)

        seen: Counter[int] = Counter()
        readers = [asyncio.create_task(_read_on(api, seen)) for _ in range(8)]
        await asyncio.sleep(1.0)
        assert set(seen) == {200}
        process = one_node.nodes[0].process()
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        await asyncio.sleep(3.0)
        assert set(seen) == {200, 503}
        assert await _status(api, "/products?page=1") == 503
        assert await _status(api, "/healthz") == 200

        await asyncio.to_thread(one_node.start)
        await _until_served(api)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        assert set(seen) == {200, 503}


async def _status(api: RunningApi, path: str) -> int:
    async with api.client.get(path) as response:
        if response.status == 503:
            assert int(response.headers["Retry-After"]) >= 1
            assert response.headers["Content-Type"] == "application/problem+json"
        await response.read()
        return response.status


async def _lists(api: RunningApi) -> bool:
    """Whether the list shows products: an empty directory, read too early, asks no node."""
    async with api.client.get("/products?page=1") as response:
        return response.status == 200 and await response.read() != b"[]"


async def _read_on(api: RunningApi, seen: Counter[int]) -> None:
    while True:
        for tail in ("", "/styles", "/related"):
            seen[await _status(api, f"/products/{1 + seen.total() % 20}{tail}")] += 1
        await asyncio.sleep(0.01)


async def _until_served(api: RunningApi) -> None:
    started = time.monotonic()
    paths = ("/products/1", "/products", "/readyz")
    while True:
        with contextlib.suppress(ConnectionError):
            if {await _status(api, path) for path in paths} == {200} and await _lists(api):
                return
        assert time.monotonic() - started < BACK_SECONDS
        await asyncio.sleep(0.05)
