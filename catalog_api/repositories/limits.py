"""Requests of callers as they are stored: a number for each kind, caller and minute."""

from typing import NamedTuple

from catalog_api.repositories.repository import Repository
from schema.statements.limits import TAKE_REQUESTS


class Window(NamedTuple):
    """What is counted together: requests of a kind by a caller in a minute since 1970."""

    kind: str
    caller: str
    minute: int


class LimitsRepository(Repository):
    """Counts requests through the ring client."""

    async def take(self, window: Window, known: int | None, used: int) -> tuple[bool, int | None]:
        """Make the number `used` if it is still `known` (None: no row yet). One transaction.

        Consistency: LOCAL_SERIAL, LOCAL_QUORUM. Not idempotent.

        Returns:
            Whether it was, and the number that stands there now.

        Raises:
            RingError: the outcome is unknown.
        """
        (row,) = await self._execute(TAKE_REQUESTS, (used, *window, known))
        if row[0]:
            return True, used
        # A row that is not there is told without its columns.
        return False, row[1] if len(row) > 1 else None
