"""Guards around handlers: who may call them, and how often.

An endpoint names its guard where it names its handler: `guard.votes(handle)`.
"""

from dataclasses import replace
from typing import Final

from aiohttp import hdrs, web

from catalog_api.answers import Answer, problem
from catalog_api.callers import Callers
from catalog_api.domain.api_key import Role
from catalog_api.endpoints import Handler
from catalog_api.services.api_keys import ApiKeys
from catalog_api.services.limits import WINDOW_SECONDS, Limit, RateLimiter

_CHALLENGE: Final = 'WWW-Authenticate: Bearer realm="catalog"'


class Guard:
    """Puts conditions before handlers.

    Args:
        callers: tells callers apart by their addresses.
        limiter: counts what they do.
        keys: knows the roles of API keys.
        votes_per_minute: votes and reports that one caller may make; 0: any number.
        posts_per_minute: new reviews, questions and answers; 0: any number.
    """

    def __init__(
        self,
        callers: Callers,
        limiter: RateLimiter,
        keys: ApiKeys,
        *,
        votes_per_minute: int,
        posts_per_minute: int,
    ) -> None:
        self._callers = callers
        self._limiter = limiter
        self._keys = keys
        self._votes = Limit("votes", votes_per_minute)
        self._posts = Limit("posts", posts_per_minute)

    def votes(self, handle: Handler) -> Handler:
        """Return the handler of a vote or a report, within the limit of these."""
        return self._limited(self._votes, handle)

    def posts(self, handle: Handler) -> Handler:
        """Return the handler of something that people write, within the limit of these."""
        return self._limited(self._posts, handle)

    def editor(self, handle: Handler) -> Handler:
        """Return the handler of a change of the catalog, for keys of editors."""
        return self._requiring(Role.EDITOR, handle)

    def _requiring(self, role: Role, handle: Handler) -> Handler:
        """Ask for an API key of this role before anything is done."""

        async def keyed(request: web.Request) -> Answer:
            scheme, _, presented = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
            if scheme.lower() != "bearer":
                return problem(
                    401,
                    "This needs an API key, sent as `Authorization: Bearer <key>`.",
                    headers=f"{_CHALLENGE}\r\n",
                )
            known = await self._keys.fetch_role(presented.strip())
            if known is None:
                return problem(
                    401,
                    "The API key is not known, revoked or expired.",
                    headers=f'{_CHALLENGE}, error="invalid_token"\r\n',
                )
            if known != role.value:
                return problem(
                    403,
                    f"This needs an API key of the role {role.value}.",
                    headers=f'{_CHALLENGE}, error="insufficient_scope"\r\n',
                )
            return await handle(request)

        return keyed

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
