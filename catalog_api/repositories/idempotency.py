"""Idempotent requests as they are stored. Consistency: LOCAL_SERIAL and LOCAL_QUORUM."""

from typing import NamedTuple

import msgspec

from catalog_api.repositories.repository import Repository
from schema.statements.idempotency import (
    BEGIN_REQUEST,
    FINISH_REQUEST,
    SELECT_REQUEST,
    TAKE_OVER_REQUEST,
)

FREE = ""
"""The request of a row whose work came to nothing: anybody may begin anew."""


class StoredAnswer(NamedTuple):
    """What a request was answered."""

    status: int
    content_type: str | None
    etag: str
    headers: str
    body: bytes


class Attempt(NamedTuple):
    """Somebody's work on a request; `held_until` in milliseconds since 1970."""

    request: str
    holder: int
    held_until: int


class KnownRequest(NamedTuple):
    """A request that was begun."""

    attempt: Attempt
    answer: StoredAnswer | None


class IdempotencyRepository(Repository):
    """Reads and changes idempotent requests."""

    async def begin(self, scope: str, attempt: Attempt) -> bool:
        """Store a new request; returns whether there was none. One transaction.

        Raises:
            RingError: the outcome is unknown; `fetch` tells it.
        """
        return bool((await self._execute(BEGIN_REQUEST, (scope, *attempt)))[0][0])

    async def take_over(self, scope: str, known_holder: int, attempt: Attempt) -> bool:
        """Replace another's attempt; returns whether it was still the last. One transaction.

        Raises:
            RingError: the outcome is unknown; `fetch` tells it.
        """
        values = (*attempt, scope, known_holder)
        return bool((await self._execute(TAKE_OVER_REQUEST, values))[0][0])

    async def fetch(self, scope: str) -> KnownRequest | None:
        """Return what is known of a request.

        Raises:
            RingError: too few replicas answered in time.
        """
        rows = await self._execute(SELECT_REQUEST, (scope,))
        if not rows or rows[0][1] is None:
            return None
        *attempt, answer = rows[0]
        return KnownRequest(
            Attempt(*attempt),
            None if answer is None else msgspec.msgpack.decode(answer, type=StoredAnswer),
        )

    async def finish(self, scope: str, answer: StoredAnswer) -> None:
        """Store what was answered. Idempotent.

        Raises:
            RingError: it may or may not be stored.
        """
        await self._execute(FINISH_REQUEST, (msgspec.msgpack.encode(answer), scope))
