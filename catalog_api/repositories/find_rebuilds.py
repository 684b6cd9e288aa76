"""How far a rebuild of what searches read is. Consistency: LOCAL_QUORUM."""

from collections.abc import Mapping
from typing import NamedTuple

import orjson

from catalog_api.repositories.product_scan import FIRST_TOKEN
from catalog_api.repositories.repository import Repository
from schema.statements.find import DELETE_REBUILD, SELECT_REBUILD, WRITE_REBUILD


class Reached(NamedTuple):
    """How far it is.

    Attributes:
        token: up to which all products are placed.
        seen: products looked at.
        placed: those that had to be written.
        counts: products by category.
    """

    token: int
    seen: int
    placed: int
    counts: Mapping[str, int]


class FindRebuildsRepository(Repository):
    """Reads and writes the one row."""

    async def fetch(self) -> Reached:
        """Return how far a stopped rebuild was; the beginning without one.

        Raises:
            RingError: too few replicas answered in time.
        """
        row = await self._rows.fetch_one(SELECT_REBUILD.name, timeout_seconds=self._timeout_seconds)
        if row is None or row[0] is None:
            return Reached(FIRST_TOKEN, 0, 0, {})
        token, seen, placed, counts = row
        return Reached(token, seen, placed, orjson.loads(counts))

    async def save(self, reached: Reached) -> None:
        """Remember how far it is.

        Raises:
            RingError: it may not be remembered.
        """
        token, seen, placed, counts = reached
        values = (token, seen, placed, orjson.dumps(counts))
        await self._execute(WRITE_REBUILD, values)

    async def forget(self) -> None:
        """Let the next one begin at the beginning.

        Raises:
            RingError: it may not be forgotten.
        """
        await self._rows.execute(DELETE_REBUILD.name, timeout_seconds=self._timeout_seconds)
