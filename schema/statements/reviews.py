"""Reviews: read and written at LOCAL_QUORUM, so that what was acknowledged is in the next read."""

from typing import Final

from ring.statements import Consistency, Statement
from schema.reviews import FEW_META_DELTAS, FEW_REVIEWS

_QUORUM: Final = Consistency.LOCAL_QUORUM

# What is never null stands together, apart from votes: cells of fixed length are read at once.
_SHOWN: Final = "item, helpfulness, reported, to_unix_timestamp(written_at), review, votes"
_FIRST: Final = f"LIMIT {FEW_REVIEWS + 1}"
_META: Final = f"LIMIT {FEW_META_DELTAS + 1}"

SELECT_FIRST_REVIEWS: Final = Statement(
    "select_first_reviews",
    f"SELECT {_SHOWN} FROM reviews_by_product WHERE product_id = ? AND section = 0 {_FIRST}",
    _QUORUM,
    idempotent=True,
    many_cql=f"SELECT product_id, {_SHOWN} FROM reviews_by_product"
    f" WHERE product_id IN ? AND section = 0 PER PARTITION {_FIRST}",
)
SELECT_REVIEWS: Final = Statement(
    "select_reviews",
    f"SELECT {_SHOWN} FROM reviews_by_product WHERE product_id = ? AND section = 0 AND item IN ?",
    _QUORUM,
    idempotent=True,
)
SCAN_REVIEW_KEYS: Final = Statement(
    "scan_review_keys",
    "SELECT item, helpfulness, votes, reported, to_unix_timestamp(written_at)"
    " FROM reviews_by_product WHERE product_id = ? AND section = 0",
    _QUORUM,
    idempotent=True,
)
SELECT_REVIEW_CHANGES: Final = Statement(
    "select_review_changes",
    "SELECT subject, votes, reported, to_unix_timestamp(written_at) FROM reviews_by_product"
    " WHERE product_id = ? AND section = 1 AND item >= ?",
    _QUORUM,
    idempotent=True,
)
SELECT_REVIEW_OWNER: Final = Statement(
    "select_review_owner",
    "SELECT product_id FROM reviews_by_id WHERE block = ? AND review_id = ?",
    _QUORUM,
    idempotent=True,
)
# One request for two partitions. The rows of the product's tables are one mutation, all or nothing.
WRITE_NEW_REVIEW: Final = Statement(
    "write_new_review",
    "BEGIN UNLOGGED BATCH"
    " INSERT INTO reviews_by_product (product_id, section, item, helpfulness, reported, review,"
    " source, written_at) VALUES (?, 0, ?, 0, false, ?, ?, ?);"
    " INSERT INTO reviews_by_product (product_id, section, item, subject, written_at)"
    " VALUES (?, 1, ?, ?, ?) USING TTL 86400;"
    " INSERT INTO review_meta_by_product (product_id, delta, totals) VALUES (?, ?, ?);"
    " INSERT INTO reviews_by_id (block, review_id, product_id) VALUES (?, ?, ?);"
    " APPLY BATCH",
    _QUORUM,
    idempotent=True,
)
SELECT_REVIEW_VOTES: Final = Statement(
    "select_review_votes",
    "SELECT review, votes FROM reviews_by_product"
    " WHERE product_id = ? AND section = 0 AND item = ?",
    _QUORUM,
    idempotent=True,
)
SELECT_REVIEW_VOTE: Final = Statement(
    "select_review_vote",
    "SELECT section, votes FROM reviews_by_product"
    " WHERE product_id = ? AND section IN (0, 1) AND item IN (?, ?)",
    Consistency.LOCAL_SERIAL,
    idempotent=True,
)
ADD_REVIEW_VOTES: Final = Statement(
    "add_review_votes",
    "BEGIN BATCH"
    " UPDATE reviews_by_product SET votes = ?"
    " WHERE product_id = ? AND section = 0 AND item = ? IF votes = ?;"
    " INSERT INTO reviews_by_product (product_id, section, item, subject, votes)"
    " VALUES (?, 1, ?, ?, ?) IF NOT EXISTS USING TTL 86400;"
    " APPLY BATCH",
    _QUORUM,
    idempotent=False,
    serial_consistency=Consistency.LOCAL_SERIAL,
)
REPORT_REVIEW: Final = Statement(
    "report_review",
    "BEGIN UNLOGGED BATCH"
    " UPDATE reviews_by_product SET reported = true"
    " WHERE product_id = ? AND section = 0 AND item = ?;"
    " INSERT INTO reviews_by_product (product_id, section, item, subject, reported)"
    " VALUES (?, 1, ?, ?, true) USING TTL 86400;"
    " APPLY BATCH",
    _QUORUM,
    idempotent=True,
)
SELECT_REVIEW_META: Final = Statement(
    "select_review_meta",
    f"SELECT delta, meta, totals FROM review_meta_by_product WHERE product_id = ? {_META}",
    _QUORUM,
    idempotent=True,
    many_cql="SELECT product_id, delta, meta, totals FROM review_meta_by_product"
    f" WHERE product_id IN ? PER PARTITION {_META}",
)
SELECT_REVIEW_META_BASE: Final = Statement(
    "select_review_meta_base",
    "SELECT delta, meta, totals FROM review_meta_by_product WHERE product_id = ? AND delta = 0",
    _QUORUM,
    idempotent=True,
    many_cql="SELECT product_id, delta, meta, totals FROM review_meta_by_product"
    " WHERE product_id IN ? AND delta = 0",
)
SELECT_META_DELTAS: Final = Statement(
    "select_meta_deltas",
    "SELECT delta, totals FROM review_meta_by_product WHERE product_id = ? AND delta >= ?",
    _QUORUM,
    idempotent=True,
)
REVIEW_STATEMENTS: Final = (
    SELECT_FIRST_REVIEWS,
    SELECT_REVIEWS,
    SCAN_REVIEW_KEYS,
    SELECT_REVIEW_CHANGES,
    SELECT_REVIEW_OWNER,
    WRITE_NEW_REVIEW,
    SELECT_REVIEW_VOTES,
    SELECT_REVIEW_VOTE,
    ADD_REVIEW_VOTES,
    REPORT_REVIEW,
    SELECT_REVIEW_META,
    SELECT_REVIEW_META_BASE,
    SELECT_META_DELTAS,
)
