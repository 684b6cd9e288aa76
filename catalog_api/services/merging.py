"""One order of a category out of all its shards: a merge that looks at a bounded number of rows.

Every shard is read through the indexes first. Where that takes too long (conditions of which each
meets many products, but hardly any meets all), the shard's rows are read as they stand and looked
at here: slower, but each slice gets on, so that a page can come back short and say where to go on.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

from catalog_api.repositories.find import FindRepository, Key, Range, ScannedPlace
from catalog_api.repositories.repository import together
from ring.errors import RingTimeoutError

PARALLEL_SHARDS: Final = 16
_SCAN_ROWS: Final = 500
_LEAST_ROWS: Final = 8
# The share of the budget's time after which a shard is read without the indexes.
_INDEX_SHARE: Final = 0.5
_LEAST_INDEX_SECONDS: Final = 0.01


class Budget:
    """What one page may cost.

    Args:
        rows: looked at, in all shards.
        seconds: for all reads together.
    """

    def __init__(self, *, rows: int, seconds: float) -> None:
        self._rows = rows
        now = time.monotonic()
        self._index_until = now + seconds * _INDEX_SHARE
        self._until = now + seconds

    @property
    def is_spent(self) -> bool:
        """Whether the page must come back with what it has."""
        return self._rows <= 0 or time.monotonic() >= self._until

    @property
    def index_seconds(self) -> float:
        """How long a read through the indexes may take."""
        return max(self._index_until - time.monotonic(), _LEAST_INDEX_SECONDS)

    def take(self, rows: int) -> None:
        """Count rows that were looked at."""
        self._rows -= rows


@dataclass(frozen=True, slots=True)
class Merged:
    """Keys in order, and behind which key to go on; None when there are no more."""

    keys: Sequence[Key]
    behind: Key | None


class Shard:
    """One shard that is read from a key on."""

    def __init__(self, find: FindRepository, within: Range, number: int, after: Key) -> None:
        self._find = find
        self._within = within
        self._number = number
        self._is_indexed = True
        self.waiting: deque[Key] = deque()
        self.read_to = after
        self.ended = False

    async def fill(self, limit: int, budget: Budget) -> None:
        """Read on until keys wait, the shard ends or the budget does; one read at least.

        Raises:
            RingError: too few replicas answered in time.
        """
        if self._is_indexed:
            try:
                await self._fetch(limit, budget)
            except RingTimeoutError:
                self._is_indexed = False
        if not self._is_indexed:
            await self._scan(budget)
            while not (self.waiting or self.ended or budget.is_spent):
                await self._scan(budget)

    async def _fetch(self, limit: int, budget: Budget) -> None:
        keys = await self._find.fetch_keys(
            self._within, self._number, self.read_to, limit, timeout_seconds=budget.index_seconds
        )
        self._take(keys, keys[-1] if keys else self.read_to, ended=len(keys) < limit)
        budget.take(len(keys))

    async def _scan(self, budget: Budget) -> None:
        rows = await self._find.scan(self._within, self._number, self.read_to, _SCAN_ROWS)
        keys = [(row.place, row.product_id) for row in rows if meets(row, self._within)]
        read_to = (rows[-1].place, rows[-1].product_id) if rows else self.read_to
        self._take(keys, read_to, ended=len(rows) < _SCAN_ROWS)
        budget.take(len(rows))

    def _take(self, keys: Sequence[Key], read_to: Key, *, ended: bool) -> None:
        self.waiting.extend(keys)
        self.read_to = read_to
        self.ended = ended


def meets(row: ScannedPlace, within: Range) -> bool:
    """Whether a row meets the conditions that the indexes would have looked at."""
    if not row.terms.issuperset(within.terms):
        return False
    if within.prices is None:
        return True
    low, high = within.prices
    return row.price is not None and low <= row.price <= high


async def merge(
    find: FindRepository, within: Range, after: Key, *, shards: int, rows: int, budget: Budget
) -> Merged:
    """Return the next keys of all shards in order, at most `rows`.

    Fewer come back when there are no more, or when the budget is spent.

    Raises:
        RingError: too few replicas answered in time.
    """
    sources = [Shard(find, within, number, after) for number in range(shards)]
    # With many shards few of the next rows are in each.
    limit = min(rows, 2 * rows // shards + _LEAST_ROWS) + 1
    await _fill_all(sources, limit, budget)
    heads: list[tuple[Key, int]] = []
    # What lies behind one of these may not be all that there is.
    horizons: list[Key] = []

    def line_up(number: int) -> None:
        source = sources[number]
        if source.waiting:
            heappush(heads, (source.waiting.popleft(), number))
        elif not source.ended:
            heappush(horizons, source.read_to)

    for number in range(shards):
        line_up(number)
    keys: list[Key] = []
    while heads and (not horizons or heads[0][0] <= horizons[0]):
        if len(keys) == rows:
            return Merged(keys, keys[-1])
        key, number = heappop(heads)
        # A row that is being moved from shard to shard stands in both.
        if not keys or key != keys[-1]:
            keys.append(key)
        source = sources[number]
        is_wanted = len(keys) < rows and not budget.is_spent
        if is_wanted and not source.waiting and not source.ended:
            await source.fill(limit, budget)
        line_up(number)
    return Merged(keys, horizons[0] if horizons else None)


async def _fill_all(sources: Sequence[Shard], limit: int, budget: Budget) -> None:
    gate = asyncio.Semaphore(PARALLEL_SHARDS)

    async def fill(source: Shard) -> None:
        async with gate:
            await source.fill(limit, budget)

    await together(fill(source) for source in sources)
