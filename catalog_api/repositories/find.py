"""What searches read: slices of `products_by_order`, listings, and the products that were found.

Consistency: LOCAL_QUORUM throughout.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from catalog_api.repositories.repository import Repository
from schema.find import Ordering, listing_of
from schema.statements.find import (
    SCAN_PLACES,
    SELECT_FOUND,
    SELECT_LISTING,
    SELECT_PLACES,
)

Key = tuple[int, int]
"""place and product_id: what rows of a partition are ordered by."""

FIRST_KEY: Final[Key] = (-(2**63), -(2**63))
LAST_PLACE: Final = 2**63 - 1


class Listing(NamedTuple):
    """A row of `find_listings` as it is: None for what was never written."""

    shards: int | None
    filled: int | None
    products: int | None

    @property
    def shard_count(self) -> int:
        """Shards to read: one at least, since the first is not announced."""
        return self.shards or 1


NO_LISTING: Final = Listing(None, None, None)


@dataclass(frozen=True, slots=True)
class Range:
    """A part of one order of one category.

    Attributes:
        category: empty for all products.
        last_place: inclusive.
        terms: all of which the rows must have.
        prices: lowest and highest price of the rows, inclusive; None when the places bound them.
    """

    category: str
    ordering: Ordering
    last_place: int = LAST_PLACE
    terms: tuple[str, ...] = ()
    prices: tuple[int, int] | None = None


class ScannedPlace(NamedTuple):
    """A row with what searches may ask for; the price stands only in the order by moment."""

    place: int
    product_id: int
    terms: frozenset[str]
    price: int | None


class FoundBodies(NamedTuple):
    """The stored bodies of a product."""

    product: bytes
    styles: bytes | None
    properties: bytes | None


class FindRepository(Repository):
    """Reads for searches."""

    async def fetch_listing(self, category: str) -> Listing:
        """Return a category's listing. One partition, one round trip.

        Raises:
            RingError: too few replicas answered in time.
        """
        row = await self._rows.fetch_one(
            SELECT_LISTING.name, (listing_of(category),), timeout_seconds=self._timeout_seconds
        )
        return NO_LISTING if row is None else Listing(*row)

    async def fetch_keys(
        self, within: Range, shard: int, after: Key, limit: int, *, timeout_seconds: float
    ) -> list[Key]:
        """Return the next keys of one shard that meet all conditions, through the indexes.

        Raises:
            RingTimeoutError: they could not be found in time.
            RingError: too few replicas answered.
        """
        statement = SELECT_PLACES[len(within.terms), within.prices is not None]
        values = (*_slice(within, shard, after), *within.terms, *(within.prices or ()), limit)
        rows = await self._execute(statement, values, timeout_seconds)
        return [(place, product_id) for place, product_id in rows]

    async def scan(self, within: Range, shard: int, after: Key, limit: int) -> list[ScannedPlace]:
        """Return the next rows of one shard, whatever the terms and prices.

        Raises:
            RingError: too few replicas answered in time.
        """
        rows = await self._execute(
            SCAN_PLACES, (*_slice(within, shard, after), limit), self._timeout_seconds
        )
        return [
            ScannedPlace(place, product_id, frozenset(terms or ()), price)
            for place, product_id, terms, price in rows
        ]

    async def fetch_bodies(self, product_ids: Sequence[int]) -> list[FoundBodies | None]:
        """Return what is stored of each product; None for those that are gone.

        Raises:
            RingError: too few replicas answered in time.
        """
        reads = (
            self._rows.fetch_one(
                SELECT_FOUND.name, (product_id,), timeout_seconds=self._timeout_seconds
            )
            for product_id in product_ids
        )
        rows = await asyncio.gather(*reads)
        return [None if row is None or not row[0] else FoundBodies(*row) for row in rows]


def _slice(within: Range, shard: int, after: Key) -> tuple[object, ...]:
    return (within.category, int(within.ordering), shard, *after, within.last_place)
