"""Entity tags in headers: has the caller what we would send, or what it is about to change?"""

import re
from typing import Final

from catalog_api.domain.preconditions import Precondition

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


def read_precondition(if_match: str | None, if_none_match: str | None) -> Precondition:
    """Return what these headers (RFC 9110, 13.1) make a condition of a change.

    Tags of all forms of a state stand for the state. A malformed If-Match matches nothing.
    """
    any_state = if_match is not None and if_match.strip() == "*"
    nothing = if_none_match is not None and if_none_match.strip() == "*"
    return Precondition(
        is_one_of=None if if_match is None or any_state else _states(if_match, strong=True),
        must_exist=any_state,
        must_be_new=nothing,
        is_none_of=frozenset()
        if if_none_match is None or nothing
        else _states(if_none_match, strong=False),
    )


def _states(header: str, *, strong: bool) -> frozenset[str]:
    """Return the tags without what tells the form; for a strong comparison without weak ones."""
    states = set()
    position = 0
    while position < len(header):
        match = _ENTITY_TAG.match(header, position)
        if match is None:
            return frozenset()
        if not (strong and match[0].lstrip().startswith("W/")):
            states.add(match[1].partition("-")[0])
        position = match.end()
    return frozenset(states)
