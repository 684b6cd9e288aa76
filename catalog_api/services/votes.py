"""Counts helpful votes exactly, hundreds at once.

Votes for one item that come while a transaction is under way wait and go together in the next one,
so that two hundred voters of an app server become a few contenders.
"""

import asyncio
import random
import time
from typing import Final

from catalog_api.repositories.moments import moment
from catalog_api.repositories.votes import VotedItem, VotesRepository
from ring.errors import RingError, RingTimeoutError

_FIRST_PAUSE_SECONDS: Final = 0.002
_LONGEST_PAUSE_SECONDS: Final = 0.1


class VoteCounter:
    """Gathers the votes of this process.

    Args:
        votes: where they are stored.
        deadline_seconds: longest that a vote may wait for its outcome.
    """

    def __init__(self, votes: VotesRepository, *, deadline_seconds: float) -> None:
        self._votes = votes
        self._deadline_seconds = deadline_seconds
        self._waiting: dict[VotedItem, list[asyncio.Future[None]]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def add(self, item: VotedItem) -> None:
        """Add one vote; returns when it is counted.

        Raises:
            MissingItemError: there is no such item.
            RingError: it is unknown whether it was counted; it was once at the most.
        """
        future = asyncio.get_running_loop().create_future()
        waiting = self._waiting.get(item)
        if waiting is not None:
            waiting.append(future)
        else:
            self._waiting[item] = [future]
            task = asyncio.create_task(self._count(item), name=f"votes of {item}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        await future

    async def _count(self, item: VotedItem) -> None:
        """Run transactions for an item until nobody waits."""
        known: int | None = None
        is_known = False
        while futures := self._waiting[item]:
            self._waiting[item] = []
            try:
                if not is_known:
                    known = await self._votes.fetch_votes(item)
                known = await self._add(item, known, len(futures))
                is_known = True
            except Exception as error:  # noqa: BLE001 - whatever it is, it is theirs who wait
                is_known = False
                for future in futures:
                    if not future.done():
                        future.set_exception(error)
            else:
                for future in futures:
                    if not future.done():
                        future.set_result(None)
        del self._waiting[item]

    async def _add(self, item: VotedItem, known: int | None, added: int) -> int:
        """Add votes, once, whatever the ring says meanwhile; returns the number then."""
        deadline_at = time.monotonic() + self._deadline_seconds
        mark = moment()
        pause_seconds = _FIRST_PAUSE_SECONDS
        while True:
            failure: RingError | None = None
            try:
                if await self._votes.add(item, known, added, mark):
                    return (known or 0) + added
            except RingError as error:
                failure = error
            try:
                is_added, known = await self._votes.fetch_outcome(item, mark)
                if is_added:
                    return known or 0
            except RingError as error:
                failure = error
            if time.monotonic() + pause_seconds > deadline_at:
                raise RingTimeoutError(f"{item}: too many others vote") from failure
            # Others contend: who waits a random time lets one of them through.
            await asyncio.sleep(random.uniform(0, pause_seconds))  # noqa: S311 - no secret
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
