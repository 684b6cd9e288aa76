"""How many rejects a load may have."""

import re
from dataclasses import dataclass
from typing import Final

from etl.errors import UsageError

_FORM: Final = re.compile(r"(\d{1,12})|(\d{1,3}(?:\.\d+)?)%")


@dataclass(frozen=True, slots=True)
class RejectsAllowed:
    """A number of rows or a share of all rows; exactly one of the two is set."""

    rows: int | None = None
    percent: float | None = None

    def __str__(self) -> str:
        return f"{self.percent:g}%" if self.rows is None else str(self.rows)

    def allows(self, rejected_rows: int, rows_in: int) -> bool:
        """Whether so many rejects of so many rows are still fine."""
        if self.rows is not None:
            return rejected_rows <= self.rows
        return rejected_rows * 100 <= (self.percent or 0.0) * rows_in


def parse_rejects_allowed(text: str) -> RejectsAllowed:
    """Read `100` or `1%`.

    Raises:
        UsageError: it is neither.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"--max-rejects {text!r}: a number of rows or a percentage such as 1%")
    rows, percent = found.groups()
    return RejectsAllowed(rows=int(rows)) if rows else RejectsAllowed(percent=float(percent))
