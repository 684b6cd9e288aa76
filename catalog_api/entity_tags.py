"""Entity tags in headers: has the caller what we would send, or what it is about to change?"""

import re
from dataclasses import replace
from typing import Final

from catalog_api.domain.errors import InvalidConditionError
from catalog_api.domain.preconditions import NO_PRECONDITION, Precondition

# One entity tag as RFC 9110 (8.8.3) has it, with what separates it from the next.
_ENTITY_TAG: Final = re.compile(r'[ \t]*(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,|$)')

_TAG: Final = re.compile(r'(W/)?"([!#-~]*)"')
_ONE: Final = r'(?:W/)?"[!#-~]*"'
CONDITION_PATTERN: Final = rf"(?:\*|{_ONE}(?:[ \t]*,[ \t]*{_ONE})*)"
"""What a change takes for a condition: any state, or a list of entity tags."""
_CONDITION: Final = re.compile(CONDITION_PATTERN)


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

    Tags of all forms of a state stand for the state.

    Raises:
        InvalidConditionError: one of them is malformed: nobody knows what its sender believes.
    """
    precondition = NO_PRECONDITION
    if if_match is not None:
        states = _states("If-Match", if_match, strong=True)
        precondition = replace(precondition, is_one_of=states, must_exist=states is None)
    if if_none_match is not None:
        states = _states("If-None-Match", if_none_match, strong=False)
        precondition = replace(
            precondition, must_be_new=states is None, is_none_of=states or frozenset()
        )
    return precondition


def _states(name: str, header: str, *, strong: bool) -> frozenset[str] | None:
    """Return the tags without what tells the form; None for `*`.

    Args:
        name: of the header.
        header: its value.
        strong: leave weak tags out, as a strong comparison does.
    """
    text = header.strip(" \t")
    if _CONDITION.fullmatch(text) is None:
        raise InvalidConditionError(f"{name} must be * or entity tags in quotes, between commas")
    if text == "*":
        return None
    return frozenset(
        tag.partition("-")[0] for weak, tag in _TAG.findall(text) if not (strong and weak)
    )
