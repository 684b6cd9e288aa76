"""How the fields of a row are read by the rules of `etl/README.md`, by hand and one at a time."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from tests.support.reference_reader import BOOLEANS, COLUMNS, DATES, NULLABLE, PARENTS, PRICES

Field = tuple[str, bool]
"""The text of a field without its quotes, and whether it had them."""
Values = dict[str, str | int | None]
"""Keys as numbers and texts as they are, by column; None: null. Other columns are left out."""

_MAX_ID = 2**53 - 1
_LAST_MILLISECOND = 253_402_300_799_999
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?( ?([Zz]|[+-]\d\d(:?\d\d)?))?)?", re.ASCII
)
_COUNTS = frozenset({"helpful", "helpfulness"})
_NO_TEXTS = frozenset({"rating", "quantity", "user_session", *_COUNTS, *PRICES, *BOOLEANS, *DATES})


def read_fields(fields: Mapping[str, Field], table: str) -> tuple[str, Values]:
    """Return the kind of reject, empty for a row that can be read, and its keys and texts."""
    values: Values = {}
    for name in COLUMNS[table].split():
        text, quoted = fields[name]
        bare = text.strip(" \t")
        means_null = not quoted and bare.lower() in {"", "null"}
        if name == "id" or name in PARENTS:
            number = _whole_number(bare, most=_MAX_ID)
            if number is None or number < (name == "id"):
                return "invalid_integer", {}
            values[name] = number
        elif fault := _fault(name, table, bare, means_null=means_null):
            return fault, {}
        elif name not in _NO_TEXTS:
            is_null = means_null if _may_be_null(name, table) else (text, quoted) == ("null", False)
            values[name] = None if is_null else text
    return "", values


def _may_be_null(name: str, table: str) -> bool:
    return (name in NULLABLE and not table.endswith("_photos")) or name == "value"


def _fault(name: str, table: str, bare: str, *, means_null: bool) -> str:
    """Return the kind of reject of a field that is no key."""
    checks: list[tuple[bool, Callable[[], str]]] = [
        (name == "rating", lambda: _digit_fault(bare, "rating_out_of_range")),
        (
            (table, name) == ("characteristic_reviews", "value"),
            lambda: _digit_fault(bare, "value_out_of_range"),
        ),
        (name in PRICES, lambda: _price_fault(bare, may_be_null=means_null and name in NULLABLE)),
        (name in BOOLEANS, lambda: _boolean_fault(bare)),
        (name in DATES, lambda: "" if means_null else _date_fault(bare)),
        (name == "quantity", lambda: _integer_fault(bare.removeprefix("-"), _MAX_ID)),
        (name == "user_session", lambda: _integer_fault(bare, _MAX_ID)),
        (name in _COUNTS, lambda: _integer_fault(bare, 2**31 - 1)),
    ]
    return next((check() for applies, check in checks if applies), "")


def _whole_number(text: str, most: int) -> int | None:
    if not re.fullmatch(r"[0-9]+", text) or len(text.lstrip("0")) > 16:
        return None
    number = int(text.lstrip("0") or "0")
    return number if number <= most else None


def _integer_fault(text: str, most: int) -> str:
    return "invalid_integer" if _whole_number(text, most) is None else ""


def _digit_fault(text: str, out_of_range: str) -> str:
    if _whole_number(text.removeprefix("-"), 10**16) is None:
        return "invalid_integer"
    return "" if text.lstrip("0") in {"1", "2", "3", "4", "5"} else out_of_range


def _price_fault(text: str, *, may_be_null: bool) -> str:
    signs = "[$€£¥]"
    number = re.sub(rf"^{signs} ?|(?<=[0-9]) ?{signs}$", "", text)
    whole, point, cents = number.partition(".")
    if re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", whole):
        whole = whole.replace(",", "")
    is_price = re.fullmatch(r"[0-9]{1,13}", whole) and (
        not point or re.fullmatch(r"[0-9]{2}", cents)
    )
    return "" if is_price or may_be_null else "invalid_price"


def _boolean_fault(text: str) -> str:
    return "" if text.lower() in {"0", "1", "f", "t", "false", "true"} else "invalid_boolean"


def _date_fault(text: str) -> str:
    return "" if _is_date(text) else "invalid_date"


def _is_date(text: str) -> bool:
    if re.fullmatch(r"0|[1-9][0-9]{10,14}", text):
        return int(text) <= _LAST_MILLISECOND
    if re.fullmatch(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]{1,2}", text):
        return float(text) <= _LAST_MILLISECOND
    if not _DATE.fullmatch(text):
        return False
    try:
        moment = datetime.fromisoformat(re.sub(r" (?=[Zz+-])", "", text).replace("z", "Z"))
    except ValueError:
        return False
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.timestamp() >= 0
