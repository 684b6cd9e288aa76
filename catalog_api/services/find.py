"""Searches: pages of products in an order, with an honest estimate of how many there are."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import orjson

from catalog_api.domain.find import FoundProduct, Order, Search
from catalog_api.domain.page_tokens import Position
from catalog_api.repositories.find import (
    FIRST_KEY,
    LAST_PLACE,
    FindRepository,
    FoundBodies,
    Listing,
    Range,
    ScannedPlace,
)
from catalog_api.services.merging import Budget, Merged, meets, merge
from schema.documents import price_text
from schema.find import (
    ALL_PRODUCTS,
    Facts,
    Ordering,
    facts_of,
    property_term,
    sale_term,
    stock_term,
)

_ORDERINGS: Final = {
    Order.NEWEST: Ordering.NEWEST,
    Order.PRICE: Ordering.CHEAPEST,
    Order.PRICE_DESCENDING: Ordering.DEAREST,
}
_SAMPLE_ROWS: Final = 400
_NO_STYLES: Final = b'{"results":[]}'


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a search.

    Attributes:
        products: as they are shown.
        position: where the next page begins; None when there is none.
        estimate: how many products the search finds in all.
        is_exact: whether the estimate is their number.
    """

    products: list[FoundProduct]
    position: Position | None
    estimate: int
    is_exact: bool


class FindService:
    """Finds products.

    Args:
        find: where they are looked for.
        budget_rows: most rows that a page may look at without the indexes' help.
        budget_seconds: after which a page comes back with what it has.
    """

    def __init__(self, find: FindRepository, *, budget_rows: int, budget_seconds: float) -> None:
        self._find = find
        self._budget_rows = budget_rows
        self._budget_seconds = budget_seconds

    async def find(self, search: Search, rows: int, position: Position | None) -> Found:
        """Return the page behind a position. Consistency: LOCAL_QUORUM.

        Three round trips for a category of one shard: listing, keys, products. A page may have
        fewer products than `rows` and still not be the last: when its budget was spent, or when
        products were changed while they were looked for.

        Raises:
            RingError: too few replicas answered in time.
        """
        category = search.category or ALL_PRODUCTS
        listing = await self._find.fetch_listing(category)
        within, after = _range_of(search, category)
        if position is not None:
            after = (position.place, position.item_id)
        budget = Budget(rows=self._budget_rows, seconds=self._budget_seconds)
        merged = await merge(
            self._find, within, after, shards=listing.shard_count, rows=rows, budget=budget
        )
        bodies = await self._find.fetch_bodies([product_id for _, product_id in merged.keys])
        products = [shown for body in bodies if body and (shown := _shown(body, search))]
        if position is None and merged.behind is None:
            return Found(products, None, len(products), is_exact=True)
        if position is not None:
            estimate = position.estimate
        else:
            estimate = await self._estimate(search, within, listing, merged)
        behind = merged.behind and Position(*merged.behind, estimate)
        return Found(products, behind, estimate, is_exact=False)

    async def _estimate(
        self, search: Search, within: Range, listing: Listing, merged: Merged
    ) -> int:
        """Return about how many products there are, from the newest ones of the category."""
        products = max(listing.products or 0, 0)
        least = len(merged.keys) + 1
        if search.is_everything:
            return max(products, least)
        newest = Range(
            within.category, Ordering.NEWEST, terms=_terms_of(search), prices=_prices_of(search)
        )
        each = -(-_SAMPLE_ROWS // listing.shard_count)
        shards = range(min(listing.shard_count, _SAMPLE_ROWS))
        samples = await asyncio.gather(
            *(self._find.scan(newest, shard, FIRST_KEY, each) for shard in shards)
        )
        rows: list[ScannedPlace] = [row for sample in samples for row in sample]
        matches = sum(meets(row, newest) for row in rows)
        return max(products * matches // max(len(rows), 1), least)


def _range_of(search: Search, category: str) -> tuple[Range, tuple[int, int]]:
    """Return where a search looks, and the key behind which it begins."""
    ordering, terms, prices = _ORDERINGS[search.order], _terms_of(search), _prices_of(search)
    if prices is None or ordering is Ordering.NEWEST:
        return Range(category, ordering, terms=terms, prices=prices), FIRST_KEY
    low, high = prices
    if ordering is Ordering.DEAREST:
        low, high = -high, -low
    return Range(category, ordering, last_place=high, terms=terms), (low - 1, LAST_PLACE)


def _terms_of(search: Search) -> tuple[str, ...]:
    terms = [property_term(name, value) for name, value in search.properties]
    if search.on_sale is not None:
        terms.append(sale_term(search.on_sale))
    if search.in_stock is not None:
        terms.append(stock_term(search.in_stock))
    # One name may be asked for with one value twice, by different texts of the same term.
    return tuple(dict.fromkeys(terms))


def _prices_of(search: Search) -> tuple[int, int] | None:
    if search.min_cents is None and search.max_cents is None:
        return None
    high = LAST_PLACE if search.max_cents is None else search.max_cents
    return search.min_cents or 0, high


def _shown(bodies: FoundBodies, search: Search) -> FoundProduct | None:
    """Return a product as it is shown; None when it does not meet the search any more."""
    product = orjson.loads(bodies.product)
    styles = orjson.loads(bodies.styles or _NO_STYLES)["results"]
    facts = facts_of(product, styles, orjson.loads(bodies.properties or b"{}"))
    if not _is_met(search, facts):
        return None
    sale = facts.sale_cents
    return FoundProduct(
        id=product["id"],
        name=product["name"],
        slogan=product["slogan"],
        category=product["category"],
        default_price=product["default_price"],
        price=price_text(facts.price_cents),
        sale_price=None if sale is None else price_text(sale),
        on_sale=sale is not None,
        in_stock=facts.in_stock,
        thumbnail_url=_thumbnail_of(styles),
    )


def _is_met(search: Search, facts: Facts) -> bool:
    low, high = _prices_of(search) or (0, LAST_PLACE)
    return (
        search.category in {None, facts.category}
        and low <= facts.price_cents <= high
        and facts.terms.issuperset(_terms_of(search))
    )


def _thumbnail_of(styles: list[dict[str, Any]]) -> str | None:
    """Return the first photo's of the default style, or of the first."""
    if not styles:
        return None
    style = next((style for style in styles if style["default?"]), styles[0])
    url: str | None = style["photos"][0]["thumbnail_url"]
    return url
