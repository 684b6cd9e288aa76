"""Reads of products: LOCAL_ONE, since any replica's answer will do; the nearest one gives it."""

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
    _READ,
    idempotent=True,
)

PRODUCT_STATEMENTS: Final = (
    SELECT_PRODUCT,
    SELECT_STYLES,
    SELECT_RELATED,
    SELECT_LIVE_IDS,
    SELECT_BLOCK_SLICE,
    SELECT_DIRECTORY,
)
