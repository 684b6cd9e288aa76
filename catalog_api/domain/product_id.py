"""Product ids as the legacy clients write them in paths."""

import re
from typing import Final

from catalog_api.domain.errors import InvalidProductIdError

# JavaScript's largest whole number that a double holds exactly: what the clients can send.
MAX_PRODUCT_ID: Final = 2**53 - 1

# Leading digits count when no digit or dot follows them: `2undefined` is 2, `5.55` is nothing.
# Leading zeros are stripped by the pattern, so that no text is too long for `int`.
_LEADING_DIGITS: Final = re.compile(r"0*([0-9]{1,16})(?![0-9.])")


def read_product_id(segment: str) -> int:
    """Return the id that a path segment, already percent-decoded, stands for.

    Raises:
        InvalidProductIdError: no leading digits, a fraction, or a number beyond 2^53-1.
    """
    match = _LEADING_DIGITS.match(segment)
    if match is None:
        raise InvalidProductIdError(segment[:32])
    product_id = int(match[1])
    if product_id > MAX_PRODUCT_ID:
        raise InvalidProductIdError(match[1])
    return product_id
