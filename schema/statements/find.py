"""Finding products: LOCAL_QUORUM, so that what was acknowledged is in the next page."""

from collections.abc import Mapping
from typing import Final

from ring.statements import Consistency, Statement

_QUORUM: Final = Consistency.LOCAL_QUORUM

MOST_TERMS: Final = 8
"""Terms that one search may ask for together."""

_SLICE: Final = (
    " FROM products_by_order WHERE category = ? AND ordering = ? AND shard = ?"
    " AND (place, product_id) > (?, ?) AND (place) <= (?)"
)


def _select_places(terms: int, *, priced: bool) -> Statement:
    conditions = " AND terms CONTAINS ?" * terms + " AND price >= ? AND price <= ?" * priced
    return Statement(
        f"select_places_by_{terms}_terms{'_and_price' * priced}",
        f"SELECT place, product_id{_SLICE}{conditions} LIMIT ?",
        _QUORUM,
        idempotent=True,
    )


SELECT_PLACES: Final[Mapping[tuple[int, bool], Statement]] = {
    (terms, priced): _select_places(terms, priced=priced)
    for terms in range(MOST_TERMS + 1)
    for priced in (False, True)
}
"""The keys of a slice, by the number of terms and whether prices are bounded; by the indexes."""
SCAN_PLACES: Final = Statement(
    "scan_places",
    f"SELECT place, product_id, terms, price{_SLICE} LIMIT ?",
    _QUORUM,
    idempotent=True,
)
WRITE_PLACE: Final = Statement(
    "write_place",
    "INSERT INTO products_by_order (category, ordering, shard, place, product_id, terms)"
    " VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
    _QUORUM,
    idempotent=True,
)
WRITE_PRICED_PLACE: Final = Statement(
    "write_priced_place",
    "INSERT INTO products_by_order (category, ordering, shard, place, product_id, terms, price)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
    _QUORUM,
    idempotent=True,
)
DELETE_PLACE: Final = Statement(
    "delete_place",
    "DELETE FROM products_by_order USING TIMESTAMP ?"
    " WHERE category = ? AND ordering = ? AND shard = ? AND place = ? AND product_id = ?",
    _QUORUM,
    idempotent=True,
)
SELECT_ENTRIES: Final = Statement(
    "select_entries",
    "SELECT version, entry, done FROM find_entries_by_product WHERE product_id = ?",
    _QUORUM,
    idempotent=True,
)
WRITE_ENTRY: Final = Statement(
    "write_entry",
    "INSERT INTO find_entries_by_product (product_id, version, entry) VALUES (?, ?, ?)"
    " USING TIMESTAMP ?",
    _QUORUM,
    idempotent=True,
)
FINISH_ENTRY: Final = Statement(
    "finish_entry",
    "UPDATE find_entries_by_product USING TIMESTAMP ? SET done = true"
    " WHERE product_id = ? AND version = ?",
    _QUORUM,
    idempotent=True,
)
DELETE_OLD_ENTRIES: Final = Statement(
    "delete_old_entries",
    "DELETE FROM find_entries_by_product USING TIMESTAMP ? WHERE product_id = ? AND version < ?",
    _QUORUM,
    idempotent=True,
)
SELECT_LISTING: Final = Statement(
    "select_listing",
    "SELECT shards, filled, products FROM find_listings WHERE listing = ?",
    _QUORUM,
    idempotent=True,
    many_cql="SELECT listing, shards, filled, products FROM find_listings WHERE listing IN ?",
)
CHANGE_LISTING: Final = Statement(
    "change_listing",
    "UPDATE find_listings SET shards = ?, filled = ?, products = ? WHERE listing = ?"
    " IF shards = ? AND filled = ? AND products = ?",
    _QUORUM,
    idempotent=False,
    serial_consistency=Consistency.LOCAL_SERIAL,
)
SELECT_FOUND: Final = Statement(
    "select_found",
    "SELECT product, styles, properties FROM products_by_id WHERE product_id = ?",
    _QUORUM,
    idempotent=True,
    many_cql="SELECT product_id, product, styles, properties FROM products_by_id"
    " WHERE product_id IN ?",
)
# One page of a whole scan: work that a node does in one go while it serves readers.
SCAN_PRODUCTS: Final = Statement(
    "scan_products",
    "SELECT token(product_id), product_id, product, related, styles, properties, source_rows,"
    " product_etag, related_etag, styles_etag, properties_etag, revision, writetime(product)"
    " FROM products_by_id WHERE token(product_id) > ? AND token(product_id) <= ? LIMIT ?",
    _QUORUM,
    idempotent=True,
)
SCAN_ENTRIES: Final = Statement(
    "scan_entries",
    "SELECT product_id, version, entry, done FROM find_entries_by_product"
    " WHERE token(product_id) > ? AND token(product_id) <= ?",
    _QUORUM,
    idempotent=True,
)
SELECT_REBUILD: Final = Statement(
    "select_rebuild",
    "SELECT reached, seen, placed, counts FROM find_rebuilds WHERE rebuild = 0",
    _QUORUM,
    idempotent=True,
)
WRITE_REBUILD: Final = Statement(
    "write_rebuild",
    "INSERT INTO find_rebuilds (rebuild, reached, seen, placed, counts) VALUES (0, ?, ?, ?, ?)",
    _QUORUM,
    idempotent=True,
)
DELETE_REBUILD: Final = Statement(
    "delete_rebuild", "DELETE FROM find_rebuilds WHERE rebuild = 0", _QUORUM, idempotent=True
)

FIND_STATEMENTS: Final = (
    *SELECT_PLACES.values(),
    SCAN_PLACES,
    WRITE_PLACE,
    WRITE_PRICED_PLACE,
    DELETE_PLACE,
    SELECT_ENTRIES,
    WRITE_ENTRY,
    FINISH_ENTRY,
    DELETE_OLD_ENTRIES,
    SELECT_LISTING,
    CHANGE_LISTING,
    SELECT_FOUND,
    SCAN_PRODUCTS,
    SCAN_ENTRIES,
    SELECT_REBUILD,
    WRITE_REBUILD,
    DELETE_REBUILD,
)
