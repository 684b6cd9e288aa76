"""Reads of products: LOCAL_ONE, since any replica's answer will do; the nearest one gives it.

What the nearest replica does not have is asked for again at LOCAL_QUORUM: it may have missed the
write, or have become a replica a moment ago, when the replication factor was raised.
"""

import dataclasses
from typing import Final

from ring.statements import Consistency, Statement

_READ: Final = Consistency.LOCAL_ONE

SELECT_PRODUCT: Final = Statement(
    "select_product",
    "SELECT product, product_etag FROM products_by_id WHERE product_id = ?",
    _READ,
    idempotent=True,
    many_cql="SELECT product_id, product, product_etag FROM products_by_id WHERE product_id IN ?",
)
SELECT_STYLES: Final = Statement(
    "select_styles",
    "SELECT styles, styles_etag FROM products_by_id WHERE product_id = ?",
    _READ,
    idempotent=True,
    many_cql="SELECT product_id, styles, styles_etag FROM products_by_id WHERE product_id IN ?",
)
SELECT_RELATED: Final = Statement(
    "select_related",
    "SELECT related, related_etag FROM products_by_id WHERE product_id = ?",
    _READ,
    idempotent=True,
    many_cql="SELECT product_id, related, related_etag FROM products_by_id WHERE product_id IN ?",
)
SELECT_LIVE_IDS: Final = Statement(
    "select_live_ids",
    "SELECT DISTINCT live_ids FROM products_by_block WHERE block = ?",
    _READ,
    idempotent=True,
)
SELECT_BLOCK_SLICE: Final = Statement(
    "select_block_slice",
    "SELECT product FROM products_by_block WHERE block = ? AND product_id >= ? AND product_id <= ?",
    _READ,
    idempotent=True,
)
SELECT_DIRECTORY: Final = Statement(
    "select_directory",
    "SELECT segment, live_rows FROM product_directory WHERE directory = 0",
    # Once in a while: a part of it could not be told from the whole.
    Consistency.LOCAL_QUORUM,
    idempotent=True,
)

BY_QUORUM: Final = {
    one: dataclasses.replace(
        one, name=f"{one.name}_by_quorum", consistency=Consistency.LOCAL_QUORUM
    )
    for one in (
        SELECT_PRODUCT,
        SELECT_STYLES,
        SELECT_RELATED,
        SELECT_LIVE_IDS,
        SELECT_BLOCK_SLICE,
    )
}
"""The same reads, for what the nearest replica does not have."""
PRODUCT_STATEMENTS: Final = (*BY_QUORUM, *BY_QUORUM.values(), SELECT_DIRECTORY)
