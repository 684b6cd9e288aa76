"""Several app servers on one ring: ids are unique, votes exact, and what one took all show."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import orjson

from catalog_api.repositories.ids import IdAllocator
from ring import RingClient, RingSettings
from schema.ids import FIRST_NEW_ID
from schema.statements import API_STATEMENTS
from tests.support.api import RunningApi, running_api
from tests.support.stored_catalog import READY_SECONDS, CatalogProduct, plain_product, write_catalog

IDS_EACH = 25_000


@asynccontextmanager
async def _servers(settings: RingSettings, count: int) -> AsyncIterator[Sequence[RunningApi]]:
    """Serve by so many app servers, each with a ring client of its own."""
    await write_catalog(settings, [CatalogProduct(plain_product(1))])
    async with AsyncExitStack() as stack:
        servers = []
        for _ in range(count):
            ring = await RingClient.open(settings, API_STATEMENTS)
            await ring.wait_ready(READY_SECONDS)
            servers.append(await stack.enter_async_context(running_api(ring)))
        yield servers


def _review(summary: str) -> dict[str, object]:
    return {
        "product_id": 1,
        "rating": 5,
        "summary": summary,
        "body": "b",
        "recommend": True,
        "name": "n",
        "email": "e",
        "photos": ["p"],
        "characteristics": {},
    }


async def _post(api: RunningApi, summary: str) -> int:
    async with api.client.post("/reviews", json=_review(summary)) as response:
        return response.status


async def _vote(api: RunningApi, review_id: int) -> int:
    async with api.client.put(f"/reviews/{review_id}/helpful") as response:
        return response.status


async def _reviews(api: RunningApi) -> list[dict[str, Any]]:
    async with api.client.get("/reviews?product_id=1&count=1000") as response:
        assert response.status == 200
        results: list[dict[str, Any]] = orjson.loads(await response.read())["results"]
        return results


async def test_ids_when_four_take_many_at_once_then_no_two_are_equal(
    ring_settings: RingSettings,
) -> None:
    """Each takes several blocks, some ids at a time, while the others do the same."""
    clients = [await RingClient.open(ring_settings, API_STATEMENTS) for _ in range(4)]
    try:
        for client in clients:
            await client.wait_ready(READY_SECONDS)

        async def take(client: RingClient) -> list[int]:
            allocator = IdAllocator(client, "reviews", timeout_seconds=10.0)
            batches = await asyncio.gather(*(allocator.take(250) for _ in range(IDS_EACH // 250)))
            return [one for batch in batches for one in batch]

        taken = await asyncio.gather(*(take(client) for client in clients))
    finally:
        for client in clients:
            await client.aclose()
    ids = [one for each in taken for one in each]
    assert len(set(ids)) == 4 * IDS_EACH
    assert min(ids) == FIRST_NEW_ID
    assert max(ids) < 2**53


async def test_reviews_when_four_servers_create_at_once_then_each_is_shown_by_all(
    ring_settings: RingSettings,
) -> None:
    """A hundred reviews with ids of their own, in the next list of every app server."""
    async with _servers(ring_settings, 4) as servers:
        posts = [_post(servers[number % 4], str(number)) for number in range(100)]
        assert set(await asyncio.gather(*posts)) == {201}
        for api in servers:
            shown = await _reviews(api)
            assert len({one["review_id"] for one in shown}) == 100
            assert {one["summary"] for one in shown} == {str(number) for number in range(100)}
            assert len({one["photos"][0]["id"] for one in shown}) == 100


async def test_votes_when_five_servers_take_two_hundred_each_then_there_are_a_thousand(
    ring_settings: RingSettings,
) -> None:
    """All at once on one review; every one is answered 204, and counted once."""
    async with _servers(ring_settings, 5) as servers:
        assert await _post(servers[0], "voted on") == 201
        (review,) = await _reviews(servers[1])
        votes = [_vote(servers[number % 5], review["review_id"]) for number in range(1_000)]
        assert set(await asyncio.gather(*votes)) == {204}
        for api in servers:
            (review,) = await _reviews(api)
            assert review["helpfulness"] == 1_000


async def test_order_when_another_server_changes_it_then_the_next_list_has_it(
    ring_settings: RingSettings,
) -> None:
    """A product with many reviews, whose order each app server keeps in memory."""
    async with _servers(ring_settings, 2) as (first, second):
        posts = [_post(first, str(number)) for number in range(80)]
        assert set(await asyncio.gather(*posts)) == {201}
        shown = await _reviews(second)
        assert len(shown) == 80
        last = shown[-1]["review_id"]
        assert await _vote(first, last) == 204
        assert (await _reviews(second))[0]["review_id"] == last
        assert await _post(first, "one more") == 201
        assert "one more" in {one["summary"] for one in await _reviews(second)}
        async with first.client.put(f"/reviews/{last}/report") as response:
            assert response.status == 204
        assert last not in {one["review_id"] for one in await _reviews(second)}
