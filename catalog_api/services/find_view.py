"""The orders that searches read, kept true to products: a view that is derived from their rows.

Several may place one product at once. Each announces its entry under the version of the product's
row that it saw, and then looks for the others': so of two, at least one sees the other. Whoever
sees a newer version leaves it the field; whoever is the newest removes what the older ones may have
written or may yet write, since rows and deletions carry the version as their timestamp.
"""

import contextlib
import random
from asyncio import gather
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import orjson

from catalog_api.repositories.find import Listing
from catalog_api.repositories.find_entries import FindEntriesRepository, Placement, StoredEntry
from catalog_api.repositories.product_rows import StoredProduct
from ring.errors import RingError
from schema.find import ALL_PRODUCTS, Entry, Facts, facts_of, loaded_at

SHARD_ROWS: Final = 100_000
"""About how many rows of a category a shard takes before the next one is opened."""
_SAMPLE: Final = 64
_ATTEMPTS: Final = 5
_MOMENT_BITS: Final = 12
_NO_STYLES: Final = b'{"results":[]}'


class FindView:
    """Places products in the orders.

    Args:
        entries: where they stand.
        shard_rows: rows of a category after which its next shard is opened.
    """

    def __init__(self, entries: FindEntriesRepository, *, shard_rows: int = SHARD_ROWS) -> None:
        self._entries = entries
        self._shard_rows = shard_rows

    async def apply(self, stored: StoredProduct) -> None:
        """Make the orders follow one product; see `place`.

        Raises:
            RingError: it is done in part; call again.
        """
        await self.place([stored])

    async def place(
        self,
        states: Sequence[StoredProduct],
        known: Mapping[int, Sequence[StoredEntry]] | None = None,
    ) -> int:
        """Make the orders follow these states, each of another product; returns how many moved.

        Idempotent. An older state never undoes a newer one, but what it finds unplaced it places:
        who calls this reads the product's row again afterwards, and calls again if it has changed.

        Args:
            states: at most one of each product.
            known: the entries that there are, of those who have read them already.

        Raises:
            RingError: it is done in part; call again.
        """
        ids = [state.product_id for state in states]
        if known is None:
            known = dict(zip(ids, await self._entries.fetch_entries(ids), strict=True))
        behind = []
        for state in states:
            stored = known.get(state.product_id, ())
            facts = facts_in(state)
            if not _is_newer(stored, state.written_at) and not _is_placed(stored, facts):
                behind.append((state, facts, stored))
        if not behind:
            return 0
        listings = await self._fetch_listings(facts for _, facts, _ in behind)
        announced = [_placement(*one, listings) for one in behind]
        await self._entries.announce(announced)
        seen = await self._entries.fetch_entries([one.product_id for one in announced])
        placements = [
            one._replace(older=[other for other in others if other.version < one.version])
            for one, others in zip(announced, seen, strict=True)
            if not _is_newer(others, one.version)
        ]
        await self._entries.place(placements)
        await self._count(placements)
        return len(placements)

    async def set_counts(self, counts: Mapping[str, int]) -> None:
        """Let listings say how many products were counted in each category."""
        for category, products in counts.items():
            with contextlib.suppress(RingError):
                known = await self._entries.fetch_listing(category)
                wanted = Listing(known.shard_count, known.filled or 0, products)
                await self._entries.change_listing(category, known, wanted)

    async def _fetch_listings(self, facts: Iterable[Facts | None]) -> dict[str, Listing]:
        categories = {one.category for one in facts if one is not None and one.category}
        names = [ALL_PRODUCTS, *categories]
        return dict(zip(names, await gather(*map(self._entries.fetch_listing, names)), strict=True))

    async def _count(self, placements: Sequence[Placement]) -> None:
        """Let listings follow; that they are not exact is known, so a failure is left at that."""
        added, gone = Counter[str](), Counter[str]()
        for placement in placements:
            now = _categories(placement.entry)
            before = _categories(_entry_of(placement.older))
            added.update(now - before)
            gone.update(before - now)
        await gather(
            *(
                self._change_listing(category, _sampled(added[category]), _sampled(gone[category]))
                for category in {*added, *gone}
            )
        )

    async def _change_listing(self, category: str, added: int, gone: int) -> None:
        if not added and not gone:
            return
        with contextlib.suppress(RingError):
            for _ in range(_ATTEMPTS):
                known = await self._entries.fetch_listing(category)
                filled = (known.filled or 0) + added
                shards = known.shard_count
                if filled >= self._shard_rows:
                    shards, filled = shards + 1, 0
                products = max(0, (known.products or 0) + added - gone)
                wanted = Listing(shards, filled, products)
                if await self._entries.change_listing(category, known, wanted):
                    return


def facts_in(stored: StoredProduct) -> Facts | None:
    """Return what a product is found by; None when it was deleted."""
    if not stored.lives:
        return None
    bodies = stored.bodies
    return facts_of(
        orjson.loads(bodies.product),
        orjson.loads(bodies.styles or _NO_STYLES)["results"],
        orjson.loads(bodies.properties or b"{}"),
    )


def _is_newer(stored: Sequence[StoredEntry], version: int) -> bool:
    return any(one.version > version for one in stored)


def _is_placed(stored: Sequence[StoredEntry], facts: Facts | None) -> bool:
    """Whether the only entry there is says what these facts say, and is done."""
    if not stored:
        return facts is None
    entry = stored[0].entry
    if len(stored) > 1 or not stored[0].done:
        return False
    if entry is None or facts is None:
        return entry is None and facts is None
    return entry == _entry(facts, entry)


def _entry(facts: Facts, like: Entry) -> Entry:
    """Return an entry of these facts that keeps its moment and, where it can, its shards."""
    category = facts.category or ALL_PRODUCTS
    shard = like.shard if like.category == category else -1
    terms = tuple(sorted(facts.terms))
    return Entry(category, like.listed, facts.price_cents, shard, like.shard_of_all, terms)


def _placement(
    state: StoredProduct,
    facts: Facts | None,
    stored: Sequence[StoredEntry],
    listings: Mapping[str, Listing],
) -> Placement:
    before = _entry_of(stored)
    entry = None
    if facts is not None:
        category = facts.category or ALL_PRODUCTS
        shard = listings[category].shard_count - 1
        shard_of_all = listings[ALL_PRODUCTS].shard_count - 1
        if before is None:
            before = Entry(category, _listed(state), 0, shard, shard_of_all, ())
        entry = _entry(facts, before)
        if entry.shard < 0:
            entry = replace(entry, shard=shard)
    version = state.written_at
    if any(one.version == version and one.entry != entry for one in stored):
        # The same row means something else than it did to an earlier release.
        version += 1
    return Placement(state.product_id, version, entry, ())


def _listed(state: StoredProduct) -> int:
    """Return the moment of a product that was not placed before, see `Entry.listed`."""
    if state.revision is None:
        return loaded_at(state.product_id)
    return state.revision >> _MOMENT_BITS


def _entry_of(stored: Sequence[StoredEntry]) -> Entry | None:
    """Return the entry of the newest version."""
    return max(stored, key=lambda one: one.version).entry if stored else None


def _categories(entry: Entry | None) -> set[str]:
    return set() if entry is None else {ALL_PRODUCTS, entry.category}


def _sampled(count: int) -> int:
    """Return a multiple of 64 that is `count` on average: most single changes write nothing."""
    sure, rest = divmod(count, _SAMPLE)
    return (sure + (random.random() < rest / _SAMPLE)) * _SAMPLE  # noqa: S311 - a sample
