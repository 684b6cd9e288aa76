"""Counts helpful votes exactly, hundreds at once.

Votes for one item that come while a transaction is under way wait and go together in the next one,
so that two hundred voters of an app server become a few contenders.
"""

from collections.abc import Set as AbstractSet
from itertools import count

from catalog_api.repositories.moments import moment
from catalog_api.repositories.votes import VotedItem, VotesRepository
from catalog_api.services.contention import Contention
from catalog_api.services.gathering import Gathering
from ring.errors import RingError


class VoteCounter:
    """Gathers the votes of this process.

    Args:
        votes: where they are stored.
        deadline_seconds: longest that a vote may wait for its outcome.
    """

    def __init__(self, votes: VotesRepository, *, deadline_seconds: float) -> None:
        self._votes = votes
        self._deadline_seconds = deadline_seconds
        self._numbers = count()
        self._gathering: Gathering[VotedItem, int] = Gathering(self._count)

    async def add(self, item: VotedItem) -> None:
        """Add one vote; returns when it is counted.

        Raises:
            MissingItemError: there is no such item.
            RingError: it is unknown whether it was counted; it was once at the most.
        """
        await self._gathering.add(item, next(self._numbers))

    async def _count(self, item: VotedItem, voters: AbstractSet[int]) -> None:
        await self._add(item, await self._votes.fetch_votes(item), len(voters))

    async def _add(self, item: VotedItem, known: int | None, added: int) -> None:
        """Add votes, once, whatever the ring says meanwhile."""
        contention = Contention(
            f"{item}: too many others vote", deadline_seconds=self._deadline_seconds
        )
        mark = moment()
        while True:
            failure: RingError | None = None
            try:
                if await self._votes.add(item, known, added, mark):
                    return
            except RingError as error:
                failure = error
            try:
                is_added, known = await self._votes.fetch_outcome(item, mark)
                if is_added:
                    return
            except RingError as error:
                failure = error
            await contention.give_way(failure)
