"""A node of three is killed under votes and posts: nothing told is lost or counted twice."""

import asyncio
import dataclasses
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from ring import RingClient, RingSettings
from ring.apply_schema import apply_schema
from ring.nodes.local_ring import LocalRing
from ring.nodes.settings import REPOSITORY
from schema.statements import API_STATEMENTS
from tests.support.api import RunningApi, running_api
from tests.support.ccm import open_ring, ring_settings_for_tests
from tests.support.stored_catalog import READY_SECONDS, CatalogProduct, plain_product, write_catalog

ADDRESS_PREFIX = "127.0.17."
JMX_PORT = 17_700
VOTERS = 24
POSTERS = 4
SECONDS_BEFORE, SECONDS_AFTER = 4.0, 8.0

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
def three() -> Iterator[LocalRing]:
    """Three nodes that keep what they acknowledged."""
    settings = dataclasses.replace(
        ring_settings_for_tests(os.environ), address_prefix=ADDRESS_PREFIX, jmx_port=JMX_PORT
    )
    ring = open_ring(settings, "tests-api-writes", fresh=True, jvm_arguments=())
    try:
        ring.start(timeout_seconds=settings.start_timeout_seconds)
        yield ring
    finally:
        ring.stop()


async def test_writes_when_a_node_is_killed_then_every_204_counts_and_every_201_is_there(
    three: LocalRing,
) -> None:
    """The count is that of the 204s, and at most one more for each 503."""
    settings = RingSettings(
        contact_points=tuple(node.address for node in three.nodes), keyspace="api_writes"
    )
    await apply_schema(settings, Path(REPOSITORY) / "schema", replication_factor=3)
    await write_catalog(settings, [CatalogProduct(plain_product(1))])
    ring = await RingClient.open(settings, API_STATEMENTS)
    await ring.wait_ready(READY_SECONDS)
    async with running_api(ring) as api:
        assert await _post(api, "voted on") == 201
        (voted,) = await _reviews(api)
        votes: Counter[int] = Counter()
        posted: dict[str, int] = {}
        stop = asyncio.Event()
        work = [asyncio.create_task(_vote_on(api, voted, votes, stop)) for _ in range(VOTERS)]
        work += [
            asyncio.create_task(_post_on(api, number, posted, stop)) for number in range(POSTERS)
        ]
        await asyncio.sleep(SECONDS_BEFORE)
        process = three.nodes[1].process()
        assert process is not None
        process.signal(signal.SIGKILL)
        await asyncio.sleep(SECONDS_AFTER)
        stop.set()
        await asyncio.gather(*work)

        assert set(votes) <= {204, 503}
        assert votes[204] > 100
        shown = {one["summary"]: one for one in await _reviews(api)}
        helpfulness = shown["voted on"]["helpfulness"]
        assert votes[204] <= helpfulness <= votes[204] + votes[503]
        acknowledged = {summary for summary, status in posted.items() if status == 201}
        assert acknowledged
        assert acknowledged <= set(shown)


async def _post(api: RunningApi, summary: str) -> int:
    body = {
        "product_id": 1, "rating": 5, "summary": summary, "body": "b", "recommend": True,
        "name": "n", "email": "e", "characteristics": {},
    }  # fmt: skip
    async with api.client.post("/reviews", json=body) as response:
        return response.status


async def _reviews(api: RunningApi) -> list[dict[str, Any]]:
    """All reviews, a page of a thousand after the other."""
    found: list[dict[str, Any]] = []
    while True:
        page = len(found) // 1000 + 1
        path = f"/reviews?product_id=1&count=1000&sort=newest&page={page}"
        async with api.client.get(path) as response:
            assert response.status == 200
            results = orjson.loads(await response.read())["results"]
        found += results
        if len(results) < 1000:
            return found


async def _vote_on(
    api: RunningApi, review: dict[str, Any], votes: Counter[int], stop: asyncio.Event
) -> None:
    while not stop.is_set():
        async with api.client.put(f"/reviews/{review['review_id']}/helpful") as response:
            votes[response.status] += 1


async def _post_on(
    api: RunningApi, poster: int, posted: dict[str, int], stop: asyncio.Event
) -> None:
    number = 0
    while not stop.is_set():
        number += 1
        summary = f"{poster}-{number}"
        posted[summary] = await _post(api, summary)
        await asyncio.sleep(0.02)
