"""What a stored body is: the one encoder of the JSON that the API serves from a row as it stands.

Bodies are in the default (2021) profile, compact UTF-8 as orjson writes it. Prices are whole cents
here and text with two decimals in the body. The load renders the same bytes in SQL; a property test
holds the two equal. Below the bodies stand the two packed forms of `products_by_block.live_ids` and
`product_directory.live_rows`.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5
from sys import byteorder
from typing import Final

import orjson

MAX_ID: Final = 2**53 - 1
"""The largest id: the largest integer that every JSON reader of the legacy clients keeps exact."""

ETAG_HEX_DIGITS: Final = 16

BLOCK_IDS: Final = 1_000
"""Consecutive ids in one partition of `products_by_block`."""
LIVE_IDS_BYTES: Final = BLOCK_IDS // 8
NO_LIVE_IDS: Final = bytes(LIVE_IDS_BYTES)
SEGMENT_BLOCKS: Final = 1_000
"""Consecutive blocks in one row of `product_directory`."""
SEGMENT_BYTES: Final = SEGMENT_BLOCKS * 2


@dataclass(frozen=True, slots=True)
class Feature:
    """One line of features.csv as it is served."""

    feature: str | None
    value: str | None


@dataclass(frozen=True, slots=True)
class Product:
    """One product with its features in the order of their lines. The price is in cents."""

    product_id: int
    name: str | None
    slogan: str | None
    description: str | None
    category: str | None
    default_price_cents: int
    features: Sequence[Feature] = ()


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo of a style."""

    thumbnail_url: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Sku:
    """One size of a style with the pieces in stock."""

    sku_id: int
    quantity: int
    size: str | None


@dataclass(frozen=True, slots=True)
class Style:
    """One style with its photos and skus in the order of their lines. Prices are in cents."""

    style_id: int
    name: str | None
    original_price_cents: int
    sale_price_cents: int | None
    is_default: bool
    photos: Sequence[Photo] = ()
    skus: Sequence[Sku] = ()


Property = bool | int | float | str | Sequence[str]
"""The value of a specific property."""


@dataclass(frozen=True, slots=True)
class SourceRows:
    """CSV ids of the child rows in the order in which a product's bodies render them.

    Attributes:
        features: ids of the rows of features.csv.
        photos: per style id, the ids of the rows of photos.csv; styles without photos are absent.
        related: ids of the rows of related.csv.
    """

    features: Sequence[int] = ()
    photos: Mapping[int, Sequence[int]] = field(default_factory=dict)
    related: Sequence[int] = ()


def price_text(cents: int) -> str:
    """Return the price as served: 14000 cents are `140.00`."""
    return f"{cents // 100}.{cents % 100:02d}"


def _list_row(product: Product) -> dict[str, object]:
    return {
        "id": product.product_id,
        "name": product.name,
        "slogan": product.slogan,
        "description": product.description,
        "category": product.category,
        "default_price": price_text(product.default_price_cents),
    }


def render_list_row(product: Product) -> bytes:
    """Return the product's object in `GET /products`: `products_by_block.product`."""
    return orjson.dumps(_list_row(product))


def render_product(product: Product) -> bytes:
    """Return the body of `GET /products/{id}`: `products_by_id.product`."""
    body = _list_row(product)
    body["features"] = [{"feature": row.feature, "value": row.value} for row in product.features]
    return orjson.dumps(body)


def render_styles(product_id: int, styles: Iterable[Style]) -> bytes:
    """Return the body of `GET /products/{id}/styles`: `products_by_id.styles`.

    A style without photos or without skus shows the contract's placeholder of nulls.
    """
    return orjson.dumps(
        {"product_id": str(product_id), "results": [_style_object(style) for style in styles]}
    )


