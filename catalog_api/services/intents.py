"""Finishes changes of products that somebody began and did not live to finish."""

import asyncio
import logging
import random
import time
from typing import Final

from catalog_api.repositories.intents import BUCKETS, Intent, IntentsRepository
from catalog_api.repositories.moments import position_of
from catalog_api.services.product_changes import ProductChanges
from ring.errors import RingError

_logger: Final = logging.getLogger(__name__)
# Longer than clocks may differ and writes may be late: how far behind the newest to read again.
_OVERLAP_SECONDS: Final = 60.0


class IntentSweeper:
    """Looks for old intents; every app server does, and it does no harm that several find one.

    Args:
        intents: where they stand.
        changes: finishes them.
        after_seconds: age at which an intent counts as left behind; more than a change may take.
    """

    def __init__(
        self, intents: IntentsRepository, changes: ProductChanges, *, after_seconds: float
    ) -> None:
        self._intents = intents
        self._changes = changes
        self._after_seconds = after_seconds
        self._since = [0] * BUCKETS
        self.finished = 0

    async def run(self) -> None:
        """Sweep again and again, until cancelled."""
        while True:
            # The app servers of a ring must not all look at once.
            await asyncio.sleep(self._after_seconds * random.uniform(0.4, 0.6))  # noqa: S311
            try:
                await self.sweep()
            except RingError as error:
                _logger.debug("intents are swept later: %s", error)
            except Exception:
                _logger.exception("the sweep of intents failed")

    async def sweep(self) -> None:
        """Finish every intent that is old enough.

        Raises:
            RingError: some are left; sweep again.
        """
        before = position_of(time.time() - self._after_seconds)
        # Whoever reads behind what is finished does not read its tombstones.
        overlap = position_of(time.time() - self._after_seconds - _OVERLAP_SECONDS)
        for bucket in range(BUCKETS):
            found = await self._intents.fetch(bucket, self._since[bucket], before)
            left = [intent.moment for intent in found if not await self._finish(intent)]
            self._since[bucket] = min([overlap, *left])

    async def _finish(self, intent: Intent) -> bool:
        try:
            await self._changes.settle(intent, settled=True)
        except RingError:
            raise
        except Exception:
            _logger.exception("product %d: a change cannot be finished", intent.product_id)
            return False
        self.finished += 1
        _logger.info("product %d: finished a change that was left behind", intent.product_id)
        return True
