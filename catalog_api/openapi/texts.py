"""What the document says of all routes at once: conventions, groups, headers, common errors."""

from collections.abc import Mapping
from typing import Any, Final

from catalog_api.endpoints import Parameter, Reply, problem_reply

TITLE: Final = "Catalog"
VERSION: Final = "1.0.0"
"""Of the API, not of the program."""

INTRODUCTION: Final = """\
Products, reviews and what belongs to them, for the storefronts that were written against the legacy
API and for those who run a catalog.

**Paths.** Every path takes a trailing slash. The legacy routes also stand under the mount, for any
campus. `HEAD` goes wherever `GET` goes; `OPTIONS` answers preflights and `Allow`; another method is
a 405, an unknown path a 404, both as problems. Unknown query parameters are ignored, but searches
and exports refuse them.

**Ids** are whole numbers up to 2^53-1. An id in a path is read by its leading digits when no digit
or dot follows them: `2undefined` is 2. Numbers in legacy bodies may also be text, `true` and
`false` also `1` and `0`, as the legacy clients send them. A body of JSON names no key twice and
holds no NUL character.

**Value types.** A deployment serves one of two profiles, `2021` unless it is set up otherwise;
`X-Legacy-Profile` overrides it for one request. In `2020`, whole prices have no decimals, a missing
sale price is `"0"`, truths are `1` and `0`, and counts are numbers.

**Forms of an answer.** What is JSON is also MessagePack for those who send `Accept:
application/msgpack`, and gzipped for those who send `Accept-Encoding: gzip`. Each form has an
entity tag of its own; with `If-None-Match` an unchanged answer is a 304.

**Callers.** Reads are open. The legacy clients send `Authorization` on every call; reads ignore it,
and the cart takes it for a session where there is no cookie. Votes and what people write are
limited a minute and caller; what changes the catalog takes an API key. Browsers may read from any
origin unless a deployment names some.

**Repeats.** Every POST takes an `Idempotency-Key`: within 24 hours the same request under the same
key is answered as the first one was.

**Errors** of the legacy routes are plain words that clients compare. All others are problems as RFC
9457 has them. Each answer carries `X-Request-Id`: the caller's own when it is well-formed, else a
new one; the server's log names it.
"""

GROUPS: Final[Mapping[str, str]] = {
    "products": "Products with their styles and related ones.",
    "reviews": "What people think of products, and what it comes to.",
    "catalog": "Products as documents, for those who run a catalog.",
    "cart": "What a session has put into its cart.",
    "interactions": "What people click.",
    "questions": "What people ask about products, and what others answer.",
    "operations": "For those who run the server.",
    "description": "What this API is.",
}

_CHALLENGE: Final = ("WWW-Authenticate",)

EVERYWHERE: Final = (
    Parameter(
        "X-Request-Id",
        "header",
        str,
        "Names the request in the server's log. At most 128 letters, digits or `._~-`; any other is"
        " replaced.",
        example="checkout-17",
    ),
)
"""Parameters of every route."""

HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "X-Request-Id": {
        "description": "Names the request in the server's log; the caller's own if well-formed.",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    },
    "ETag": {
        "description": "The entity tag of this form of the answer, for `If-None-Match`.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9a-z-]+"$'},
    },
    "WWW-Authenticate": {
        "description": "What kind of key is wanted, and what is wrong with the one that came.",
        "required": True,
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "What is left in this minute, unless the deployment sets no limit.",
        "schema": {"type": "string", "examples": ['"votes";r=59;t=12']},
    },
    "RateLimit-Policy": {
        "description": "What a caller may do in a minute, unless the deployment sets no limit.",
        "schema": {"type": "string", "examples": ['"votes";q=60;w=60']},
    },
    "Location": {
        "description": "Where what was created is.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Content-Disposition": {
        "description": "Under which name a file is kept.",
        "schema": {"type": "string", "examples": ['attachment; filename="styles.csv"']},
    },
    "Idempotent-Replayed": {
        "description": "The answer is that of an earlier request with the same `Idempotency-Key`.",
        "schema": {"const": "true"},
    },
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
}
"""By name; `Reply.headers` says which answers carry them."""

SECURITY_SCHEME: Final = "apiKey"
SECURITY_SCHEMES: Final[Mapping[str, Mapping[str, Any]]] = {
    SECURITY_SCHEME: {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key with the role that the operation names, as `catalog-api keys`"
        " makes them.",
    }
}

COMMON: Final[Mapping[int, tuple[str, Reply]]] = {
    400: (
        "BadRequest",
        problem_reply("This is not well-formed HTTP, or a parameter or header asks for nothing."),
    ),
    401: (
        "NoKey",
        problem_reply("There is no API key, or one that is not known.", headers=_CHALLENGE),
    ),
    403: ("WrongRole", problem_reply("The API key has another role.", headers=_CHALLENGE)),
    408: ("TooSlow", problem_reply("The body did not arrive in time.")),
    413: ("TooLarge", problem_reply("The body is larger than the server takes.")),
    417: ("UnmetExpectation", problem_reply("`Expect` asked for more than `100-continue`.")),
    429: (
        "TooMany",
        problem_reply(
            "The caller has done this too often in this minute.",
            headers=("Retry-After", "RateLimit", "RateLimit-Policy"),
        ),
    ),
    500: ("Failed", problem_reply("A bug of ours; the log tells more under the request's id.")),
    503: (
        "Unavailable",
        problem_reply(
            "The catalog cannot be reached just now, or the answer took too long.",
            headers=("Retry-After",),
        ),
    ),
}
"""What every route may answer, with the name of its component."""

ONLY_WITH_BODY: Final = frozenset({408})
ONLY_WITH_ROLE: Final = frozenset({401, 403})
ONLY_WHEN_LIMITED: Final = frozenset({429})
"""Of the common answers, those that only some routes give."""
