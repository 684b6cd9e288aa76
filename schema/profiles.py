"""The 2020 profile of value types: conversions of decoded bodies, which are stored in that of 2021.

Keys keep their order. What is not named in the contract's table stays as it is.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

_FOUR_DECIMALS: Final = Decimal("0.0001")
_TRUTHS: Final = {"false": "0", "true": "1"}


def unchanged(body: Any) -> Any:
    """Return a body that is the same in both profiles."""
    return body


def _whole_price(price: str) -> str:
    """Return the 2020 profile's price: `140.00` is `140`, a price with cents stays."""
    return price.removesuffix(".00")


def to_2020_list_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return a decoded product or list row."""
    return row | {"default_price": _whole_price(row["default_price"])}


to_2020_product = to_2020_list_row


def to_2020_list(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the decoded rows of `GET /products`."""
    return [to_2020_list_row(row) for row in rows]


def to_2020_styles(body: dict[str, Any]) -> dict[str, Any]:
    """Return a decoded styles body."""
    return body | {
        "results": [
            style
            | {
                "original_price": _whole_price(style["original_price"]),
                "sale_price": "0"
                if style["sale_price"] is None
                else _whole_price(style["sale_price"]),
                "default?": int(style["default?"]),
            }
            for style in body["results"]
        ]
    }


def to_2020_reviews(body: dict[str, Any]) -> dict[str, Any]:
    """Return a decoded list of reviews."""
    return body | {
        "results": [
            review | {"recommend": int(review["recommend"]), "response": review["response"] or ""}
            for review in body["results"]
        ]
    }


def to_2020_meta(body: dict[str, Any]) -> dict[str, Any]:
    """Return a decoded meta."""
    return body | {
        "ratings": {key: int(count) for key, count in body["ratings"].items()},
        "recommended": {_TRUTHS[key]: int(count) for key, count in body["recommended"].items()},
        "characteristics": {
            name: one | {"value": _four_decimals(one["value"])}
            for name, one in body["characteristics"].items()
        },
    }


def to_2020_questions(body: dict[str, Any]) -> dict[str, Any]:
    """Return a decoded list of questions."""
    return body | {
        "results": [
            question | {"reported": int(question["reported"])} for question in body["results"]
        ]
    }


def _four_decimals(value: str | None) -> str | None:
    if value is None:
        return None
    return str(Decimal(value).quantize(_FOUR_DECIMALS, ROUND_HALF_UP))
