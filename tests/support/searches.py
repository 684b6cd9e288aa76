"""Random products and searches, and what a search must find by a plain scan of all products."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession

from catalog_api.repositories.find_entries import FindEntriesRepository
from catalog_api.repositories.find_rebuilds import FindRebuildsRepository
from catalog_api.repositories.product_rows import ProductRowsRepository
from catalog_api.repositories.product_scan import ProductScan
from catalog_api.services.find_rebuild import FindRebuild, Progress
from catalog_api.services.find_view import FindView
from ring import RingClient
from schema.documents import Feature, Photo, Sku, Style
from tests.support.stored_catalog import CatalogProduct, plain_product

CATEGORIES = ["Jackets", "Shoes", "Ω & co", None]
COLOURS = ["red", "green", "x=y", "", "Ünï" * 200]
SIZES = ["S", "M", "L"]
SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Known:
    """A product as the test knows it; `listed` rises from older to newer."""

    product_id: int
    category: str | None
    cents: int
    on_sale: bool
    in_stock: bool
    listed: int
    properties: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Wish:
    """A search as the test knows it."""

    category: str | None = None
    low: int | None = None
    high: int | None = None
    on_sale: bool | None = None
    in_stock: bool | None = None
    properties: frozenset[tuple[str, str]] = frozenset()
    sort: str = "newest"
    extra: dict[str, str] = field(default_factory=dict)

    def query(self) -> list[tuple[str, str]]:
        """Return its parameters."""
        texts = {
            "category": self.category,
            "min_price": None if self.low is None else f"{self.low / 100:.2f}",
            "max_price": None if self.high is None else f"{self.high / 100:.2f}",
            "on_sale": None if self.on_sale is None else str(self.on_sale).lower(),
            "in_stock": None if self.in_stock is None else str(self.in_stock).lower(),
            "sort": self.sort,
        }
        query = [(name, text) for name, text in texts.items() if text is not None]
        return query + [("property", f"{name}={value}") for name, value in sorted(self.properties)]

    def finds(self, known: Sequence[Known]) -> list[int]:
        """Return the ids that it must find, in their order."""
        met = [one for one in known if self._is_met(one)]
        if self.sort == "newest":
            met.sort(key=lambda one: (-one.listed, one.product_id))
        else:
            sign = 1 if self.sort == "price" else -1
            met.sort(key=lambda one: (sign * one.cents, one.product_id))
        return [one.product_id for one in met]

    def _is_met(self, one: Known) -> bool:
        return (
            (self.category is None or one.category == self.category)
            and (self.low is None or one.cents >= self.low)
            and (self.high is None or one.cents <= self.high)
            and (self.on_sale is None or one.on_sale == self.on_sale)
            and (self.in_stock is None or one.in_stock == self.in_stock)
            and self.properties <= one.properties
        )


def random_product(product_id: int, chance: random.Random) -> tuple[CatalogProduct, Known]:
    """Return a product as a load stores it, and what is known of it."""
    category = chance.choice(CATEGORIES)
    default = chance.choice([500, 1000, 2000, 999_999])
    features = {
        name: chance.choice(values)
        for name, values in (("Colour", COLOURS), ("Size", SIZES))
        if chance.random() < 0.8
    }
    styles = []
    for number in range(chance.choice([0, 1, 1, 2])):
        price = chance.choice([700, 1000, 1500])
        sale = chance.choice([None, None, price - 100])
        skus = [Sku(number, chance.choice([0, 0, 3]), "S") for _ in range(chance.choice([0, 1, 2]))]
        styles.append(Style(number + 1, "s", price, sale, number == 0, [Photo("t", "u")], skus))
    prices = [
        style.original_price_cents if style.sale_price_cents is None else style.sale_price_cents
        for style in styles
    ]
    product = plain_product(
        product_id,
        category=category,
        default_price_cents=default,
        features=[Feature(name, value) for name, value in features.items()],
    )
    known = Known(
        product_id,
        category,
        min(prices, default=default),
        any(style.sale_price_cents is not None for style in styles),
        any(sku.quantity > 0 for style in styles for sku in list(style.skus)[-1:]),
        product_id,
        frozenset(features.items()),
    )
    return CatalogProduct(product, styles), known


def random_wish(chance: random.Random) -> Wish:
    """Return any search."""

    def maybe(*values: Any) -> Any:
        return chance.choice(values) if chance.random() < 0.4 else None

    low = maybe(0, 600, 1000)
    high = maybe(1000, 1400, 999_999)
    properties = {("Colour", colour) for colour in [maybe(*COLOURS)] if colour is not None}
    properties |= {("Size", size) for size in [maybe(*SIZES)] if size is not None}
    return Wish(
        maybe(*CATEGORIES[:3], "nothing"),
        low,
        high,
        maybe(True, False),
        maybe(True, False),
        frozenset(properties),
        chance.choice(["newest", "price", "-price"]),
    )


async def find_all(client: ClientSession, wish: Wish, limit: int) -> tuple[list[int], list[Any]]:
    """Return the ids of all pages of a search, and the pages."""
    found: list[int] = []
    pages = []
    token: str | None = None
    while True:
        query = [*wish.query(), ("limit", str(limit))]
        query += [("page_token", token)] if token else []
        async with client.get("/v1/products/find", params=query) as answer:
            assert answer.status == 200, await answer.text()
            page = await answer.json()
        pages.append(page)
        assert len(page["products"]) <= limit
        found += [product["id"] for product in page["products"]]
        token = page["next_page_token"]
        if token is None:
            return found, pages
        assert len(pages) < 1_000


async def rebuild(
    ring: RingClient,
    *,
    shard_rows: int = 100_000,
    report: Callable[[Progress], None] = lambda _progress: None,
) -> Progress:
    """Place all products."""
    entries = FindEntriesRepository(ring, timeout_seconds=SECONDS)
    return await FindRebuild(
        ProductScan(ring, timeout_seconds=SECONDS),
        entries,
        FindView(entries, shard_rows=shard_rows),
        ProductRowsRepository(ring, timeout_seconds=SECONDS),
        FindRebuildsRepository(ring, timeout_seconds=SECONDS),
    ).run(report)
