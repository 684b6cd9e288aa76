"""What the legacy routes have in common: plain words, ids, pages, and the form of an answer."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, Literal

from aiohttp import hdrs, web
from msgspec import Meta
from multidict import istr

from catalog_api.answers import JSON_TYPE, NO_CONTENT, TEXT_TYPE, Answer, AnswerKind
from catalog_api.bodies import FORM_TYPE, read_bytes
from catalog_api.domain.errors import InvalidIdError, MissingItemError
from catalog_api.domain.item_id import read_path_id
from catalog_api.domain.submissions import ItemId
from catalog_api.encoding import Encoder, Representation, choose
from catalog_api.endpoints import Endpoint, Handler, Parameter, Reply, said
from catalog_api.lane import Headers
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


def changing(
    change: Callable[[int], Awaitable[None]], refused: str, *, body_seconds: float
) -> Handler:
    """Return the handler of a vote or a report: 204, or 404 in these words.

    Args:
        change: gets the id of the path.
        refused: the words for an id that cannot be read, or that nothing has.
        body_seconds: longest that a caller may take to send a body, which is not looked at.
    """

    async def handle(request: web.Request) -> Answer:
        await read_bytes(request, timeout_seconds=body_seconds)
        try:
            await change(read_path_id(request.match_info["id"]))
        except (InvalidIdError, MissingItemError):
            return refusal(404, refused)
        return Answer(NO_CONTENT)

    return handle


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

    async def stored(
        self, body: bytes, etag: str, form: Representation, headers: Headers, convert: Convert
    ) -> Answer:
        """Answer with a body that is stored with its tag, in this form; caches may keep it."""
        known = joined(headers, hdrs.IF_NONE_MATCH)
        return await self._encoder.answer(body, etag, form, known, convert)

    async def fresh(
        self, body: bytes, form: Representation, headers: Headers, convert: Convert
    ) -> Answer:
        """Answer with a body that was put together just now and that no cache may keep."""
        known = joined(headers, hdrs.IF_NONE_MATCH)
        return await self._encoder.answer(
            body, etag_of(body), form, known, convert, cacheable=False
        )


def joined(headers: Headers, name: istr) -> str | None:
    """Return a list header's value, its lines joined; None when it was not sent."""
    lines = headers.getall(name, None)
    if lines is None:
        return None
    return lines[0] if len(lines) == 1 else ", ".join(lines)
