"""Where products stand in the orders that searches read: entries, rows, listings.

Consistency: LOCAL_QUORUM; listings by lightweight transactions.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from catalog_api.repositories.find import NO_LISTING, Listing
from catalog_api.repositories.repository import Repository, together
from ring.batches import RowBatch
from ring.statements import Statement
from schema.find import Entry, Ordering, listing_of, parse_entry, places_of, render_entry
from schema.statements.find import (
    CHANGE_LISTING,
    DELETE_OLD_ENTRIES,
    DELETE_PLACE,
    FINISH_ENTRY,
    SCAN_ENTRIES,
    SELECT_ENTRIES,
    SELECT_LISTING,
    WRITE_ENTRY,
    WRITE_PLACE,
    WRITE_PRICED_PLACE,
)

_PARALLEL: Final = 32


class StoredEntry(NamedTuple):
    """An entry that somebody wrote; None stands for a product that is gone."""

    version: int
    entry: Entry | None
    done: bool


class Placement(NamedTuple):
    """An entry to be written, and the older ones that it takes the place of."""

    product_id: int
    version: int
    entry: Entry | None
    older: Sequence[StoredEntry]


class FindEntriesRepository(Repository):
    """Writes for searches."""

    async def fetch_entries(self, product_ids: Sequence[int]) -> list[list[StoredEntry]]:
        """Return the entries of each product, by version. One round trip each, side by side.

        Raises:
            RingError: too few replicas answered in time.
        """
        found: dict[int, list[StoredEntry]] = {}
        gate = asyncio.Semaphore(_PARALLEL)

        async def fetch(product_id: int) -> None:
            async with gate:
                rows = await self._execute(SELECT_ENTRIES, (product_id,))
            found[product_id] = [
                StoredEntry(version, parse_entry(entry or b""), bool(done))
                for version, entry, done in rows
            ]

        await together(fetch(product_id) for product_id in dict.fromkeys(product_ids))
        return [found[product_id] for product_id in product_ids]

    async def scan_entries(self, after: int, last: int) -> dict[int, list[StoredEntry]]:
        """Return the entries of all products behind one token and up to another, by id.

        Raises:
            RingError: too few replicas answered in time.
        """
        found: defaultdict[int, list[StoredEntry]] = defaultdict(list)
        async for page in self._rows.pages(
            SCAN_ENTRIES.name, (after, last), timeout_seconds=self._timeout_seconds
        ):
            for product_id, version, entry, done in page:
                stored = StoredEntry(version, parse_entry(entry or b""), bool(done))
                found[product_id].append(stored)
        return found

    async def announce(self, placements: Sequence[Placement]) -> None:
        """Write the entries themselves, so that others know of them.

        Raises:
            RingError: some may not be written.
        """
        rows = [(p.product_id, p.version, render_entry(p.entry), p.version) for p in placements]
        await self._write(WRITE_ENTRY, rows)

    async def place(self, placements: Sequence[Placement]) -> None:
        """Write the rows of announced entries, remove those of older ones, and say that it is done.

        Raises:
            RingError: it is done in part; doing it again does no harm.
        """
        plain, priced, removed = [], [], []
        for product_id, version, entry, older in placements:
            places = places_of(product_id, entry)
            for place in places:
                terms = set(entry.terms) if entry else set[str]()
                if place[1] == Ordering.NEWEST and entry:
                    priced.append((*place, terms, entry.price_cents, version))
                else:
                    plain.append((*place, terms, version))
            gone = {place for one in older for place in places_of(product_id, one.entry)}
            removed += [(version, *place) for place in gone.difference(places)]
        # First what is there, then what is not: a product that moves is never in neither place.
        await together([self._write(WRITE_PLACE, plain), self._write(WRITE_PRICED_PLACE, priced)])
        await self._write(DELETE_PLACE, removed)
        done = [(p.version, p.product_id, p.version) for p in placements]
        superseding = [(p.version, p.product_id, p.version) for p in placements if p.older]
        await together(
            [self._write(FINISH_ENTRY, done), self._write(DELETE_OLD_ENTRIES, superseding)]
        )

    async def fetch_listing(self, category: str) -> Listing:
        """Return a category's listing.

        Raises:
            RingError: too few replicas answered in time.
        """
        row = await self._rows.fetch_one(
            SELECT_LISTING.name, (listing_of(category),), timeout_seconds=self._timeout_seconds
        )
        return NO_LISTING if row is None else Listing(*row)

    async def change_listing(self, category: str, known: Listing, wanted: Listing) -> bool:
        """Replace a listing if it still is the known one; returns whether it was. One transaction.

        Raises:
            RingError: the outcome is unknown.
        """
        rows = await self._execute(CHANGE_LISTING, (*wanted, listing_of(category), *known))
        return bool(rows[0][0])

    async def _write(self, statement: Statement, rows: Iterable[Sequence[object]]) -> None:
        gate = asyncio.Semaphore(_PARALLEL)

        async def write(batch: RowBatch) -> None:
            async with gate:
                await self._rows.write(batch, timeout_seconds=self._timeout_seconds)

        await together(write(batch) for batch in self._rows.gather(statement.name, rows))
