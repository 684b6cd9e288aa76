"""Reviews over HTTP, from rows in a real Cassandra: lists, meta, new ones, votes and reports."""

import asyncio
from operator import itemgetter
from typing import Any

import orjson

from ring import RingSettings
from schema.reviews import Characteristic, Rating, Review
from tests.support.api import RunningApi, running_catalog
from tests.support.stored_catalog import CatalogProduct, plain_product
from tests.support.stored_feedback import Feedback, write_feedback

CATALOG = [CatalogProduct(plain_product(number)) for number in (1, 2)]
TEXT = "text/html; charset=utf-8"


def review(**changes: object) -> dict[str, object]:
    """Return what a client posts."""
    return {
        "product_id": 1,
        "rating": 4,
        "summary": "Fine",
        "body": "It does what it should.",
        "recommend": True,
        "name": "jo",
        "email": "jo@example.org",
        "photos": ["https://images.test/1"],
        "characteristics": {"14": 5},
    } | changes


async def post(api: RunningApi, body: dict[str, object]) -> tuple[int, str, bytes]:
    """Return status, content type and body."""
    async with api.client.post("/reviews", json=body) as response:
        return response.status, response.headers["Content-Type"], await response.read()


async def fetch(api: RunningApi, path: str, **headers: str) -> Any:
    """Return the decoded body of a 200 that no cache may keep."""
    async with api.client.get(path, headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "application/json; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-store"
        return orjson.loads(await response.read())


async def put(api: RunningApi, path: str) -> tuple[int, bytes]:
    """Return status and body."""
    async with api.client.put(path, json={}) as response:
        return response.status, await response.read()


async def test_review_when_posted_then_it_is_in_the_next_list_and_in_meta(
    ring_settings: RingSettings,
) -> None:
    """Every field comes back as it was sent, with keys in the contract's order."""
    async with running_catalog(ring_settings, CATALOG) as api:
        assert await post(api, review()) == (201, TEXT, b"Created")
        listed = await fetch(api, "/reviews?product_id=1")
        assert list(listed) == ["product", "page", "count", "results"]
        assert (listed["product"], listed["page"], listed["count"]) == ("1", 0, 5)
        (one,) = listed["results"]
        assert list(one) == [
            *("review_id", "rating", "summary", "recommend", "response", "body", "date"),
            *("reviewer_name", "helpfulness", "photos"),
        ]
        assert one["rating"] == 4
        assert one["recommend"] is True
        assert one["response"] is None
        assert one["helpfulness"] == 0
        assert [photo["url"] for photo in one["photos"]] == ["https://images.test/1"]
        meta = await fetch(api, "/reviews/meta?product_id=1")
        assert meta == {
            "product_id": "1",
            "ratings": {"4": "1"},
            "recommended": {"true": "1"},
            "characteristics": {},
        }
        assert await put(api, f"/reviews/{one['review_id']}/helpful") == (204, b"")
        assert await put(api, f"/reviews/{one['review_id']}/helpful/") == (204, b"")
        (one,) = (await fetch(api, "/reviews?product_id=1"))["results"]
        assert one["helpfulness"] == 2
        old = {"X-Legacy-Profile": "2020"}
        (one,) = (await fetch(api, "/reviews?product_id=1", **old))["results"]
        assert (one["recommend"], one["response"]) == (1, "")
        assert (await fetch(api, "/reviews/meta?product_id=1", **old))["ratings"] == {"4": 1}
        assert await put(api, f"/reviews/{one['review_id']}/report") == (204, b"")
        assert (await fetch(api, "/reviews?product_id=1"))["results"] == []
        assert await fetch(api, "/reviews/meta?product_id=1") == meta


async def test_votes_when_many_come_at_once_then_each_counts_once(
    ring_settings: RingSettings,
) -> None:
    """Two hundred voters of one app server."""
    async with running_catalog(ring_settings, CATALOG) as api:
        await post(api, review())
        (one,) = (await fetch(api, "/reviews?product_id=1"))["results"]
        path = f"/reviews/{one['review_id']}/helpful"
        answers = await asyncio.gather(*(put(api, path) for _ in range(200)))
        assert answers == [(204, b"")] * 200
        (one,) = (await fetch(api, "/reviews?product_id=1"))["results"]
        assert one["helpfulness"] == 200


async def test_lists_when_a_product_has_many_reviews_then_orders_and_pages_hold(
    ring_settings: RingSettings,
) -> None:
    """Beyond what is read whole: every page, in each order, also after votes, reports and posts."""
    async with running_catalog(ring_settings, CATALOG) as api:
        for number in range(100):
            await post(api, review(summary=str(number)))
        listed = await fetch(api, "/reviews?product_id=1&count=1000&sort=newest")
        ids = [one["review_id"] for one in listed["results"]]
        assert {one["summary"] for one in listed["results"]} == {str(n) for n in range(100)}
        # Two may have been written in one millisecond: then the smaller id comes first.
        by_id = sorted(listed["results"], key=itemgetter("review_id"))
        assert listed["results"] == sorted(by_id, key=itemgetter("date"), reverse=True)
        for place, votes in ((50, 3), (10, 2), (70, 2)):
            for _ in range(votes):
                await put(api, f"/reviews/{ids[place]}/helpful")
        await put(api, f"/reviews/{ids[0]}/report")
        await post(api, review(summary="new"))
        pages = [
            (await fetch(api, f"/reviews?product_id=1&page={page}&count=7"))["results"]
            for page in range(1, 17)
        ]
        found = [one for page in pages for one in page]
        assert len(found) == 100
        assert found == sorted(found, key=lambda one: (-one["helpfulness"], one["review_id"]))
        assert [one["helpfulness"] for one in found[:4]] == [3, 2, 2, 0]
        assert ids[0] not in {one["review_id"] for one in found}
        newest = await fetch(api, "/reviews?product_id=1&count=1&sort=newest")
        assert newest["results"][0]["summary"] == "new"
        meta = await fetch(api, "/reviews/meta?product_id=1")
        assert meta["ratings"] == {"4": "101"}


INVALID: tuple[dict[str, object], ...] = (
    {"rating": 6},
    {"rating": 0},
    {"rating": 4.5},
    {"rating": "much"},
    {"product_id": "x"},
    {"product_id": 2**53},
    {"product_id": 77},
    {"body": ""},
    {"body": None},
    {"recommend": "maybe"},
    {"photos": "https://images.test/1"},
    {"photos": [1]},
    {"characteristics": {"14": 9}},
    {"characteristics": [5]},
    {"summary": "\0"},
)


async def test_review_when_it_is_invalid_then_the_contracts_words_say_so(
    ring_settings: RingSettings,
) -> None:
    """422 in plain text, and nothing is stored."""
    refused = (422, TEXT, b"Error: Review body contains invalid entries")
    async with running_catalog(ring_settings, CATALOG) as api:
        for changes in INVALID:
            assert await post(api, review(**changes)) == refused, changes
        for missing in ("rating", "summary", "body", "recommend", "name", "email", "product_id"):
            body = review()
            del body[missing]
            assert await post(api, body) == refused, missing
        assert (await fetch(api, "/reviews?product_id=1"))["results"] == []
        without_photos = review()
        del without_photos["photos"]
        assert (await post(api, without_photos))[0] == 201


async def test_reviews_when_the_request_is_invalid_then_the_contracts_words_say_so(
    ring_settings: RingSettings,
) -> None:
    """422 for a product id that cannot be read, 400 for a page or an order, 404 for a review."""
    async with running_catalog(ring_settings, CATALOG) as api:
        for path in ("/reviews", "/reviews/meta"):
            for query in ("", "?product_id=", "?product_id=x", "?product_id=1.5"):
                async with api.client.get(path + query) as response:
                    text = await response.text()
                    assert (response.status, text) == (422, "Error: invalid product_id provided")
        for query in ("page=0", "count=0", "count=x", "sort=best"):
            async with api.client.get(f"/reviews?product_id=1&{query}") as response:
                assert response.status == 400, query
        for key in ("7", "hello", "null", "5.55", "-1", str(2**53)):
            for verb in ("helpful", "report"):
                answer = await put(api, f"/reviews/{key}/{verb}")
                assert answer == (404, b"Error: invalid review id provided")


async def test_list_when_pages_are_asked_for_then_the_offset_and_the_asked_count_are_echoed(
    ring_settings: RingSettings,
) -> None:
    """`page` echoes the offset, `count` what was asked, as numbers; a huge count answers 200."""
    async with running_catalog(ring_settings, CATALOG) as api:
        listed = await fetch(api, "/reviews/?product_id=007&page=3&count=10")
        assert (listed["product"], listed["page"], listed["count"]) == ("7", 20, 10)
        listed = await fetch(api, "/reviews?product_id=1&count=1000000000&unknown=1")
        assert (listed["page"], listed["count"], listed["results"]) == (0, 1000000000, [])
        under_mount = await fetch(api, "/api/fec2/hr-rfp/reviews?product_id=1&page=2")
        assert under_mount["page"] == 5


async def test_meta_when_reviews_are_posted_then_they_are_added_to_what_was_loaded(
    ring_settings: RingSettings,
) -> None:
    """Marks for the product's own characteristics move their means, others do not."""
    loaded = Feedback(
        1,
        reviews=[Review(5, 3, 0, "", "", True, None, "", None, 9, ratings=[Rating(1, 14, 2)])],
        characteristics=[Characteristic(14, "Fit"), Characteristic(15, "Width")],
    )
    await write_feedback(ring_settings, loaded)
    async with running_catalog(ring_settings, CATALOG) as api:
        await post(api, review(characteristics={"14": 5, "999": 1}, recommend=False))
        assert await fetch(api, "/reviews/meta?product_id=1") == {
            "product_id": "1",
            "ratings": {"3": "1", "4": "1"},
            "recommended": {"false": "1", "true": "1"},
            "characteristics": {
                "Fit": {"id": 14, "value": "3.5000000000000000"},
                "Width": {"id": 15, "value": None},
            },
        }
        old = await fetch(api, "/reviews/meta?product_id=1", **{"X-Legacy-Profile": "2020"})
        assert old["recommended"] == {"0": 1, "1": 1}
        assert old["characteristics"]["Fit"] == {"id": 14, "value": "3.5000"}
