"""Changes of generated requests, so that many of them succeed. What is invalid stays as it was."""

import itertools
import re
import time
from collections.abc import Iterator
from typing import Any, Final, TypeGuard

import schemathesis

from catalog_api.domain.errors import InvalidSearchError
from catalog_api.domain.find import read_search
from catalog_api.domain.item_id import MAX_ID
from catalog_api.domain.page_tokens import TOKEN_PATTERN, PageTokens, Position
from schema.ids import FIRST_NEW_ID
from tests.support.api import SESSION_SECRET
from tests.support.example_catalog import PRODUCT_IDS

FREE_IDS: Final = range(1_000, 1_040)
"""Products that are put, changed and deleted; the others are left to those who read them."""
_IDEMPOTENCY_KEY: Final = "Idempotency-Key"
_ID: Final = re.compile("[1-9][0-9]{0,15}")
_KEY: Final = re.compile("[ -~]{1,255}")
_MAX_KEY: Final = 255
_numbers: Final = itertools.count(time.time_ns())
_tokens: Final = PageTokens([SESSION_SECRET])


def choose(case: schemathesis.Case[Any]) -> None:
    """Change a request in place."""
    path, body = case.operation.path, case.body
    # Sequences of requests may take an id of an answer for any header whose name ends in Id.
    case.headers.update({name: str(value) for name, value in case.headers.items()})
    _choose_key(case)
    if path == "/v1/products/find":
        _choose_token(case.query)
    elif path == "/v1/products/{id}":
        _choose_path_id(case)
        case.body = _chosen_product(body, _path_id(case))
    elif path == "/v1/products/bulk" and isinstance(body, list):
        case.body = [
            _chosen_product(row, FREE_IDS[at % len(FREE_IDS)]) for at, row in enumerate(body)
        ]
    elif path == "/v1/products" and case.method == "POST":
        case.body = _chosen_product(body, None)


def _path_id(case: schemathesis.Case[Any]) -> int:
    """Return the id in the path; 0 for what cannot be one."""
    text = str(case.path_parameters["id"])
    return int(text) if _ID.fullmatch(text) and int(text) <= MAX_ID else 0


def _choose_path_id(case: schemathesis.Case[Any]) -> None:
    """Ids that the server gave stay, since sequences of requests go on with them."""
    product_id = _path_id(case)
    if 0 < product_id < FIRST_NEW_ID and product_id not in FREE_IDS:
        ids = PRODUCT_IDS if case.method == "GET" else FREE_IDS
        case.path_parameters["id"] = ids[product_id % len(ids)]


def _choose_key(case: schemathesis.Case[Any]) -> None:
    """A key that comes again with another body is refused, and generated ones soon come again."""
    key = case.headers.get(_IDEMPOTENCY_KEY)
    if isinstance(key, str) and _KEY.fullmatch(key):
        number = f"-{next(_numbers)}"
        case.headers[_IDEMPOTENCY_KEY] = key[: _MAX_KEY - len(number)] + number


def _choose_token(query: dict[str, Any]) -> None:
    """Any token of the right form becomes one of the search that it comes with."""
    token = query.get("page_token")
    if not isinstance(token, str) or not re.fullmatch(TOKEN_PATTERN, token):
        return
    try:
        search = read_search(_pairs(query))
    except InvalidSearchError:
        return
    place = int.from_bytes(token.encode()[:8]) - 2**63
    query["page_token"] = _tokens.sign(Position(place, len(set(token)), 7), search.fingerprint)


def _pairs(query: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in query.items():
        for item in value if isinstance(value, list) else [value]:
            yield name, str(item).lower() if isinstance(item, bool) else str(item)


def _chosen_product(body: Any, product_id: object) -> Any:
    """Return a product whose ids can be chosen and do not come twice, for the most part."""
    if not isinstance(body, dict):
        return body
    changed = dict(body)
    if _is_id(body.get("id")) and _is_id(product_id):
        changed["id"] = product_id
    if isinstance(body.get("styles"), list):
        changed["styles"] = [_chosen_style(style) for style in body["styles"]]
    return changed


def _chosen_style(style: Any) -> Any:
    if not isinstance(style, dict):
        return style
    changed = _with_small_id(style)
    if isinstance(style.get("skus"), list):
        changed["skus"] = [
            _with_small_id(sku) if isinstance(sku, dict) else sku for sku in style["skus"]
        ]
    return changed


def _with_small_id(item: dict[str, Any]) -> dict[str, Any]:
    item_id = item.get("id")
    return item | {"id": item_id % (FIRST_NEW_ID - 1) + 1} if _is_id(item_id) else dict(item)


def _is_id(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_ID
