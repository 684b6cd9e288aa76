"""How many rejects a load may have."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from etl.errors import UsageError

_FORM: Final = re.compile(r"([0-9]{1,18})|([0-9]{1,3}(?:\.[0-9]{1,12})?)%")


@dataclass(frozen=True, slots=True)
class RejectsAllowed:
    """A number of rows or a share of all rows; exactly one of the two is set."""

    rows: int | None = None
    percent: Fraction | None = None

    def __str__(self) -> str:
        return f"{float(self.percent):.14g}%" if self.percent is not None else str(self.rows)

    def allows(self, rejected_rows: int, rows_in: int) -> bool:
        """Whether so many rejects of so many rows are still fine: as many as allowed are.

        Shares are compared exactly: 57 rejects of 10,000 rows are 0.57 %, not a little more.
        """
        if self.percent is not None:
            return rejected_rows * 100 <= self.percent * rows_in
        return self.rows is None or rejected_rows <= self.rows


def parse_rejects_allowed(text: str) -> RejectsAllowed:
    """Read `100`, `0`, `1%` or `0.05%`.

    Raises:
        UsageError: it is none of these, or more than 100%.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None or (found[2] and Fraction(found[2]) > 100):
        raise UsageError(
            f"--max-rejects {text!r}: a number of rows, or a percentage from 0% to 100% such as"
            " 0.5%"
        )
    if found[1]:
        return RejectsAllowed(rows=int(found[1]))
    return RejectsAllowed(percent=Fraction(found[2]))
