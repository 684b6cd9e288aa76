"""Intents: which products are about to change, so that nobody's end leaves a change half told."""

from typing import Final, NamedTuple

from catalog_api.repositories.repository import Repository
from schema.statements.changes import DELETE_INTENT, SELECT_INTENTS, WRITE_INTENT

BUCKETS: Final = 16
_PAGE_ROWS: Final = 500


class Intent(NamedTuple):
    """One change of a product, by the moment of its begin."""

    moment: int
    product_id: int


class IntentsRepository(Repository):
    """Writes, reads and deletes intents. Consistency: LOCAL_QUORUM."""

    async def write(self, intent: Intent) -> None:
        """Store an intent. Idempotent.

        Raises:
            RingError: it may or may not be stored.
        """
        await self._execute(WRITE_INTENT, (_bucket(intent), *intent))

    async def delete(self, intent: Intent) -> None:
        """Take an intent away. Idempotent.

        Raises:
            RingError: it may or may not stand there still.
        """
        await self._execute(DELETE_INTENT, (_bucket(intent), *intent))

    async def fetch(self, bucket: int, since: int, before: int) -> list[Intent]:
        """Return the intents of a bucket between two moments, oldest first.

        Raises:
            RingError: too few replicas answered in time.
        """
        pages = self._rows.pages(
            SELECT_INTENTS.name,
            (bucket, since, before),
            page_rows=_PAGE_ROWS,
            timeout_seconds=self._timeout_seconds,
        )
        return [Intent(*row) async for page in pages for row in page]


def _bucket(intent: Intent) -> int:
    return intent.product_id % BUCKETS
