"""Searches over HTTP, on rows in a real Cassandra: against a scan of all products, page by page."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from catalog_api.domain.errors import InvalidSearchError
from catalog_api.domain.find import read_limit, read_search
from catalog_api.settings import ApiSettings
from ring import RingClient, RingSettings
from schema.statements import API_STATEMENTS
from tests.support.api import RunningApi, running_api, running_catalog
from tests.support.searches import Known, Wish, find_all, random_product, random_wish, rebuild
from tests.support.stored_catalog import READY_SECONDS

SEED = 20261121
DOCUMENT = {
    "name": "Hat",
    "default_price": "12.50",
    "category": "Hats",
    "styles": [{"original_price": "10.00", "sale_price": "9.00", "skus": [{"quantity": 1}]}],
    "properties": {"flavours": ["mint", "lime"], "organic": True, "grams": 240.0, "ratio": 0.5},
}


@asynccontextmanager
async def shop(
    settings: RingSettings, products: int, *, shard_rows: int = 40, **changes: Any
) -> AsyncIterator[tuple[RunningApi, RingClient, list[Known]]]:
    """Serve random products that a rebuild has placed in shards of so many rows."""
    chance = random.Random(SEED)  # noqa: S311 - the same products each time
    catalog, known = zip(*(random_product(n + 1, chance) for n in range(products)), strict=True)
    async with running_catalog(settings, catalog, replace(ApiSettings(), **changes)) as api:
        ring = await RingClient.open(settings, API_STATEMENTS)
        await ring.wait_ready(READY_SECONDS)
        try:
            progress = await rebuild(ring, shard_rows=shard_rows)
            assert (progress.seen, progress.placed) == (products, products)
            yield api, ring, list(known)
        finally:
            await ring.aclose()


async def send(api: RunningApi, method: str, path: str, **options: Any) -> Any:
    """Return the decoded body of a success, None without one."""
    async with api.client.request(method, path, **options) as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json() if answer.status != 204 else None


async def refuse(api: RunningApi, **query: str) -> str:
    """Return the detail of the 400 that a query gets."""
    async with api.client.get("/v1/products/find", params=query) as answer:
        assert answer.status == 400, await answer.text()
        assert answer.content_type == "application/problem+json"
        body = await answer.json()
        return str(body["detail"])


async def test_search_when_any_conditions_are_combined_then_all_pages_are_what_a_scan_finds(
    ring_settings: RingSettings,
) -> None:
    """Random products in many shards, random searches, every order, pages of several sizes."""
    async with shop(ring_settings, 300) as (api, _, known):
        chance = random.Random(SEED + 1)  # noqa: S311 - the same searches each time
        wishes = [Wish(sort=sort) for sort in ("newest", "price", "-price")]
        for wish in wishes + [random_wish(chance) for _ in range(80)]:
            found, pages = await find_all(api.client, wish, chance.choice([5, 17, 100]))
            assert found == wish.finds(known), wish
            counts = [page["count"] for page in pages]
            if len(pages) == 1:
                assert counts == [{"estimate": len(found), "exact": True}]
            else:
                assert {count["exact"] for count in counts} == {False}
                assert len({count["estimate"] for count in counts}) == 1
        _, pages = await find_all(api.client, Wish(), 100)
        assert pages[0]["count"] == {"estimate": 300, "exact": False}


async def test_product_when_changed_through_the_api_then_the_next_search_knows_it(
    ring_settings: RingSettings,
) -> None:
    """Created, moved in price and category, sold out, deleted; typed properties are found."""
    async with shop(ring_settings, 5) as (api, _, known):
        hat = await send(api, "POST", "/v1/products", json=DOCUMENT)
        for wished in (
            *({("flavours", "mint")}, {("flavours", "lime"), ("organic", "true")}),
            *({("grams", "240")}, {("ratio", "0.5")}),
        ):
            wish = Wish(properties=frozenset(wished))
            found, pages = await find_all(api.client, wish, 5)
            assert found == [hat["id"]]
            (page,) = pages
            assert page["products"] == [
                {
                    "id": hat["id"],
                    "name": "Hat",
                    "slogan": None,
                    "category": "Hats",
                    "default_price": "12.50",
                    "price": "9.00",
                    "sale_price": "9.00",
                    "on_sale": True,
                    "in_stock": True,
                    "thumbnail_url": None,
                }
            ]
        everything = [hat["id"], *(one.product_id for one in reversed(known))]
        assert (await find_all(api.client, Wish(), 2))[0] == everything
        path = f"/v1/products/{hat['id']}"
        changed = {"category": "Caps", "styles": [], "default_price": "0.01"}
        patch = {"Content-Type": "application/merge-patch+json"}
        await send(api, "PATCH", path, json=changed, headers=patch)
        assert (await find_all(api.client, Wish("Hats"), 5))[0] == []
        assert (await find_all(api.client, Wish("Caps", on_sale=False), 5))[0] == [hat["id"]]
        assert (await find_all(api.client, Wish(sort="price"), 1))[0][0] == hat["id"]
        assert (await find_all(api.client, Wish(sort="-price"), 1))[0][-1] == hat["id"]
        await send(api, "DELETE", path)
        for sort in ("newest", "price", "-price"):
            wish = Wish(sort=sort)
            assert (await find_all(api.client, wish, 2))[0] == wish.finds(known)
        assert (await find_all(api.client, Wish("Caps"), 5))[0] == []


async def test_product_when_two_servers_change_it_at_once_then_it_stands_in_one_place(
    ring_settings: RingSettings,
) -> None:
    """Contending changes of price: afterwards each order has the product once, at its price."""
    async with shop(ring_settings, 3) as (api, _, _):
        second = await RingClient.open(ring_settings, API_STATEMENTS)
        await second.wait_ready(READY_SECONDS)
        async with running_api(second) as other:
            hat = await send(api, "POST", "/v1/products", json=DOCUMENT | {"styles": []})
            path = f"/v1/products/{hat['id']}"
            patch = {"Content-Type": "application/merge-patch+json"}

            async def change(server: RunningApi, cents: int) -> None:
                price = f"{cents // 100}.{cents % 100:02d}"
                await send(server, "PATCH", path, json={"default_price": price}, headers=patch)

            for round_ in range(4):
                await asyncio.gather(
                    *(change((api, other)[n % 2], 100 + 10 * round_ + n) for n in range(8))
                )
                price = (await send(api, "GET", path))["default_price"]
                cents = int(price.replace(".", ""))
                for sort in ("newest", "price", "-price"):
                    wish = Wish("Hats", cents, cents, sort=sort)
                    assert (await find_all(api.client, wish, 3))[0] == [hat["id"]]
                    wish = Wish("Hats", sort=sort)
                    assert (await find_all(other.client, wish, 3))[0] == [hat["id"]]


async def test_paging_when_products_change_meanwhile_then_the_others_come_once_each(
    ring_settings: RingSettings,
) -> None:
    """Between pages products are deleted, created and moved; those left alone are all there."""
    async with shop(ring_settings, 120) as (api, _, known):
        chance = random.Random(SEED + 2)  # noqa: S311 - the same each time
        touched = set(chance.sample(range(1, 121), 40))
        for sort in ("newest", "price", "-price"):
            found: list[int] = []
            token = None
            while True:
                query = {"sort": sort, "limit": "9"} | ({"page_token": token} if token else {})
                page = await send(api, "GET", "/v1/products/find", params=query)
                found += [product["id"] for product in page["products"]]
                token = page["next_page_token"]
                if token is None:
                    break
                product_id = chance.choice(sorted(touched))
                price = f"{chance.randrange(1, 20)}.00"
                changed = DOCUMENT | {"styles": [], "default_price": price}
                await send(api, "PUT", f"/v1/products/{product_id}", json=changed)
                await send(api, "POST", "/v1/products", json=changed)
            left = [one.product_id for one in known if one.product_id not in touched]
            of_left = [one for one in found if one in set(left)]
            assert of_left == [one for one in Wish(sort=sort).finds(known) if one in set(left)]


async def test_token_when_forged_or_foreign_then_refused_and_when_ours_then_any_server_takes_it(
    ring_settings: RingSettings,
) -> None:
    """Signed by the deployment's secret for one search; which server asks does not matter."""
    async with shop(ring_settings, 12) as (api, _, known):
        page = await send(api, "GET", "/v1/products/find", params={"limit": "5"})
        token = page["next_page_token"]
        for place in [*range(0, len(token), 7), len(token) - 1]:
            other = "A" if token[place] != "A" else "B"
            forged = token[:place] + other + token[place + 1 :]
            assert "none of ours" in await refuse(api, page_token=forged)
        for forged in ("", "x", "é", token + "AAAA", token[:-4], "A" * 3_000):
            assert "none of ours" in await refuse(api, page_token=forged)
        assert "another search" in await refuse(api, page_token=token, sort="price")
        assert "another search" in await refuse(api, page_token=token, on_sale="true")
        for secret, is_taken in (
            ("", True),
            ("another-secret" * 3, False),
        ):
            ring = await RingClient.open(ring_settings, API_STATEMENTS)
            await ring.wait_ready(READY_SECONDS)
            async with running_api(ring, ApiSettings(session_secret=secret)) as other_api:
                if is_taken:
                    query = {"page_token": token, "limit": "100"}
                    page = await send(other_api, "GET", "/v1/products/find", params=query)
                    ids = [product["id"] for product in page["products"]]
                    assert ids == Wish().finds(known)[5:]
                else:
                    assert "none of ours" in await refuse(other_api, page_token=token)


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"categry": "x"}, "categry"),
        ({"category": ""}, "category"),
        ({"min_price": "-1"}, "min_price"),
        ({"max_price": "1.234"}, "max_price"),
        ({"min_price": "2", "max_price": "1"}, "above"),
        ({"on_sale": "1"}, "on_sale"),
        ({"in_stock": "yes"}, "in_stock"),
        ({"property": "colour"}, "name=value"),
        ({"property": "=red"}, "name=value"),
        ({"sort": "oldest"}, "sort"),
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
    ],
)
def test_search_when_it_cannot_be_then_the_detail_names_why(
    query: dict[str, str], word: str
) -> None:
    """Every parameter is checked before anything is read."""

    def read() -> None:
        read_limit(query.get("limit"), default=20, most=100)
        read_search(query.items())

    with pytest.raises(InvalidSearchError, match=word):
        read()
