"""Carts as they are stored: a row for each POST, one partition a session.

Consistency: LOCAL_QUORUM throughout: what one app server acknowledged is what all read next.
"""

import uuid

from catalog_api.repositories.rows import RowSource
from schema.statements.carts import COUNT_CART_POSTS, SELECT_CART, WRITE_CART_POST


class CartsRepository:
    """Reads and writes carts through the ring client.

    Args:
        rows: the ring client.
        lifetime_seconds: after which a row expires.
        timeout_seconds: deadline of each statement.
    """

    def __init__(self, rows: RowSource, *, lifetime_seconds: int, timeout_seconds: float) -> None:
        self._rows = rows
        self._lifetime_seconds = lifetime_seconds
        self._timeout_seconds = timeout_seconds

    async def fetch_counts(self, session_id: bytes) -> list[tuple[int, int]]:
        """Return each sku of a session with its number of POSTs, by sku. One round trip.

        Raises:
            RingError: too few replicas answered in time.
        """
        rows = await self._rows.execute(
            SELECT_CART.name, (session_id,), timeout_seconds=self._timeout_seconds
        )
        return [(sku_id, posts) for sku_id, posts in rows]

    async def count_posts(self, session_id: bytes) -> int:
        """Return the number of POSTs of a session. One round trip.

        Raises:
            RingError: too few replicas answered in time.
        """
        rows = await self._rows.execute(
            COUNT_CART_POSTS.name, (session_id,), timeout_seconds=self._timeout_seconds
        )
        return int(rows[0][0])

    async def write_post(self, session_id: bytes, sku_id: int) -> None:
        """Add one. Retried under the same id, so it counts once. One round trip.

        Raises:
            RingError: it may or may not be stored.
        """
        values = (session_id, sku_id, uuid.uuid4(), self._lifetime_seconds)
        await self._rows.execute(
            WRITE_CART_POST.name, values, timeout_seconds=self._timeout_seconds
        )
