"""What the legacy routes have in common: plain words, ids, pages, and the form of an answer."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from aiohttp import hdrs
from multidict import CIMultiDictProxy, istr

from catalog_api.answers import TEXT_TYPE, Answer, AnswerKind
from catalog_api.encoding import Encoder, Representation, choose
from schema.documents import etag_of

LEGACY_PROFILE: Final = istr("X-Legacy-Profile")
CREATED: Final = Answer(AnswerKind(201, TEXT_TYPE), b"Created")

Headers = CIMultiDictProxy[str]
Query = Mapping[str, str]
Convert = Callable[[Any], Any]


def refusal(status: int, text: str) -> Answer:
    """Return an error in the contract's plain words; clients compare them."""
    kind = _REFUSALS.get(status)
    if kind is None:
        kind = _REFUSALS[status] = AnswerKind(status, TEXT_TYPE, negotiated=True)
    return Answer(kind, text.encode())


_REFUSALS: dict[int, AnswerKind] = {}


class LegacyForms:
    """Makes answers of bodies in the form that the caller asks for.

    Args:
        encoder: makes the forms.
        profile: the deployment's profile, for callers that name none.
    """

    def __init__(self, encoder: Encoder, *, profile: str) -> None:
        self._encoder = encoder
        self._profile = profile

    def choose(self, headers: Headers) -> Representation:
        """Return the form that the headers ask for.

        Raises:
            InvalidProfileError: there is no such profile.
        """
        return choose(
            headers.get(LEGACY_PROFILE, self._profile),
            joined(headers, hdrs.ACCEPT),
            joined(headers, hdrs.ACCEPT_ENCODING),
        )

    async def stored(self, body: bytes, etag: str, headers: Headers, convert: Convert) -> Answer:
        """Answer with a body that is stored with its tag; caches may keep it.

        Raises:
            InvalidProfileError: there is no such profile.
        """
        return await self._encoder.answer(
            body, etag, self.choose(headers), joined(headers, hdrs.IF_NONE_MATCH), convert
        )

    async def fresh(self, body: bytes, headers: Headers, convert: Convert) -> Answer:
        """Answer with a body that was put together just now and that no cache may keep.

        Raises:
            InvalidProfileError: there is no such profile.
        """
        return await self._encoder.answer(
            body,
            etag_of(body),
            self.choose(headers),
            joined(headers, hdrs.IF_NONE_MATCH),
            convert,
            cacheable=False,
        )


def joined(headers: Headers, name: istr) -> str | None:
    """Return a list header's value, its lines joined; None when it was not sent."""
    lines = headers.getall(name, None)
    if lines is None:
        return None
    return lines[0] if len(lines) == 1 else ", ".join(lines)
