"""The cart of a session."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import orjson
from aiohttp import hdrs, web

from catalog_api.answers import Answer, problem
from catalog_api.bodies import read_body
from catalog_api.callers import Callers
from catalog_api.domain.errors import InvalidBodyError
from catalog_api.domain.shapes import CartLine
from catalog_api.domain.submissions import NewCartPost
from catalog_api.endpoints import Endpoint, problem_reply, said
from catalog_api.handlers.legacy import (
    CREATED,
    LEGACY_BODY_TYPES,
    READ_PARAMETERS,
    LegacyForms,
    read_replies,
    refusal,
)
from catalog_api.repositories.carts import CartsRepository
from catalog_api.sessions import Session, Sessions
from schema.profiles import unchanged

INVALID_SKU: Final = "Error: invalid sku_id provided"
_SESSION: Final = (
    "A valid session cookie says whose cart it is; else the `Authorization` value does; else the"
    " caller is new and gets a cookie by `Set-Cookie`."
)


class CartHandler:
    """Answers for carts; the only routes that set a cookie.

    Args:
        carts: where they are stored.
        sessions: whose cart it is.
        callers: whether a cookie may only go by https.
        forms: makes the forms that callers ask for.
        max_posts: most rows of one cart. Posts that come at once may pass it together.
        body_seconds: longest that a caller may take to send a body.
    """

    def __init__(
        self,
        carts: CartsRepository,
        sessions: Sessions,
        callers: Callers,
        forms: LegacyForms,
        *,
        max_posts: int,
        body_seconds: float,
    ) -> None:
        self._carts = carts
        self._sessions = sessions
        self._callers = callers
        self._forms = forms
        self._max_posts = max_posts
        self._body_seconds = body_seconds

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoints of the cart."""
        return [
            Endpoint(
                "GET",
                "/cart",
                self._list,
                "What is in the cart",
                "cart",
                parameters=READ_PARAMETERS,
                replies=read_replies(
                    "Each sku with the number of its posts.",
                    list[CartLine],
                    [{"sku_id": 37, "count": 2}],
                ),
                description=_SESSION,
            ),
            Endpoint(
                "POST",
                "/cart",
                self._post,
                "Put one in",
                "cart",
                body=NewCartPost,
                body_example={"sku_id": 37},
                body_types=LEGACY_BODY_TYPES,
                replies={
                    201: said("Created"),
                    409: problem_reply("The cart is full."),
                    422: said(INVALID_SKU),
                },
                description=_SESSION,
            ),
        ]

    async def _list(self, request: web.Request) -> Answer:
        form = self._forms.choose(request.headers)
        session = self._session_of(request)
        counts = await self._carts.fetch_counts(session.session_id)
        body = orjson.dumps([{"sku_id": sku_id, "count": count} for sku_id, count in counts])
        answer = await self._forms.fresh(body, form, request.headers, unchanged)
        return self._with_cookie(answer, session, request)

    async def _post(self, request: web.Request) -> Answer:
        try:
            new = await read_body(
                request, NewCartPost, timeout_seconds=self._body_seconds, lenient=True
            )
        except InvalidBodyError:
            return refusal(422, INVALID_SKU)
        session = self._session_of(request)
        if await self._carts.count_posts(session.session_id) >= self._max_posts:
            return problem(409, f"A cart holds {self._max_posts} posts at most.")
        await self._carts.write_post(session.session_id, new.sku_id)
        return self._with_cookie(CREATED, session, request)

    def _session_of(self, request: web.Request) -> Session:
        headers = request.headers
        return self._sessions.find(
            headers.getall(hdrs.COOKIE, ()), headers.get(hdrs.AUTHORIZATION, "")
        )

    def _with_cookie(self, answer: Answer, session: Session, request: web.Request) -> Answer:
        if not session.wants_cookie:
            return answer
        cookie = self._sessions.cookie(session, secure=self._callers.is_secure(request))
        return replace(answer, headers=answer.headers + cookie)
