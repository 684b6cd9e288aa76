"""What a failure answers: one mapping for the fast lane and for the application."""

import logging
from typing import Final

from catalog_api.answers import Answer, problem, unavailable
from catalog_api.domain.errors import (
    BadRequestError,
    CatalogError,
    ConflictError,
    InProgressError,
    InvalidBodyError,
    KeyReusedError,
    MissingItemError,
    PreconditionFailedError,
    UnsupportedTypeError,
)
from ring.errors import RingError, RingRequestError, RingUnavailableError

_logger = logging.getLogger(__name__)
_STATUSES: Final[dict[type[CatalogError], int]] = {
    BadRequestError: 400,
    MissingItemError: 404,
    ConflictError: 409,
    PreconditionFailedError: 412,
    InvalidBodyError: 422,
    KeyReusedError: 422,
}


def answer_failure(error: Exception, request_id: str) -> Answer:
    """Return the answer for what a handler raised.

    What the caller did is told; of what failed on our side nothing is shown. Every failure of the
    ring is a 503 with Retry-After. Anything else is our own bug: a 500, with its trace in the log
    under the request's id.
    """
    if isinstance(error, CatalogError):
        told = _answer_caller(error)
        if told is not None:
            return told
    if isinstance(error, RingUnavailableError):
        # Not logged one by one: an outage would write a line per request; /metrics counts them.
        return unavailable("The catalog cannot be read just now.", error.retry_after_seconds)
    if isinstance(error, TimeoutError):
        return unavailable("The answer took too long.", 1)
    if isinstance(error, RingError):
        refused = isinstance(error, RingRequestError)
        what = "Cassandra refused a statement" if refused else "the ring client failed"
        _logger.error("request %s: %s", request_id, what, exc_info=error)
        return unavailable("The catalog cannot be read just now.", 1)
    _logger.error("request %s failed", request_id, exc_info=error)
    return problem(500, "This failed on our side.")


def _answer_caller(error: CatalogError) -> Answer | None:
    """Return what the caller did; None for what a handler should have dealt with."""
    if isinstance(error, UnsupportedTypeError):
        return problem(415, str(error), headers=f"Accept: {', '.join(error.accepted)}\r\n")
    if isinstance(error, InProgressError):
        return problem(409, str(error), headers=f"Retry-After: {error.retry_after_seconds}\r\n")
    for kind, status in _STATUSES.items():
        if isinstance(error, kind):
            return problem(status, str(error))
    return None
