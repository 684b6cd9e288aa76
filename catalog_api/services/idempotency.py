"""Work that is done once however often it is asked for."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from catalog_api.domain.errors import InProgressError, KeyReusedError
from catalog_api.repositories.idempotency import (
    FREE,
    Attempt,
    IdempotencyRepository,
    StoredAnswer,
)
from catalog_api.repositories.moments import moment
from ring.errors import RingError, RingUnavailableError

_logger: Final = logging.getLogger(__name__)
_ATTEMPTS: Final = 5

Work = Callable[[], Awaitable[StoredAnswer]]


class Idempotency:
    """Remembers answers for 24 hours.

    Args:
        requests: where they are stored.
        lease_seconds: after which a holder that has not answered counts as dead; longer than any
            request may take.
    """

    def __init__(self, requests: IdempotencyRepository, *, lease_seconds: float) -> None:
        self._requests = requests
        self._lease_seconds = lease_seconds

    async def run(self, scope: str, request: str, work: Work) -> tuple[StoredAnswer, bool]:
        """Do the work, unless its answer is known already.

        One transaction to begin, one write to finish.

        Args:
            scope: what the request is remembered under.
            request: a hash of all that the answer depends on.
            work: what to do. When it raises, the same may be asked for again at once; what has
                happened by then is its own to say.

        Returns:
            The answer, and whether it was given before.

        Raises:
            KeyReusedError: another request had this scope.
            InProgressError: the same request is being worked on.
            RingError: it is unknown who works on it.
        """
        begun = await self._begin(scope, request)
        if isinstance(begun, StoredAnswer):
            return begun, True
        try:
            answer = await work()
        except Exception:
            await self._release(scope, begun)
            raise
        if answer.status >= 500:
            await self._release(scope, begun)
            return answer, False
        try:
            await self._requests.finish(scope, answer)
        except RingError as error:
            # The work is done and must be answered; a repetition may find nothing of it.
            _logger.warning("an answer could not be kept: %s", error)
        return answer, False

    async def _begin(self, scope: str, request: str) -> Attempt | StoredAnswer:
        for _ in range(_ATTEMPTS):
            now_ms = time.time_ns() // 1_000_000
            attempt = Attempt(request, moment(), now_ms + int(self._lease_seconds * 1000))
            if await self._won(self._requests.begin(scope, attempt)):
                return attempt
            known = await self._requests.fetch(scope)
            if known is None:
                continue
            before = known.attempt
            if before.holder == attempt.holder:
                return attempt
            if before.request not in {request, FREE}:
                raise KeyReusedError("This Idempotency-Key was sent with another request.")
            if known.answer is not None and before.request != FREE:
                return known.answer
            if before.held_until > now_ms:
                raise InProgressError((before.held_until - now_ms + 999) // 1000)
            if await self._won(self._requests.take_over(scope, before.holder, attempt)):
                return attempt
        raise RingUnavailableError("too many others ask for the same")

    async def _won(self, transaction: Awaitable[bool]) -> bool:
        try:
            return await transaction
        except RingUnavailableError:
            # The next look at the row tells.
            return False

    async def _release(self, scope: str, begun: Attempt) -> None:
        try:
            await self._requests.take_over(scope, begun.holder, Attempt(FREE, begun.holder, 0))
        except RingError as error:
            _logger.warning("a request stays held for its lease: %s", error)
