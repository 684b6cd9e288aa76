"""Moments as keys: numbers that grow with time, one for each change within a partition."""

import time
from random import getrandbits
from typing import Final

OVERLAP_SECONDS: Final = 10.0
"""Longer than a write may take, and than the clocks of two app servers may differ: who follows a
partition's changes reads this much again each time."""
_RANDOM_BITS: Final = 12


def moment() -> int:
    """Return a number for what happens now; two are hardly ever the same."""
    return position_of(time.time()) | getrandbits(_RANDOM_BITS)


def position_of(seconds: float) -> int:
    """Return the least such number of a moment, in seconds since 1970."""
    return int(seconds * 1e6) << _RANDOM_BITS


def settled_position() -> int:
    """Return a number before which no more changes will appear."""
    return position_of(time.time() - OVERLAP_SECONDS)
