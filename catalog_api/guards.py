"""Guards around handlers: who may call them, and how often.

Endpoint("PUT", path, guard.votes(handle), …)
"""

from dataclasses import replace

from aiohttp import web

from catalog_api.answers import Answer, problem
from catalog_api.callers import Callers
from catalog_api.endpoints import Handler
from catalog_api.services.limits import WINDOW_SECONDS, Limit, RateLimiter


class Guard:
    """Puts conditions before handlers.

    Args:
        callers: tells callers apart by their addresses.
        limiter: counts what they do.
        votes_per_minute: votes and reports that one caller may make; 0: any number.
        posts_per_minute: new reviews, questions and answers; 0: any number.
    """

    def __init__(
        self,
        callers: Callers,
        limiter: RateLimiter,
        *,
        votes_per_minute: int,
        posts_per_minute: int,
    ) -> None:
        self._callers = callers
        self._limiter = limiter
        self._votes = Limit("votes", votes_per_minute)
        self._posts = Limit("posts", posts_per_minute)

    def votes(self, handle: Handler) -> Handler:
        """Return the handler of a vote or a report, within the limit of these."""
        return self._limited(self._votes, handle)

    def posts(self, handle: Handler) -> Handler:
        """Return the handler of something that people write, within the limit of these."""
        return self._limited(self._posts, handle)

    def _limited(self, limit: Limit, handle: Handler) -> Handler:
        """Count each request before it is done, and tell how many are left."""
        if not limit.requests:
            return handle
        policy = f'RateLimit-Policy: "{limit.kind}";q={limit.requests};w={WINDOW_SECONDS}\r\n'

        async def limited(request: web.Request) -> Answer:
            standing = await self._limiter.take(limit, self._callers.caller_of(request))
            told = (
                f"{policy}RateLimit:"
                f' "{limit.kind}";r={standing.remaining};t={standing.reset_seconds}\r\n'
            )
            if not standing.is_allowed:
                return problem(
                    429,
                    f"No more than {limit.requests} {limit.kind} a minute.",
                    headers=f"{told}Retry-After: {standing.reset_seconds}\r\n",
                )
            answer = await handle(request)
            return replace(answer, headers=told + answer.headers)

        return limited
