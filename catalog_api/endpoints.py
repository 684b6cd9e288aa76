"""An endpoint: a method and a path with its handler, and what its callers are told of it.

Handlers list their endpoints; `routes.py` registers them, and the OpenAPI document is made of them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from catalog_api.answers import Answer

Handler = Callable[[web.Request], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the query, the path or a header.

    Attributes:
        place: `query`, `path` or `header`.
        kind: its type as a msgspec definition.
        example: a value that works against the example catalog.
    """

    name: str
    place: str
    kind: Any
    description: str
    required: bool = False
    example: object = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer that callers may get.

    Attributes:
        content_type: None for answers without a body.
        kind: what the body holds, as a msgspec definition; None when it is not JSON.
    """

    description: str
    content_type: str | None = None
    kind: Any = None
    example: object = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation.

    Attributes:
        path: with `{name}` for a segment; without the mount and without a trailing slash.
        group: under which it is listed.
        body: what a request's body must hold; None when it has none.
        replies: by status.
        legacy: also stands under the mount.
        streams: reads a body of any length piece by piece, so the limit of bodies is not for it.
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
