"""What a failure answers: one mapping for the fast lane and for the application."""

import logging

from catalog_api.answers import Answer, problem, unavailable
from catalog_api.domain.errors import BadRequestError
from ring.errors import RingError, RingRequestError, RingUnavailableError

_logger = logging.getLogger(__name__)


def answer_failure(error: Exception, request_id: str) -> Answer:
    """Return the answer for what a handler raised.

    What the caller did is told; of what failed on our side nothing is shown. Every failure of the
    ring is a 503 with Retry-After. Anything else is our own bug: a 500, with its trace in the log
    under the request's id.
    """
    if isinstance(error, BadRequestError):
        return problem(400, str(error))
    if isinstance(error, RingUnavailableError):
        # Not logged one by one: an outage would write a line per request; /metrics counts them.
        return unavailable("The catalog cannot be read just now.", error.retry_after_seconds)
    if isinstance(error, TimeoutError):
        return unavailable("The answer took too long.", 1)
    if isinstance(error, RingRequestError):
        _logger.error("request %s: Cassandra refused a statement", request_id, exc_info=error)
        return unavailable("The catalog cannot be read just now.", 1)
    if isinstance(error, RingError):
        _logger.error("request %s: the ring client failed", request_id, exc_info=error)
        return unavailable("The catalog cannot be read just now.", 1)
    _logger.error("request %s failed", request_id, exc_info=error)
    return problem(500, "This failed on our side.")
