"""An endpoint: a method and a path with its handler, and what its callers are told of it.

Handlers list their endpoints; `routes.py` registers them, and `openapi/document.py` makes
`/openapi.json` of the same list. So whoever adds a route describes it where it is handled:

- `parameters`: every path, query and header parameter that the handler reads, with an example that
  works against a catalog which holds product 1, review 1 and so on, where there is such. Types are
  msgspec's definitions (`Annotated[int, Meta(ge=1)]`), as tight as what the handler accepts.
- `body`: the very Struct that `bodies.read_body` checks; `body_example`: one that is accepted.
- `replies`: by status, what this route says by itself. A JSON answer's `kind` is a Struct of
  `domain/shapes.py` (or beside it) with `forbid_unknown_fields`; an answer in the contract's plain
  words is `said(…)`; an error of ours is `problem_reply(…)`.
- Left out of `replies`, since every route gets them from `openapi/texts.py`: 400, 413, 417, 500 and
  503 as problems, 408 too where there is a body, 429 where it is `limited`, 401 and 403 where it
  asks for a `role`, and `X-Request-Id` on everything. Name one only to say it in better words.
- Response headers are named (`headers=("ETag",)`) and described once, in `openapi/texts.py`; so are
  groups. Struct names are the document's schema names: two different ones may not share a name.

`tests/integration/test_api_openapi.py` sends every example to a real server and holds each answer
to this description; `tests/fuzz/` sends thousands of others.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web

from catalog_api.answers import JSON_TYPE, PROBLEM_TYPE, TEXT_TYPE, Answer

Handler = Callable[[web.Request], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query, the path or a header.

    Attributes:
        place: `query`, `path` or `header`.
        kind: its type as a msgspec definition.
        required: always so in a path.
        example: a value that works against the example catalog.
        default: what its absence means; None when that is no value.
        joined: the items of a list stand in one value, between commas.
    """

    name: str
    place: str
    kind: Any
    description: str
    required: bool = False
    example: object = None
    default: object = None
    joined: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """What an answer holds in one content type.

    Attributes:
        kind: as a msgspec definition; of a stream, that of one line.
        example: a body; of a stream, one line.
    """

    content_type: str
    kind: Any
    example: object


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer that callers may get.

    Attributes:
        content_type: None for answers without a body.
        kind: what the body holds, as a msgspec definition; None when it has no describable shape.
        example: a body.
        kind_2020: what it holds in the 2020 profile, when that differs.
        example_2020: the example's body in the 2020 profile.
        packed: the same is sent as MessagePack to those who prefer it.
        headers: names of headers that it carries, beside X-Request-Id.
        or_problem: the same status may come as a problem too.
        also: what it may hold instead, in other content types.
    """

    description: str
    content_type: str | None = None
    kind: Any = None
    example: object = None
    kind_2020: Any = None
    example_2020: object = None
    packed: bool = False
    headers: Sequence[str] = ()
    or_problem: bool = False
    also: Sequence[Content] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation.

    Attributes:
        path: with `{name}` for a segment; without the mount and without a trailing slash.
        group: under which it is listed; one of `openapi.texts.GROUPS`.
        body: what a request's body must hold; None when it has none.
        body_types: content types in which the body may arrive; the example is of the first.
        body_required: whether it must be there.
        replies: by status.
        legacy: also stands under the mount.
        description: what the summary leaves unsaid.
        streams: reads a body of any length piece by piece, so the limit of bodies is not for it.
        limited: how often a caller may do it is limited; its handler has such a `Guard`.
        role: of the API key that it takes; its handler has a `Guard` that asks for it.
    """

    method: str
    path: str
    handle: Handler
    summary: str
    group: str
    parameters: Sequence[Parameter] = ()
    body: Any = None
    body_example: object = None
    replies: Mapping[int, Reply] = field(default_factory=dict)
    legacy: bool = True
    streams: bool = False
    description: str = ""
    body_types: Sequence[str] = ("application/json",)
    body_required: bool = True
    limited: bool = False
    role: str = ""


def json_reply(description: str, kind: Any, example: object = None) -> Reply:
    """Return an answer of JSON."""
    return Reply(description, JSON_TYPE, kind, example)


def said(text: str) -> Reply:
    """Return an answer of exactly these words, as the legacy clients compare them."""
    return Reply(text, TEXT_TYPE, Literal.__getitem__(text), text)


def problem_reply(description: str, *, headers: Sequence[str] = ()) -> Reply:
    """Return an error outside the legacy contract, as RFC 9457 problem JSON."""
    return Reply(description, PROBLEM_TYPE, headers=headers)
