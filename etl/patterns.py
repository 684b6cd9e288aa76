"""What a line of a legacy file may look like, as regular expressions for DuckDB (RE2).

A field is quoted, with quotes inside doubled, or holds neither quote nor comma nor line end. A line
is a row when it holds exactly as many fields as the header; nothing is guessed from neighbours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from etl.headers import Header
from etl.readers import readable
from etl.tables import Holds, Table

_QUOTED: Final = r'"[^"]*"(?:"[^"]*")*'
FIELD: Final = rf'{_QUOTED}|[^",\r\n]*'
OPEN_FIELD: Final = r'"[^"]*(?:""[^"]*)*'
"""A quoted field that the text ends in before its quote is closed."""
_SEPARATED_PRICE: Final = r"[$€£¥]? ?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{2})?(?: ?[$€£¥])?"
_PRICES: Final = frozenset({Holds.PRICE, Holds.NULLABLE_PRICE})


@dataclass(frozen=True, slots=True)
class RowPatterns:
    """The patterns of one file, for the order of columns that its header gives."""

    table: Table
    header: Header

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the table's columns in the order in which they stand in the file."""
        return tuple(name for _position, name in self._places())

    @property
    def all_columns(self) -> tuple[str, ...]:
        """A name for every column of the file, known or not."""
        return tuple(f"c{position}" for position in range(len(self.header.names)))

    def row(self) -> str:
        """A whole row; its groups are the known columns, in the file's order."""
        known = set(self.header.positions)
        return _line(
            f"({FIELD})" if position in known else f"(?:{FIELD})"
            for position in range(len(self.header.names))
        )

    def fields(self) -> str:
        """SQL expressions of the known columns: the `parts` of a line, or what matched in it."""
        return ", ".join(
            f"CASE WHEN state = 0 THEN CASE WHEN parts IS NULL THEN field.{name}"
            f" ELSE parts[{position + 1}] END END AS {name}"
            for position, name in self._places()
        )

    def prefix(self) -> str:
        """The complete fields, each with its comma, that a line begins with."""
        return f"^(?:(?:{FIELD}),)*"

    def open_row(self) -> str:
        """The beginning of a row whose last text goes on in the next line."""
        return f"^(?:(?:{FIELD}),){{0,{len(self.header.names) - 1}}}{OPEN_FIELD}$"

    def unclosed(self) -> str:
        """A row whose last field lacks its closing quote."""
        return f"^{self._leading()}{OPEN_FIELD}$"

    def two_rows(self, *, parted: bool) -> str:
        """Two rows on one line, `parted` by a comma or touching after a quote or a null.

        The second begins where its key is a number; `second_open` lacks its last quote.
        """
        last = f"(?:{FIELD})" if parted else f"(?:{_QUOTED}|null)"
        key = self.header.positions[0]
        before_key = f"(?:(?:{FIELD}),){{{key}}}"
        after_key = len(self.header.names) - key - 1
        if not after_key:  # then an open quote cannot stand at the end
            second, second_open = f"({before_key}[0-9]+)", "([^\\s\\S])"
        else:
            start = f"{before_key}[0-9]+(?:,(?:{FIELD})){{{after_key - 1}}},"
            second, second_open = f"({start}(?:{FIELD}))", f"({start}{OPEN_FIELD})"
        comma = "," if parted else ""
        return f"^({self._leading()}{last}){comma}(?:{second}|{second_open})$"

    def priced(self, *, eager: bool) -> str:
        """A row whose prices may hold unquoted thousands separators; a group for every column.

        Args:
            eager: prefer such a price over plain fields, or plain fields over it.
        """
        prices = {
            position
            for position, column in zip(self.header.positions, self.table.columns, strict=True)
            if column.holds in _PRICES
        }
        price = f"({_SEPARATED_PRICE}|{FIELD})" if eager else f"({FIELD}|{_SEPARATED_PRICE})"
        return _line(
            price if position in prices else f"({FIELD})"
            for position in range(len(self.header.names))
        )

    def quoted_columns(self, struct: str) -> str:
        """An SQL expression: the row of `all_columns` again, its separated prices quoted."""
        fields = (f"{struct}.{name}" for name in self.all_columns)
        return " || ',' || ".join(
            f"CASE WHEN contains({field}, ',') AND NOT starts_with({field}, '\"')"
            f" THEN '\"' || {field} || '\"' ELSE {field} END"
            for field in fields
        )

    def is_readable(self, struct: str) -> str:
        """An SQL condition: every known field of a row of `all_columns` can be read."""
        fields = {
            column.name: f"{struct}.c{position}"
            for position, column in zip(self.header.positions, self.table.columns, strict=True)
        }
        return readable(self.table, fields)

    def _places(self) -> list[tuple[int, str]]:
        """Where each column of the table stands in the file, and its name, in the file's order."""
        names = [column.name for column in self.table.columns]
        return sorted(zip(self.header.positions, names, strict=True))

    def _leading(self) -> str:
        """All fields but the last, each with its comma."""
        return f"(?:(?:{FIELD}),){{{len(self.header.names) - 1}}}"


def _line(fields: Iterable[str]) -> str:
    return f"^{','.join(fields)}$"
