"""Products to search among, and searches."""

import random
import time
from collections.abc import Iterator, Mapping
from typing import Final

from benchmarks.find_layouts import READ_SECONDS, WRITE_SECONDS
from catalog_api.domain.find import Order, Search
from catalog_api.repositories.find import FindRepository
from catalog_api.repositories.find_entries import FindEntriesRepository
from catalog_api.repositories.find_rebuilds import FindRebuildsRepository
from catalog_api.repositories.product_rows import ProductRowsRepository
from catalog_api.repositories.product_scan import ProductScan
from catalog_api.services.find import FindService
from catalog_api.services.find_rebuild import FindRebuild
from catalog_api.services.find_view import FindView
from ring import RingClient
from schema.documents import (
    Feature,
    Photo,
    Product,
    Sku,
    Style,
    etag_of,
    render_product,
    render_styles,
)
from schema.statements.load import WRITE_PRODUCT

SEARCHES: Final[Mapping[str, Search]] = {
    "all, newest": Search(),
    "all, cheapest": Search(order=Order.PRICE),
    "a category, newest": Search(category="category 3"),
    "a category, cheapest, in stock, on sale": Search(
        category="category 3", in_stock=True, on_sale=True, order=Order.PRICE
    ),
    "all, newest, a price range of 1 %": Search(min_cents=10_000, max_cents=10_500),
    "all, dearest, a colour and a size": Search(
        properties=(("Colour", "3"), ("Size", "2")), order=Order.PRICE_DESCENDING
    ),
    "all, newest, a brand of 0.1 % in a colour": Search(
        properties=(("Brand", "7"), ("Colour", "3"))
    ),
    "all, newest, nothing": Search(properties=(("Brand", "none"),)),
}


async def write_products(ring: RingClient, count: int) -> None:
    """Write products as a load would, without blocks and directory."""
    for batch in ring.gather(WRITE_PRODUCT.name, _rows(count)):
        await ring.write(batch, timeout_seconds=WRITE_SECONDS)


def _rows(count: int) -> Iterator[tuple[object, ...]]:
    chance = random.Random(7)  # noqa: S311 - no secret
    written_at = time.time_ns() // 1000
    for product_id in range(1, count + 1):
        features = (("Colour", 20), ("Size", 6), ("Brand", 1000))
        product = render_product(
            Product(
                product_id,
                f"Product {product_id}",
                "A slogan of some words",
                "A description. " * 20,
                f"category {chance.randrange(20)}",
                chance.randrange(100, 50_000),
                [Feature(name, str(chance.randrange(values))) for name, values in features],
            )
        )
        styles = render_styles(
            product_id,
            [
                Style(
                    product_id * 2 + number,
                    "A style",
                    price := chance.randrange(100, 50_000),
                    price * 9 // 10 if chance.random() < 0.2 else None,
                    number == 0,
                    [Photo("https://images.test/thumbnail", "https://images.test/photo")] * 3,
                    [Sku(product_id * 12 + n, chance.randrange(3), "M") for n in range(6)],
                )
                for number in range(2)
            ],
        )
        related = b"[1,2,3]"
        yield (
            *(product_id, product, etag_of(product), related, etag_of(related), b"{}"),
            *(styles, etag_of(styles), written_at),
        )


def build_rebuild(ring: RingClient) -> FindRebuild:
    """Return a rebuild as the command runs it."""
    entries = FindEntriesRepository(ring, timeout_seconds=READ_SECONDS)
    return FindRebuild(
        ProductScan(ring, timeout_seconds=READ_SECONDS),
        entries,
        FindView(entries),
        ProductRowsRepository(ring, timeout_seconds=READ_SECONDS),
        FindRebuildsRepository(ring, timeout_seconds=READ_SECONDS),
    )


def build_service(ring: RingClient) -> FindService:
    """Return the service with the shipped budget."""
    find = FindRepository(ring, timeout_seconds=READ_SECONDS)
    return FindService(find, budget_rows=10_000, budget_seconds=1.0)
