"""Interactions as they are stored: written, never read here."""

import uuid
from datetime import UTC, datetime
from random import randrange
from typing import Final

from catalog_api.domain.submissions import NewInteraction
from catalog_api.repositories.moments import moment
from catalog_api.repositories.rows import RowSource
from schema.statements.carts import WRITE_INTERACTION

SPREADS: Final = 256
"""Partitions of a day."""


class InteractionsRepository:
    """Writes interactions through the ring client.

    Args:
        rows: the ring client.
        lifetime_seconds: after which a row expires.
        timeout_seconds: deadline of each statement.
    """

    def __init__(self, rows: RowSource, *, lifetime_seconds: int, timeout_seconds: float) -> None:
        self._rows = rows
        self._lifetime_seconds = lifetime_seconds
        self._timeout_seconds = timeout_seconds

    async def write(self, new: NewInteraction) -> None:
        """Store one. Idempotent; one round trip. Consistency: LOCAL_QUORUM.

        Raises:
            RingError: it may or may not be stored.
        """
        day = datetime.now(UTC).date()
        key = (day, randrange(SPREADS), moment(), uuid.uuid4())  # noqa: S311 - no secret
        values = (*key, new.element, new.time, new.widget, self._lifetime_seconds)
        await self._rows.execute(
            WRITE_INTERACTION.name, values, timeout_seconds=self._timeout_seconds
        )
