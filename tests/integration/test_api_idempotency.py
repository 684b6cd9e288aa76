"""Idempotency-Key over HTTP, with a real Cassandra: one key, one effect, one answer."""

import asyncio

from catalog_api.idempotency import hash_of
from ring import RingClient, RingSettings
from schema.statements import API_STATEMENTS
from schema.statements.idempotency import BEGIN_REQUEST
from tests.support.api import running_catalog
from tests.support.catalog_documents import NEW, legacy, second_server, send
from tests.support.editor import AS_EDITOR, EDITOR
from tests.support.stored_catalog import READY_SECONDS, CatalogProduct, plain_product

CATALOG = [CatalogProduct(plain_product(1))]
PATH = "/v1/products"
KEY = {"Idempotency_Key": "key-1"}
REVIEW = {
    "product_id": 1,
    "rating": 4,
    "summary": "Fine",
    "body": "Good.",
    "recommend": True,
    "name": "jo",
    "email": "jo@example.org",
    "characteristics": {},
}


async def test_post_when_repeated_with_its_key_then_the_first_answer_comes_again(
    ring_settings: RingSettings,
) -> None:
    """Through any server; another body is 422; another caller or route has keys of its own."""
    async with (
        running_catalog(ring_settings, CATALOG) as api,
        second_server(ring_settings) as other,
    ):
        first = await send(api, "POST", PATH, NEW, **KEY)
        assert first.status == 201
        assert "Idempotent-Replayed" not in first.headers
        for server, path in ((api, PATH), (other, PATH + "/")):
            again = await send(server, "POST", path, NEW, **KEY)
            assert (again.status, again.body, again.etag) == (201, first.body, first.etag)
            assert again.headers["Location"] == first.headers["Location"]
            assert again.headers["Content-Type"] == first.headers["Content-Type"]
            assert again.headers["Idempotent-Replayed"] == "true"
        changed = await send(other, "POST", PATH, NEW | {"name": "other"}, **KEY)
        assert changed.status == 422
        assert "Idempotency-Key" in changed.json["detail"]
        # The scheme's case is the caller's choice, and makes the value another one.
        stranger = await send(api, "POST", PATH, NEW, Authorization=f"bearer {EDITOR}", **KEY)
        assert stranger.status == 201
        assert stranger.json["id"] != first.json["id"]
        for bad in ("", "x" * 256, "ä"):
            assert (await send(api, "POST", PATH, NEW, Idempotency_Key=bad)).status == 400


async def test_legacy_post_when_repeated_with_its_key_then_it_counts_once(
    ring_settings: RingSettings,
) -> None:
    """The contract's routes take keys too; a refusal is repeated as well."""
    async with running_catalog(ring_settings, CATALOG) as api:
        for _ in range(3):
            posted = await send(api, "POST", "/reviews", REVIEW, **KEY)
            assert (posted.status, posted.body) == (201, b"Created")
            assert posted.headers["Content-Type"] == "text/html; charset=utf-8"
        assert posted.headers["Idempotent-Replayed"] == "true"
        reviews = await legacy(api, "/reviews?product_id=1")
        assert len(reviews["results"]) == 1


async def test_post_when_the_same_comes_at_once_then_one_works_and_the_others_wait(
    ring_settings: RingSettings,
) -> None:
    """Two servers: one product; each caller gets its answer, or 409 and when to come back."""
    async with (
        running_catalog(ring_settings, CATALOG) as api,
        second_server(ring_settings) as other,
    ):
        answers = await asyncio.gather(
            *(send(server, "POST", PATH, NEW, **KEY) for server in [api, other] * 4)
        )
        created = [one for one in answers if one.status == 201]
        busy = [one for one in answers if one.status == 409]
        assert len(created) + len(busy) == 8
        assert len({one.body for one in created}) == 1
        assert sum("Idempotent-Replayed" not in one.headers for one in created) == 1
        assert all(1 <= int(one.headers["Retry-After"]) <= 15 for one in busy)
        again = await send(api, "POST", PATH, NEW, **KEY)
        assert again.body == created[0].body


async def test_post_when_it_was_refused_then_its_key_is_free_again(
    ring_settings: RingSettings,
) -> None:
    """What changed nothing may be sent again, mended, with the same key."""
    async with running_catalog(ring_settings, CATALOG) as api:
        assert (await send(api, "POST", PATH, NEW | {"name": 5}, **KEY)).status == 422
        assert (await send(api, "POST", PATH, NEW, **KEY)).status == 201


async def test_post_when_its_holder_died_then_it_is_taken_over_after_the_lease(
    ring_settings: RingSettings,
) -> None:
    """A lease that runs is 409 with the rest of it; one that has ended is another's."""
    async with running_catalog(ring_settings, CATALOG) as api:
        ring = await RingClient.open(ring_settings, API_STATEMENTS)
        await ring.wait_ready(READY_SECONDS)
        body = b'{"name":"x","default_price":"1.00"}'
        asked = hash_of("", "application/json", body)
        try:
            for key, held_until, status in (("dead", 1, 201), ("busy", 2**52, 409)):
                scope = hash_of(AS_EDITOR["Authorization"], PATH, key)
                await ring.execute(BEGIN_REQUEST.name, (scope, asked, 5, held_until))
                answer = await send(api, "POST", PATH, body, Idempotency_Key=key)
                assert answer.status == status
                other = await send(api, "POST", PATH, b"{}", Idempotency_Key=key)
                assert other.status == 422
        finally:
            await ring.aclose()
