"""What the legacy routes have in common: plain words, ids, pages, and the form of an answer."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from aiohttp import hdrs
from msgspec import Meta
from multidict import CIMultiDictProxy, istr

from catalog_api.answers import JSON_TYPE, TEXT_TYPE, Answer, AnswerKind
from catalog_api.bodies import FORM_TYPE
from catalog_api.domain.submissions import ItemId
from catalog_api.encoding import Encoder, Representation, choose
from catalog_api.endpoints import Endpoint, Handler, Parameter, Reply, said
from schema.documents import etag_of

LEGACY_PROFILE: Final = istr("X-Legacy-Profile")
CREATED: Final = Answer(AnswerKind(201, TEXT_TYPE), b"Created")

LEGACY_BODY_TYPES: Final = ("application/json", FORM_TYPE)
READ_PARAMETERS: Final = (
    Parameter(
        str(LEGACY_PROFILE),
        "header",
        Literal["2020", "2021"],
        "The profile of value types; without it the deployment's own.",
        example="2021",
    ),
    Parameter(
        "If-None-Match",
        "header",
        str,
        "Entity tags that the caller has; if one of them still holds, the answer is a 304.",
        example='"0123456789abcdef"',
    ),
)
"""Of every read in `LegacyForms`."""
PAGE_PARAMETERS: Final = (
    Parameter(
        "page",
        "query",
        Annotated[int, Meta(ge=1)],
        "Which page; one past the end is empty.",
        example=1,
        default=1,
    ),
    Parameter(
        "count",
        "query",
        Annotated[int, Meta(ge=1)],
        "Rows of a page. One answer carries at most 1,000 unless the deployment sets another limit;"
        " the next page goes on where it ended.",
        example=5,
        default=5,
    ),
)
PRODUCT_ID: Final = Parameter(
    "product_id", "query", ItemId, "Whose; digits only.", required=True, example=1
)

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


def id_parameter(of: str) -> Parameter:
    """Return the id in a path."""
    return Parameter("id", "path", ItemId, f"The id of the {of}.", required=True, example=1)


def change_endpoint(
    path: str, handle: Handler, summary: str, group: str, *, of: str, refused: str
) -> Endpoint:
    """Return a `PUT` of a vote or a report.

    Args:
        path: with the id of what is voted on.
        handle: does it.
        summary: says it.
        group: of the endpoint.
        of: what is voted on.
        refused: the words of the 404.
    """
    return Endpoint(
        "PUT",
        path,
        handle,
        summary,
        group,
        parameters=(id_parameter(of),),
        body=Any,
        body_required=False,
        replies={204: Reply("Done."), 404: said(refused)},
        description="A body is not looked at.",
        limited=True,
    )


def read_replies(
    description: str,
    kind: Any,
    example: object = None,
    *,
    kind_2020: Any = None,
    convert: Convert | None = None,
) -> dict[int, Reply]:
    """Return the 200 and the 304 of a read in `LegacyForms`.

    Args:
        description: of the 200.
        kind: what it holds, in the 2021 profile.
        example: a body in the 2021 profile.
        kind_2020: what it holds in the 2020 profile, when that differs.
        convert: turns the example into that profile.
    """
    return {
        200: Reply(
            description,
            JSON_TYPE,
            kind,
            example,
            kind_2020=kind_2020,
            example_2020=None if convert is None else convert(example),
            packed=True,
            headers=("ETag",),
        ),
        304: Reply("The caller has this already.", headers=("ETag",)),
    }


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
