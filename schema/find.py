"""What the rows behind `GET /v1/products/find` are: facts of a product, its terms and its places.

The one encoder of `find_entries_by_product.entry` and `products_by_order`. A term is what a search
may ask for: on sale or not, in stock or not, a property with a value. Features of loaded products
count as properties, too.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import orjson

ALL_PRODUCTS: Final = ""
"""The category under which every product stands beside its own."""
MAX_TERMS: Final = 256
"""A product with more than so many values of properties is found by the first of them only."""
LONGEST_TERM_BYTES: Final = 200
LONGEST_CATEGORY: Final = 1_000
"""A category of more characters is none: it is a part of keys, which have 65,535 bytes at most."""
_LOADED: Final = 2**53
"""Loaded products tell no moment: they count as older than all others, by id."""


class Ordering(IntEnum):
    """The orders of `products_by_order`."""

    NEWEST = 0
    CHEAPEST = 1
    DEAREST = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """What a product is found by.

    Attributes:
        price_cents: the lowest price at which a style is sold now; without styles, the default.
        sale_cents: the lowest sale price, None when nothing is on sale.
        terms: see `property_term`; without those of sale and stock.
    """

    product_id: int
    category: str | None
    price_cents: int
    sale_cents: int | None
    in_stock: bool
    properties: frozenset[str]

    @property
    def terms(self) -> frozenset[str]:
        """All terms."""
        return self.properties | {sale_term(self.sale_cents is not None), stock_term(self.in_stock)}


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a product stands.

    Attributes:
        category: empty when it has none: then it stands among all products only.
        listed: microseconds since 1970; for loaded products a negative number that rises by id.
        shard: of its category.
        shard_of_all: of all products.
        terms: ascending.
    """

    category: str
    listed: int
    price_cents: int
    shard: int
    shard_of_all: int
    terms: tuple[str, ...]


Place = tuple[str, int, int, int, int]
"""category, ordering, shard, place, product_id: a key of `products_by_order`."""


def facts_of(
    product: Mapping[str, Any],
    styles: Iterable[Mapping[str, Any]],
    properties: Mapping[str, Any],
) -> Facts:
    """Return the facts of a decoded product: its body, its styles, its properties."""
    prices, sales, in_stock = [], [], False
    for style in styles:
        sale = style["sale_price"]
        if sale is not None:
            sales.append(cents_of(sale))
        prices.append(cents_of(style["original_price"]) if sale is None else sales[-1])
        in_stock = in_stock or any((sku["quantity"] or 0) > 0 for sku in style["skus"].values())
    return Facts(
        product_id=product["id"],
        category=category_of(product),
        price_cents=min(prices) if prices else cents_of(product["default_price"]),
        sale_cents=min(sales) if sales else None,
        in_stock=in_stock,
        properties=frozenset(_property_terms(product["features"], properties)),
    )


def category_of(product: Mapping[str, Any]) -> str | None:
    """Return the category that a decoded product is found by."""
    text: str | None = product["category"]
    return text if text and len(text) <= LONGEST_CATEGORY else None


def cents_of(price: str) -> int:
    """Return a stored price in cents: `140.00` is 14000."""
    return int(price.replace(".", ""))


def _property_terms(
    features: Sequence[Mapping[str, Any]], properties: Mapping[str, Any]
) -> Iterator[str]:
    terms: dict[str, None] = {}
    for name, value in properties.items():
        for one in value if isinstance(value, list) else [value]:
            terms[property_term(name, value_text(one))] = None
    for feature in features:
        if feature["feature"] is not None and feature["value"] is not None:
            terms[property_term(feature["feature"], feature["value"])] = None
    return iter(list(terms)[:MAX_TERMS])


def value_text(value: object) -> str:
    """Return a property's value as searches write it: `true`, `7`, `7.5`, or the text itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LOADED:
        return str(int(value))
    return str(value)


def property_term(name: str, value: str) -> str:
    """Return the term of a property with this value; long ones are told by their digest."""
    term = f"p{name}={value}"
    encoded = term.encode()
    if len(encoded) > LONGEST_TERM_BYTES:
        return "h" + hashlib.blake2b(encoded, digest_size=20).hexdigest()
    return term


def sale_term(on_sale: bool) -> str:  # noqa: FBT001 - reads as its sentence
    """Return the term of products that are on sale, or of those that are not."""
    return "s1" if on_sale else "s0"


def stock_term(in_stock: bool) -> str:  # noqa: FBT001 - reads as its sentence
    """Return the term of products of which some are in stock, or of those that are sold out."""
    return "q1" if in_stock else "q0"


def listing_of(category: str) -> str:
    """Return the key of `find_listings`: Cassandra takes no empty one."""
    return f"={category}" if category else "all"


def loaded_at(product_id: int) -> int:
    """Return when a loaded product counts as listed."""
    return product_id - _LOADED


def render_entry(entry: Entry | None) -> bytes:
    """Return the stored form; empty for a product that is gone."""
    return b"" if entry is None else orjson.dumps(entry)


def parse_entry(stored: bytes) -> Entry | None:
    """Return what `render_entry` was given."""
    if not stored:
        return None
    fields = orjson.loads(stored)
    return Entry(**fields | {"terms": tuple(fields["terms"])})


def places_of(product_id: int, entry: Entry | None) -> list[Place]:
    """Return the keys of all rows of a product."""
    if entry is None:
        return []
    listings = [(ALL_PRODUCTS, entry.shard_of_all)]
    if entry.category:
        listings.append((entry.category, entry.shard))
    places = (
        (Ordering.NEWEST, -entry.listed),
        (Ordering.CHEAPEST, entry.price_cents),
        (Ordering.DEAREST, -entry.price_cents),
    )
    return [
        (category, int(ordering), shard, place, product_id)
        for category, shard in listings
        for ordering, place in places
    ]
