"""What searches read after loads, interruptions and beside changes, on a real Cassandra."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from catalog_api.services import find_rebuild
from catalog_api.services.find_rebuild import Progress
from ring import RingClient, RingSettings
from ring.statements import Consistency, Statement
from schema.statements import API_STATEMENTS
from tests.support.api import running_api
from tests.support.searches import Known, Wish, find_all, random_product, rebuild
from tests.support.stored_catalog import READY_SECONDS, CatalogProduct, write_catalog

PRODUCTS = 90
ROWS = Statement(
    "select_all_places",
    "SELECT category, ordering, place, product_id FROM products_by_order",
    Consistency.LOCAL_QUORUM,
    idempotent=True,
)
DELETE_ROW = Statement(
    "delete_product_row",
    "DELETE FROM products_by_id WHERE product_id = ?",
    Consistency.LOCAL_QUORUM,
    idempotent=True,
)


def catalog() -> tuple[list[CatalogProduct], list[Known]]:
    """Return the same random products each time."""
    chance = random.Random(20261123)  # noqa: S311
    products, known = zip(*(random_product(n + 1, chance) for n in range(PRODUCTS)), strict=True)
    return list(products), list(known)


async def opened(settings: RingSettings) -> RingClient:
    """Return a client that can also look behind."""
    ring = await RingClient.open(settings, (*API_STATEMENTS, ROWS, DELETE_ROW))
    await ring.wait_ready(READY_SECONDS)
    return ring


async def places(ring: RingClient) -> dict[int, list[tuple[Any, ...]]]:
    """Return category, ordering and place of all rows, by product."""
    found: dict[int, list[tuple[Any, ...]]] = {}
    for *place, product_id in await ring.execute(ROWS.name):
        found.setdefault(product_id, []).append(tuple(place))
    return {product_id: sorted(rows) for product_id, rows in found.items()}


def expected(known: list[Known]) -> dict[int, list[tuple[Any, ...]]]:
    """Return what `places` must be."""
    return {
        one.product_id: sorted(
            (category, ordering, place)
            for category in {"", one.category or ""}
            for ordering, place in enumerate((2**53 - one.product_id, one.cents, -one.cents))
        )
        for one in known
    }


async def test_rebuild_when_products_are_loaded_changed_and_gone_then_rows_follow_and_no_more(
    ring_settings: RingSettings,
) -> None:
    """Every product has its rows and no others; a second run writes nothing."""
    products, known = catalog()
    await write_catalog(ring_settings, products)
    ring = await opened(ring_settings)
    try:
        first = await rebuild(ring, shard_rows=20)
        assert (first.seen, first.placed, first.share) == (PRODUCTS, PRODUCTS, 1.0)
        assert await places(ring) == expected(known)
        second = await rebuild(ring, shard_rows=20)
        assert (second.seen, second.placed) == (PRODUCTS, 0)
        # A later load brings other prices; one product's row is lost altogether.
        moved = products[0]
        product = replace(moved.product, default_price_cents=31)
        await write_catalog(ring_settings, [replace(moved, product=product, styles=())])
        await ring.execute(DELETE_ROW.name, (2,))
        third = await rebuild(ring, shard_rows=20)
        assert (third.seen, third.placed) == (PRODUCTS - 1, 2)
        assert await places(ring) == expected([replace(known[0], cents=31), *known[2:]])
    finally:
        await ring.aclose()


async def test_rebuild_when_stopped_on_the_way_then_the_next_run_goes_on_there(
    ring_settings: RingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is looked at twice but what was under way, and the counts are whole."""
    monkeypatch.setattr(find_rebuild, "CHUNK_PRODUCTS", 10)
    monkeypatch.setattr(find_rebuild, "_SAVE_SECONDS", 0)
    products, known = catalog()
    await write_catalog(ring_settings, products)
    ring = await opened(ring_settings)

    def stop(progress: Progress) -> None:
        if progress.seen >= 50:
            raise InterruptedError

    try:
        with pytest.raises(InterruptedError):
            await rebuild(ring, report=stop)
        progress = await rebuild(ring)
        assert (progress.seen, progress.seen_here) == (PRODUCTS, PRODUCTS - 50)
        assert await places(ring) == expected(known)
        listings = {
            category: (await ring.execute("select_listing", (category,)))[0][2]
            for category in ("all", "=Jackets", "=Shoes")
        }
        counts = Counter(one.category for one in known)
        assert listings == {
            "all": PRODUCTS,
            "=Jackets": counts["Jackets"],
            "=Shoes": counts["Shoes"],
        }
    finally:
        await ring.aclose()


async def test_rebuild_when_a_shop_changes_products_meanwhile_then_both_are_right(
    ring_settings: RingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each product stands once in each order, at the price it has in the end."""
    monkeypatch.setattr(find_rebuild, "CHUNK_PRODUCTS", 10)
    products, known = catalog()
    await write_catalog(ring_settings, products)
    ring, own = await opened(ring_settings), await opened(ring_settings)
    async with running_api(ring) as api:
        prices: dict[int, int] = {}

        async def change() -> None:
            chance = random.Random(5)  # noqa: S311
            for number in range(60):
                product_id, cents = chance.randrange(1, PRODUCTS + 1), 10_000 + number
                body = {"default_price": f"{cents / 100:.2f}", "styles": []}
                async with api.client.patch(
                    f"/v1/products/{product_id}",
                    json=body,
                    headers={"Content-Type": "application/merge-patch+json"},
                ) as answer:
                    assert answer.status == 200, await answer.text()
                prices[product_id] = cents

        changing = asyncio.create_task(change())
        runs = 0
        while not changing.done() or runs == 0:
            await rebuild(own, shard_rows=20)
            runs += 1
        await changing
        now = [
            replace(one, cents=prices[one.product_id], on_sale=False, in_stock=False)
            if one.product_id in prices
            else one
            for one in known
        ]
        for sort in ("price", "-price"):
            wish = Wish(sort=sort)
            assert (await find_all(api.client, wish, 50))[0] == wish.finds(now)
        stood = await places(own)
        assert {product_id: len(rows) for product_id, rows in stood.items()} == {
            one.product_id: 6 if one.category else 3 for one in now
        }
        await own.aclose()
