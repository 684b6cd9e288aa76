"""Request ids: taken from the caller when well-formed, else made here."""

import itertools
import os
import re
from typing import Final

# What fits into a header, a log line and a search box without any escaping.
_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._~-]{1,128}").fullmatch


class RequestIds:
    """Makes ids that are unique to this process's life: a random prefix and a counter."""

    def __init__(self) -> None:
        self._prefix = os.urandom(8).hex()
        self._next = itertools.count(1).__next__

    def take(self, given: str | None) -> str:
        """Return the caller's id when it is well-formed, else a new one."""
        if given is not None and _WELL_FORMED(given) is not None:
            return given
        return f"{self._prefix}-{self._next():x}"
