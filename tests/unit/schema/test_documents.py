"""Stored bodies, their etags, and the packed forms of the directory."""

from hashlib import md5

import orjson
import pytest

from schema.documents import (
    BLOCK_IDS,
    LIVE_IDS_BYTES,
    Feature,
    Photo,
    Product,
    Sku,
    SourceRows,
    Style,
    count_live_ids,
    drop_live_ids,
    etag_of,
    merge_live_ids,
    pack_live_ids,
    pack_segment,
    price_text,
    render_list_row,
    render_product,
    render_related,
    render_source_rows,
    render_styles,
    unpack_live_ids,
    unpack_segment,
)
from schema.profiles import (
    to_2020_list,
    to_2020_product,
    to_2020_styles,
)

_PRODUCT = Product(
    1, "Camo", "Blend", "So", "Jackets", 14000, (Feature("Fabric", "Canvas"), Feature("UV", None))
)
_STYLES = (
    Style(1, "Green", 14000, None, True, (Photo("t", "u"),), (Sku(37, 8, "XS"), Sku(9, 0, "XS"))),
    Style(2, "Tan", 4999, 10000, False),
)


def test_bodies_when_rendered_then_exactly_the_contract() -> None:
    """Keys in the contract's order, prices as text, placeholders of nulls."""
    assert render_list_row(_PRODUCT) == (
        b'{"id":1,"name":"Camo","slogan":"Blend","description":"So","category":"Jackets",'
        b'"default_price":"140.00"}'
    )
    assert render_product(_PRODUCT) == render_list_row(_PRODUCT)[:-1] + (
        b',"features":[{"feature":"Fabric","value":"Canvas"},{"feature":"UV","value":null}]}'
    )
    assert render_styles(1, _STYLES) == (
        b'{"product_id":"1","results":[{"style_id":1,"name":"Green","original_price":"140.00",'
        b'"sale_price":null,"default?":true,"photos":[{"thumbnail_url":"t","url":"u"}],'
        b'"skus":{"37":{"quantity":8,"size":"XS"},"9":{"quantity":0,"size":"XS"}}},'
        b'{"style_id":2,"name":"Tan","original_price":"49.99","sale_price":"100.00",'
        b'"default?":false,"photos":[{"thumbnail_url":null,"url":null}],'
        b'"skus":{"null":{"quantity":null,"size":null}}}]}'
    )
    assert render_styles(7, ()) == b'{"product_id":"7","results":[]}'
    assert render_related((2, 2, 1)) == b"[2,2,1]"
    assert render_source_rows(SourceRows((1, 2), {4: (9, 8)}, (5,))) == (
        b'{"features":[1,2],"photos":{"4":[9,8]},"related":[5]}'
    )


def test_conversion_when_2020_then_only_the_profile_differs() -> None:
    """Whole prices lose their cents, cents stay, booleans are numbers, no sale is 0."""
    product = orjson.loads(render_product(_PRODUCT))
    assert to_2020_product(product) == product | {"default_price": "140"}
    assert to_2020_list([product])[0]["default_price"] == "140"
    body = to_2020_styles(orjson.loads(render_styles(1, _STYLES)))
    first, second = body["results"]
    assert (first["original_price"], first["sale_price"], first["default?"]) == ("140", "0", 1)
    assert (second["original_price"], second["sale_price"], second["default?"]) == (
        "49.99",
        "100",
        0,
    )
    assert type(first["default?"]) is int
    assert list(first) == list(orjson.loads(render_styles(1, _STYLES))["results"][0])


def test_etag_when_body_differs_then_differs() -> None:
    """Sixteen hexadecimal digits of the MD5."""
    assert etag_of(b"[]") == md5(b"[]", usedforsecurity=False).hexdigest()[:16]
    assert etag_of(b"[]") != etag_of(b"[1]")


@pytest.mark.parametrize(
    ("cents", "text"), [(0, "0.00"), (5, "0.05"), (14000, "140.00"), (4999, "49.99")]
)
def test_price_when_written_then_two_decimals(cents: int, text: str) -> None:
    """Cents are never lost."""
    assert price_text(cents) == text


def test_live_ids_when_packed_then_bit_i_is_byte_i_shifted_by_3() -> None:
    """The layout that the tables document."""
    live_ids = pack_live_ids([7000, 7009, 7999])
    assert len(live_ids) == LIVE_IDS_BYTES
    assert (live_ids[0], live_ids[1], live_ids[124]) == (1, 2, 128)
    assert unpack_live_ids(7, live_ids) == [7000, 7009, 7999]
    assert unpack_live_ids(7, live_ids)[1] == 7009
    assert count_live_ids(live_ids) == 3


def test_live_ids_when_merged_and_dropped_then_sets() -> None:
    """An empty cell counts as no ids."""
    left, right = pack_live_ids([1, 2]), pack_live_ids([2, 999])
    assert unpack_live_ids(0, merge_live_ids(left, right)) == [1, 2, 999]
    assert merge_live_ids(b"", left) == left
    assert unpack_live_ids(0, drop_live_ids([2], base=left)) == [1]
    assert count_live_ids(b"") == 0
    assert pack_live_ids([3], base=left) == pack_live_ids([1, 2, 3])


def test_segment_when_packed_then_big_endian_counts_by_block() -> None:
    """Any block of the segment names its place."""
    live_rows = pack_segment({2001: 258, 2999: BLOCK_IDS})
    assert live_rows[2:4] == b"\x01\x02"
    counts = unpack_segment(live_rows)
    assert (len(counts), counts[0], counts[1], counts[999]) == (1000, 0, 258, BLOCK_IDS)
