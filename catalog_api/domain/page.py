"""Pages: `page` and `count` of a query, held within what one answer may carry."""

import re
from dataclasses import dataclass
from typing import Final

from catalog_api.domain.errors import InvalidPageError

_WHOLE_NUMBER: Final = re.compile(r"0*([0-9]+)")
_DEFAULT_PAGE: Final = "1"
_DEFAULT_COUNT: Final = "5"
# No catalog has this many rows. Longer numbers stand for it: Python refuses to read the longest.
_BEYOND_EVERY_ROW: Final = 10**18


@dataclass(frozen=True, slots=True)
class Page:
    """A span of rows.

    Attributes:
        offset: rows before the first one wanted.
        rows: how many rows the answer may carry, at most.
        number: the page asked for, from 1.
        count: the rows asked for.
    """

    offset: int
    rows: int
    number: int = 1
    count: int = 5


def read_page(page: str | None, count: str | None, *, max_rows: int) -> Page:
    """Return the span that `page` and `count` ask for; absent ones are page 1 and 5 rows.

    A `count` above `max_rows` is served as `max_rows`: the offset follows the rows that an answer
    really carries, so that no row is skipped between two pages.

    Raises:
        InvalidPageError: one of them is not a whole number of at least 1.
    """
    number = _at_least_one("page", _DEFAULT_PAGE if page is None else page)
    asked = _at_least_one("count", _DEFAULT_COUNT if count is None else count)
    rows = min(asked, max_rows)
    return Page((number - 1) * rows, rows, number, asked)


def _at_least_one(name: str, text: str) -> int:
    match = _WHOLE_NUMBER.fullmatch(text)
    if match is None:
        raise InvalidPageError(f"{name} must be a whole number of at least 1")
    digits = match[1]
    number = _BEYOND_EVERY_ROW if len(digits) > 18 else int(digits)
    if number < 1:
        raise InvalidPageError(f"{name} must be a whole number of at least 1")
    return number
