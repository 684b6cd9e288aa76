"""Ids of products, reviews, questions and answers as the legacy clients write them."""

import re
from typing import Final

from catalog_api.domain.errors import InvalidIdError, InvalidIdsError

# JavaScript's largest whole number that a double holds exactly: what the clients can send.
MAX_ID: Final = 2**53 - 1

# Leading digits count when no digit or dot follows them: `2undefined` is 2, `5.55` is nothing.
# Leading zeros are stripped by the pattern, so that no text is too long for `int`.
_LEADING_DIGITS: Final = re.compile(r"0*([0-9]{1,16})(?![0-9.])")
_LIST: Final = re.compile(r"[0-9]{1,16}(?:,[0-9]{1,16})*")
_DIGITS: Final = re.compile(r"0*([0-9]{1,16})")


def read_path_id(segment: str) -> int:
    """Return the id that a path segment, already percent-decoded, stands for.

    Raises:
        InvalidIdError: no leading digits, a fraction, or a number beyond 2^53-1.
    """
    return _within_range(_LEADING_DIGITS.match(segment), segment)


def read_query_id(text: str | None) -> int:
    """Return the id of a query: digits only.

    Raises:
        InvalidIdError: absent, anything but digits, or a number beyond 2^53-1.
    """
    return _within_range(_DIGITS.fullmatch(text or ""), text or "")


def read_ids(text: str | None, *, most: int) -> list[int]:
    """Return the ids of a comma-separated list, each once, in the order of their first naming.

    Raises:
        InvalidIdsError: none, too many, or something else than ids.
    """
    if not text:
        raise InvalidIdsError("ids must name products, separated by commas")
    if text.count(",") >= most:
        raise InvalidIdsError(f"ids may name {most} products at the most")
    if _LIST.fullmatch(text) is None:
        raise InvalidIdsError("ids must be whole numbers, separated by commas")
    ids = list(dict.fromkeys(map(int, text.split(","))))
    if max(ids) > MAX_ID:
        raise InvalidIdsError(f"ids: {max(ids)} is beyond every id")
    return ids


def _within_range(match: re.Match[str] | None, text: str) -> int:
    if match is None:
        raise InvalidIdError(text[:32])
    item_id = int(match[1])
    if item_id > MAX_ID:
        raise InvalidIdError(match[1])
    return item_id
