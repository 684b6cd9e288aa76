"""Statements of bulk loads: LOCAL_QUORUM, so that a loaded row survives the loss of a node."""

from typing import Final

from ring.statements import Consistency, Statement
from schema.statements.changes import CHANGE_LIVE_IDS, CHANGE_SEGMENT
from schema.statements.ids import CREATE_ID_KIND, RAISE_NEXT_ID

_LOAD: Final = Consistency.LOCAL_QUORUM

WRITE_PRODUCT: Final = Statement(
    "write_product",
    "INSERT INTO products_by_id (product_id, product, product_etag, related, related_etag,"
    " source_rows, styles, styles_etag) VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
    _LOAD,
    idempotent=True,
)
WRITE_BLOCK_ROW: Final = Statement(
    "write_block_row",
    "INSERT INTO products_by_block (block, product_id, product) VALUES (?, ?, ?) USING TIMESTAMP ?",
    _LOAD,
    idempotent=True,
)
WRITE_REVIEW: Final = Statement(
    "write_review",
    "INSERT INTO reviews_by_product (product_id, section, item, helpfulness, reported, review,"
    " source, written_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
    _LOAD,
    idempotent=True,
)
WRITE_REVIEW_OWNER: Final = Statement(
    "write_review_owner",
    "INSERT INTO reviews_by_id (block, review_id, product_id) VALUES (?, ?, ?) USING TIMESTAMP ?",
    _LOAD,
    idempotent=True,
)
WRITE_REVIEW_META: Final = Statement(
    "write_review_meta",
    "INSERT INTO review_meta_by_product (product_id, delta, meta, totals) VALUES (?, ?, ?, ?)"
    " USING TIMESTAMP ?",
    _LOAD,
    idempotent=True,
)
WRITE_QUESTION: Final = Statement(
    "write_question",
    "INSERT INTO questions_by_product (product_id, question_id, answer_id, body, helpfulness,"
    " photos, reported, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
    _LOAD,
    idempotent=True,
)
WRITE_QUESTION_OWNER: Final = Statement(
    "write_question_owner",
    "INSERT INTO questions_by_id (block, question_id, product_id) VALUES (?, ?, ?)"
    " USING TIMESTAMP ?",
    _LOAD,
    idempotent=True,
)
WRITE_ANSWER_OWNER: Final = Statement(
    "write_answer_owner",
    "INSERT INTO answers_by_id (block, answer_id, product_id, question_id) VALUES (?, ?, ?, ?)"
    " USING TIMESTAMP ?",
    _LOAD,
    idempotent=True,
)
WRITE_LEGACY_CART: Final = Statement(
    "write_legacy_cart",
    "INSERT INTO legacy_carts_by_session (user_session, cart_id, active, product_id)"
    " VALUES (?, ?, ?, ?) USING TIMESTAMP ?",
    _LOAD,
    idempotent=True,
)
# Bitmaps and counts of a keyspace in which nothing is changed yet; all others by transactions.
WRITE_LIVE_IDS: Final = Statement(
    "write_live_ids",
    "INSERT INTO products_by_block (block, live_ids) VALUES (?, ?) USING TIMESTAMP ?",
    _LOAD,
    idempotent=True,
)
WRITE_SEGMENT: Final = Statement(
    "write_segment",
    "INSERT INTO product_directory (directory, segment, live_rows) VALUES (0, ?, ?)"
    " USING TIMESTAMP ?",
    _LOAD,
    idempotent=True,
)
SELECT_LIVE_IDS_FOR_LOAD: Final = Statement(
    "select_live_ids_for_load",
    "SELECT DISTINCT live_ids FROM products_by_block WHERE block = ?",
    _LOAD,
    idempotent=True,
    many_cql="SELECT DISTINCT block, live_ids FROM products_by_block WHERE block IN ?",
)
SELECT_SEGMENT_FOR_LOAD: Final = Statement(
    "select_segment_for_load",
    "SELECT live_rows FROM product_directory WHERE directory = 0 AND segment = ?",
    _LOAD,
    idempotent=True,
)
SELECT_STORED_PRODUCT: Final = Statement(
    "select_stored_product",
    "SELECT product, styles, related, source_rows FROM products_by_id WHERE product_id = ?",
    _LOAD,
    idempotent=True,
)
SELECT_ALL_STORED_PRODUCTS: Final = Statement(
    "select_all_stored_products",
    "SELECT product_id, product, styles, related, source_rows FROM products_by_id",
    _LOAD,
    idempotent=True,
)
SELECT_LOAD: Final = Statement(
    "select_load",
    "SELECT inputs FROM loads WHERE as_of_microseconds = ?",
    _LOAD,
    idempotent=True,
)
SELECT_ALL_LOADS: Final = Statement(
    "select_all_loads",
    "SELECT as_of_microseconds, begun_at, inputs FROM loads",
    _LOAD,
    idempotent=True,
)
WRITE_LOAD: Final = Statement(
    "write_load",
    "INSERT INTO loads (as_of_microseconds, begun_at, inputs) VALUES (?, ?, ?)",
    _LOAD,
    idempotent=True,
)
SELECT_ALL_STORED_REVIEWS: Final = Statement(
    "select_all_stored_reviews",
    "SELECT product_id, section, review, reported, source FROM reviews_by_product",
    _LOAD,
    idempotent=True,
)
SELECT_ALL_STORED_META: Final = Statement(
    "select_all_stored_meta",
    "SELECT product_id, delta, totals FROM review_meta_by_product",
    _LOAD,
    idempotent=True,
)
SELECT_ALL_STORED_QUESTIONS: Final = Statement(
    "select_all_stored_questions",
    "SELECT product_id, question_id, answer_id, body, photos, reported, source"
    " FROM questions_by_product",
    _LOAD,
    idempotent=True,
)
SELECT_ALL_STORED_CARTS: Final = Statement(
    "select_all_stored_carts",
    "SELECT user_session, cart_id, active, product_id FROM legacy_carts_by_session",
    _LOAD,
    idempotent=True,
)

LOAD_STATEMENTS: Final = (
    WRITE_PRODUCT,
    WRITE_BLOCK_ROW,
    WRITE_REVIEW,
    WRITE_REVIEW_OWNER,
    WRITE_REVIEW_META,
    WRITE_QUESTION,
    WRITE_QUESTION_OWNER,
    WRITE_ANSWER_OWNER,
    WRITE_LEGACY_CART,
    WRITE_LIVE_IDS,
    WRITE_SEGMENT,
    CHANGE_LIVE_IDS,
    CHANGE_SEGMENT,
    SELECT_LIVE_IDS_FOR_LOAD,
    SELECT_SEGMENT_FOR_LOAD,
    SELECT_STORED_PRODUCT,
    SELECT_ALL_STORED_PRODUCTS,
    SELECT_LOAD,
    SELECT_ALL_LOADS,
    WRITE_LOAD,
    SELECT_ALL_STORED_REVIEWS,
    SELECT_ALL_STORED_META,
    SELECT_ALL_STORED_QUESTIONS,
    SELECT_ALL_STORED_CARTS,
    CREATE_ID_KIND,
    RAISE_NEXT_ID,
)
