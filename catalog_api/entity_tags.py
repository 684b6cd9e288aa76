"""If-None-Match: has the caller already what we would send?"""

import re
from typing import Final

# One entity tag as RFC 9110 (8.8.3) has it, with what separates it from the next.
_ENTITY_TAG: Final = re.compile(r'[ \t]*(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,|$)')


def is_known(if_none_match: str, etag: str) -> bool:
    """Return whether the header names this tag, by weak comparison, or is `*`.

    A malformed header is ignored: the answer is then sent whole.
    """
    if if_none_match.strip() == "*":
        return True
    known = False
    position = 0
    while position < len(if_none_match):
        match = _ENTITY_TAG.match(if_none_match, position)
        if match is None:
            return False
        known = known or match[1] == etag
        position = match.end()
    return known
