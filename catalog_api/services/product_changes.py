"""Every change of a product, in one place: intent, transaction, derived views, end of the intent.

The product's own row is the truth. What is derived from it may be made again at any time, from the
row as it then is; so a process that dies in between leaves nothing but an intent, and any other
finishes it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol
from weakref import WeakValueDictionary

from catalog_api.repositories.intents import Intent, IntentsRepository
from catalog_api.repositories.moments import moment
from catalog_api.repositories.product_rows import (
    NO_TAGS,
    Bodies,
    ProductRowsRepository,
    StoredProduct,
    tags_of,
)
from catalog_api.services.contention import Contention
from ring.errors import RingError, RingTimeoutError

_logger: Final = logging.getLogger(__name__)
# Views that take longer are finished behind the answer: the change itself has happened.
_VIEW_WAIT_SECONDS: Final = 2.0

Decide = Callable[[StoredProduct | None], Awaitable[Bodies]]


class DerivedView(Protocol):
    """Rows that are derived from products' own."""

    async def apply(self, stored: StoredProduct) -> None:
        """Make the rows follow this state: `lives` says whether there is a product.

        Must be idempotent, and an older state must not undo a newer one's rows for good: it is
        called again with the newest state. `written_at` as the rows' timestamp does that.

        Raises:
            RingError: it is done in part; it will be called again.
        """
        ...


class ProductChanges:
    """Changes products.

    Args:
        rows: their own rows.
        intents: where changes are announced.
        views: what is derived from products.
        deadline_seconds: longest that a change may contend with others.
    """

    def __init__(
        self,
        rows: ProductRowsRepository,
        intents: IntentsRepository,
        views: Sequence[DerivedView],
        *,
        deadline_seconds: float,
    ) -> None:
        self._rows = rows
        self._intents = intents
        self._views = views
        self._deadline_seconds = deadline_seconds
        self._settling: set[asyncio.Task[None]] = set()
        # Changes of one product take turns here, so that only whole processes contend for its row.
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def change(self, product_id: int, decide: Decide) -> StoredProduct | None:
        """Change a product's row to what `decide` makes of it, and all views with it.

        Consistency: LOCAL_SERIAL, LOCAL_QUORUM.

        Args:
            product_id: which; it need not exist.
            decide: gets the row as it is (that of a deleted product too) and returns the new
                bodies; it is asked again when others were faster. What it raises ends the change.

        Returns:
            The row before the change.

        Raises:
            RingError: it is unknown whether the row was changed.
        """
        turn = self._turns.setdefault(product_id, asyncio.Lock())
        try:
            async with asyncio.timeout(self._deadline_seconds):
                await turn.acquire()
        except TimeoutError as error:
            raise RingTimeoutError(_busy(product_id)) from error
        try:
            known, settling = await self._commit(product_id, decide)
        finally:
            turn.release()
        await asyncio.wait({settling}, timeout=_VIEW_WAIT_SECONDS)
        return known

    async def _commit(
        self, product_id: int, decide: Decide
    ) -> tuple[StoredProduct | None, asyncio.Task[None]]:
        """Return the row before the change, and the task that makes the views follow it."""
        known = await self._rows.fetch(product_id)
        bodies = await decide(known)
        intent = Intent(moment(), product_id)
        contention = Contention(_busy(product_id), deadline_seconds=self._deadline_seconds)
        await self._intents.write(intent)
        try:
            while not await self._try(known, bodies, intent, contention):
                await contention.pause()
                known = await self._rows.fetch(product_id, settled=True)
                bodies = await decide(known)
        finally:
            # Also after a failure: whatever the outcome was, the views follow it.
            settling = asyncio.create_task(self._finish(intent), name=f"views of {product_id}")
            self._settling.add(settling)
            settling.add_done_callback(self._settling.discard)
        return known, settling

    async def _try(
        self, known: StoredProduct | None, bodies: Bodies, intent: Intent, contention: Contention
    ) -> bool:
        tags = NO_TAGS if known is None else known.tags
        if known is not None and tags_of(bodies) == tags:
            return True
        # Beyond this others may think the intent's owner dead, and take it for finished.
        contention.check()
        return await self._rows.change(intent.product_id, tags, bodies, intent.moment)

    async def _finish(self, intent: Intent) -> None:
        try:
            await self.settle(intent)
        except RingError as error:
            _logger.warning("product %d: its views follow later: %s", intent.product_id, error)
        except Exception:
            _logger.exception("product %d: its views could not follow", intent.product_id)

    async def settle(self, intent: Intent, *, settled: bool = False) -> None:
        """Make all views follow the product's row as it is, then end the intent. Idempotent.

        Args:
            intent: the change whose part this is.
            settled: somebody else's change, whose outcome may be open.

        Raises:
            RingError: the intent stands; settle again.
        """
        product_id = intent.product_id
        stored = await self._rows.fetch(product_id, settled=settled)
        while stored is not None:
            for view in self._views:
                await view.apply(stored)
            # Another change may have come in between, and its views before ours.
            if await self._rows.fetch_written_at(product_id) == stored.written_at:
                break
            stored = await self._rows.fetch(product_id)
        await self._intents.delete(intent)

    async def aclose(self) -> None:
        """Wait for the views of changes that were answered already."""
        if self._settling:
            await asyncio.wait(self._settling, timeout=self._deadline_seconds)


def _busy(product_id: int) -> str:
    return f"product {product_id}: too many others change it"