def _style_object(style: Style) -> dict[str, object]:
    sale_cents = style.sale_price_cents
    return {
        "style_id": style.style_id,
        "name": style.name,
        "original_price": price_text(style.original_price_cents),
        "sale_price": None if sale_cents is None else price_text(sale_cents),
        "default?": style.is_default,
        "photos": [
            {"thumbnail_url": photo.thumbnail_url, "url": photo.url} for photo in style.photos
        ]
        or [{"thumbnail_url": None, "url": None}],
        "skus": {
            str(sku.sku_id): {"quantity": sku.quantity, "size": sku.size} for sku in style.skus
        }
        or {"null": {"quantity": None, "size": None}},
    }


def render_related(related_product_ids: Sequence[int]) -> bytes:
    """Return the body of `GET /products/{id}/related`: `products_by_id.related`."""
    return orjson.dumps(list(related_product_ids))


def render_properties(properties: Mapping[str, Property]) -> bytes:
    """Return `products_by_id.properties`: an object with the names in their order."""
    return orjson.dumps(properties)


def render_source_rows(rows: SourceRows) -> bytes:
    """Return `products_by_id.source_rows`: which CSV rows the bodies were rendered from."""
    return orjson.dumps(
        {
            "features": list(rows.features),
            "photos": {str(style_id): list(ids) for style_id, ids in rows.photos.items()},
            "related": list(rows.related),
        }
    )


def etag_of(body: bytes) -> str:
    """Return the stored etag of a body: 16 hexadecimal digits, without the header's quotes."""
    return md5(body, usedforsecurity=False).hexdigest()[:ETAG_HEX_DIGITS]


def block_of(product_id: int) -> int:
    """Return the partition of `products_by_block` that holds this product."""
    return product_id // BLOCK_IDS


def segment_of(block: int) -> int:
    """Return the row of `product_directory` that counts this block."""
    return block // SEGMENT_BLOCKS


def pack_live_ids(product_ids: Iterable[int], *, base: bytes = NO_LIVE_IDS) -> bytes:
    """Return `base` with the bits of these ids set; they must be of one block.

    An empty `base` (a cell that was never written) counts as no live ids.
    """
    bits = bytearray(base or NO_LIVE_IDS)
    for product_id in product_ids:
        index = product_id % BLOCK_IDS
        bits[index >> 3] |= 1 << (index & 7)
    return bytes(bits)


def drop_live_ids(product_ids: Iterable[int], *, base: bytes) -> bytes:
    """Return `base` with the bits of these ids cleared; they must be of one block."""
    bits = bytearray(base)
    for product_id in product_ids:
        index = product_id % BLOCK_IDS
        bits[index >> 3] &= ~(1 << (index & 7))
    return bytes(bits)


def merge_live_ids(left: bytes, right: bytes) -> bytes:
    """Return the union of two bitmaps of one block; an empty one counts as no live ids."""
    union = int.from_bytes(left, "little") | int.from_bytes(right, "little")
    return union.to_bytes(LIVE_IDS_BYTES, "little")


def count_live_ids(live_ids: bytes) -> int:
    """Return how many products of the block live."""
    return int.from_bytes(live_ids, "little").bit_count()


def unpack_live_ids(block: int, live_ids: bytes) -> list[int]:
    """Return the live product ids of the block, ascending; their number is the block's count.

    The id of rank n (from 0) is element n, so a page is a slice of this list.
    """
    first_id = block * BLOCK_IDS
    return [
        first_id + (index << 3) + bit
        for index, byte in enumerate(live_ids)
        if byte
        for bit in range(8)
        if byte >> bit & 1
    ]


def pack_segment(live_rows: Mapping[int, int]) -> bytes:
    """Return `product_directory.live_rows` from live rows by block (any block of the segment)."""
    counts = array("H", bytes(SEGMENT_BYTES))
    for block, rows in live_rows.items():
        counts[block % SEGMENT_BLOCKS] = rows
    if byteorder == "little":
        counts.byteswap()
    return counts.tobytes()


def unpack_segment(live_rows: bytes) -> "array[int]":
    """Return the live rows of the segment's 1,000 blocks, in block order."""
    counts = array("H", live_rows)
    if byteorder == "little":
        counts.byteswap()
    return counts
