"""Pages of searches when a budget is spent or the indexes are too slow, on a real Cassandra."""

import random
from typing import Any

from catalog_api.domain.find import Search, read_search
from catalog_api.domain.page_tokens import Position
from catalog_api.repositories.find import FindRepository, Key
from catalog_api.services import merging
from catalog_api.services.find import FindService
from ring import RingClient, RingSettings
from ring.errors import RingTimeoutError
from schema.statements import API_STATEMENTS
from tests.support.searches import Wish, random_product, random_wish, rebuild
from tests.support.stored_catalog import READY_SECONDS, write_catalog

SECONDS = 20.0


class SlowIndexes(FindRepository):
    """Every read through an index runs out of time."""

    async def fetch_keys(self, *_arguments: Any, **_options: Any) -> list[Key]:
        """Raise."""
        raise RingTimeoutError("too slow")


async def find_all(service: FindService, search: Search, rows: int) -> tuple[list[Any], list[int]]:
    """Return the ids of all pages, and how many each had."""
    ids: list[Any] = []
    sizes = []
    position: Position | None = None
    while True:
        found = await service.find(search, rows, position)
        ids += [product.id for product in found.products]
        sizes.append(len(found.products))
        if found.position is None:
            return ids, sizes
        before, position = position, found.position
        assert before is None or (before.place, before.item_id) < (position.place, position.item_id)


async def test_page_when_its_budget_is_spent_then_it_is_short_and_the_next_one_goes_on(
    ring_settings: RingSettings, monkeypatch: Any
) -> None:
    """No page reads more than a slice of each shard, and all pages find what a scan finds."""
    monkeypatch.setattr(merging, "_SCAN_ROWS", 5)
    chance = random.Random(20261122)  # noqa: S311 - the same products each time
    catalog, known = zip(*(random_product(n + 1, chance) for n in range(150)), strict=True)
    await write_catalog(ring_settings, catalog)
    ring = await RingClient.open(ring_settings, API_STATEMENTS)
    await ring.wait_ready(READY_SECONDS)
    try:
        await rebuild(ring, shard_rows=40)
        service = FindService(
            SlowIndexes(ring, timeout_seconds=SECONDS), budget_rows=1, budget_seconds=SECONDS
        )
        rare = Wish(properties=frozenset({("Colour", "x=y"), ("Size", "L")}), on_sale=True)
        wishes = [rare, Wish(sort="-price"), *(random_wish(chance) for _ in range(15))]
        for wish in wishes:
            search = read_search(wish.query())
            ids, sizes = await find_all(service, search, 7)
            assert ids == wish.finds(known), wish
            if wish is rare:
                assert 0 in sizes[:-1]
    finally:
        await ring.aclose()
