"""What requests must also be, and no schema can say: how they are refused, each with its reason.

A refusal in other words, with another status or of another operation stays a failure.
"""

import re
from typing import Any, Final, NamedTuple

import orjson
import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData

_CHANGES: Final = ("PUT", "PATCH", "DELETE")
_WRITES: Final = ("POST", "PUT", "PATCH")


class Refusal(NamedTuple):
    """One of them; `words` is what the problem's detail says, after the place."""

    methods: tuple[str, ...]
    path: str
    status: int
    words: str


_PRODUCT_WORDS: Final = (
    # Ids within a product differ, however far apart they stand.
    r"\d+ stands twice",
    # A product's own given ids may come back, all others may not: a question of what is stored.
    r"ids from \d+ on are given, not chosen",
    # The id of the path, once more.
    r"this is product \d+",
)
_REFUSALS: Final = (
    *(Refusal(_WRITES, "/v1/products", 422, words) for words in _PRODUCT_WORDS),
    *(Refusal(_WRITES, "/v1/products/{id}", 422, words) for words in _PRODUCT_WORDS),
    # Each text and list may be as long as it says, but not all of them at once.
    Refusal(_WRITES, "/v1/products", 413, r"A body may have \d+ bytes at most"),
    Refusal(_WRITES, "/v1/products/{id}", 413, r"A body may have \d+ bytes at most"),
    # A condition of the right form may well not hold.
    Refusal(
        _CHANGES, "/v1/products/{id}", 412, r"It .*|There is nothing that If-Match could match"
    ),
    # Two parameters that must go together.
    Refusal(("GET",), "/v1/products/find", 400, "min_price is above max_price"),
    Refusal(("GET",), "/v1/products/export", 400, "part must not be above parts"),
    Refusal(("GET",), "/v1/products/export", 400, "table must be one of .*, and format csv"),
    # A list may have as many ids as are allowed and yet be longer than any request line.
    Refusal(("GET",), "/v1/products", 400, "The request line or a header is too long"),
)


def explains(
    failure: Exception, case: schemathesis.Case[Any], response: schemathesis.Response
) -> bool:
    """Whether the failure is that a valid request was refused, and one of these is why."""
    if not isinstance(failure, RejectedPositiveData):
        return False
    detail = orjson.loads(response.content)["detail"]
    return any(
        case.method in refusal.methods
        and case.operation.path == refusal.path
        and response.status_code == refusal.status
        and _says(refusal.words, detail)
        for refusal in _REFUSALS
    )


def is_refusal_of_a_product(detail: str) -> bool:
    """Whether these words refuse a product that is valid by its schema."""
    return any(
        _says(words, detail) for words in (*_PRODUCT_WORDS, r"Ids from \d+ on are given by POST")
    )


def _says(words: str, detail: str) -> bool:
    return re.fullmatch(rf"(?:\$[^:]*: )?(?:{words})\.?", detail) is not None
