"""Carts and interactions: a row for each POST, so that plain writes count exactly."""

from typing import Final

from ring.statements import Consistency, Statement

_QUORUM: Final = Consistency.LOCAL_QUORUM

SELECT_CART: Final = Statement(
    "select_cart",
    "SELECT sku_id, COUNT(*) FROM carts_by_session WHERE session_id = ? GROUP BY sku_id",
    _QUORUM,
    idempotent=True,
)
COUNT_CART_POSTS: Final = Statement(
    "count_cart_posts",
    "SELECT COUNT(*) FROM carts_by_session WHERE session_id = ?",
    _QUORUM,
    idempotent=True,
)
WRITE_CART_POST: Final = Statement(
    "write_cart_post",
    "INSERT INTO carts_by_session (session_id, sku_id, post_id) VALUES (?, ?, ?) USING TTL ?",
    _QUORUM,
    idempotent=True,
)
WRITE_INTERACTION: Final = Statement(
    "write_interaction",
    "INSERT INTO interactions_by_day (day, spread, moment, interaction_id, element, time, widget)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) USING TTL ?",
    _QUORUM,
    idempotent=True,
)

CART_STATEMENTS: Final = (SELECT_CART, COUNT_CART_POSTS, WRITE_CART_POST, WRITE_INTERACTION)
