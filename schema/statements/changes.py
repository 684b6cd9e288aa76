"""Changes of products: the row by a lightweight transaction, then what is derived from it."""

from typing import Final

from ring.statements import Consistency, Statement

_QUORUM: Final = Consistency.LOCAL_QUORUM
_SERIAL: Final = Consistency.LOCAL_SERIAL
_WHOLE_PRODUCT: Final = (
    "SELECT product, related, styles, properties, source_rows, product_etag, related_etag,"
    " styles_etag, properties_etag, revision, writetime(product) FROM products_by_id"
    " WHERE product_id = ?"
)

SELECT_WHOLE_PRODUCT: Final = Statement(
    "select_whole_product", _WHOLE_PRODUCT, _QUORUM, idempotent=True
)
SELECT_SETTLED_PRODUCT: Final = Statement(
    "select_settled_product",
    _WHOLE_PRODUCT,
    # Also ends a transaction whose outcome nobody was told.
    _SERIAL,
    idempotent=True,
)
SELECT_PRODUCT_WRITTEN_AT: Final = Statement(
    "select_product_written_at",
    "SELECT writetime(product) FROM products_by_id WHERE product_id = ?",
    _QUORUM,
    idempotent=True,
)
CHANGE_PRODUCT: Final = Statement(
    "change_product",
    "UPDATE products_by_id SET product = ?, related = ?, styles = ?, properties = ?,"
    " source_rows = ?, product_etag = ?, related_etag = ?, styles_etag = ?, properties_etag = ?,"
    " revision = ? WHERE product_id = ? IF product_etag = ? AND related_etag = ?"
    " AND styles_etag = ? AND properties_etag = ?",
    _QUORUM,
    idempotent=False,
    serial_consistency=_SERIAL,
)

WRITE_INTENT: Final = Statement(
    "write_intent",
    "INSERT INTO product_intents (bucket, moment, product_id) VALUES (?, ?, ?)",
    _QUORUM,
    idempotent=True,
)
DELETE_INTENT: Final = Statement(
    "delete_intent",
    "DELETE FROM product_intents WHERE bucket = ? AND moment = ? AND product_id = ?",
    _QUORUM,
    idempotent=True,
)
SELECT_INTENTS: Final = Statement(
    "select_intents",
    "SELECT moment, product_id FROM product_intents"
    " WHERE bucket = ? AND moment >= ? AND moment < ?",
    _QUORUM,
    idempotent=True,
)

# With the time of the product's own row: writing it late or twice changes nothing.
WRITE_LISTED_PRODUCT: Final = Statement(
    "write_listed_product",
    "INSERT INTO products_by_block (block, product_id, product) VALUES (?, ?, ?) USING TIMESTAMP ?",
    _QUORUM,
    idempotent=True,
)
SELECT_LISTED_PRODUCTS: Final = Statement(
    "select_listed_products",
    "SELECT live_ids, product_id, product FROM products_by_block"
    " WHERE block = ? AND product_id IN ?",
    _QUORUM,
    idempotent=True,
)
SELECT_CURRENT_LIVE_IDS: Final = Statement(
    "select_current_live_ids",
    "SELECT DISTINCT live_ids FROM products_by_block WHERE block = ?",
    _QUORUM,
    idempotent=True,
)
CHANGE_LIVE_IDS: Final = Statement(
    "change_live_ids",
    "UPDATE products_by_block SET live_ids = ? WHERE block = ? IF live_ids = ?",
    _QUORUM,
    idempotent=False,
    serial_consistency=_SERIAL,
)
SELECT_CURRENT_SEGMENT: Final = Statement(
    "select_current_segment",
    "SELECT live_rows FROM product_directory WHERE directory = 0 AND segment = ?",
    _QUORUM,
    idempotent=True,
)
CHANGE_SEGMENT: Final = Statement(
    "change_segment",
    "UPDATE product_directory SET live_rows = ? WHERE directory = 0 AND segment = ?"
    " IF live_rows = ?",
    _QUORUM,
    idempotent=False,
    serial_consistency=_SERIAL,
)

CHANGE_STATEMENTS: Final = (
    SELECT_WHOLE_PRODUCT,
    SELECT_SETTLED_PRODUCT,
    SELECT_PRODUCT_WRITTEN_AT,
    CHANGE_PRODUCT,
    WRITE_INTENT,
    DELETE_INTENT,
    SELECT_INTENTS,
    WRITE_LISTED_PRODUCT,
    SELECT_LISTED_PRODUCTS,
    SELECT_CURRENT_LIVE_IDS,
    CHANGE_LIVE_IDS,
    SELECT_CURRENT_SEGMENT,
    CHANGE_SEGMENT,
)
