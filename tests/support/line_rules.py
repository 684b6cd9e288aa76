"""What becomes of each line of a legacy file by the rules of `etl/README.md`, read by hand.

Slow and plain: no regular expression of the product's, no SQL, one line after the other. It says of
any bytes which rows they hold, where each stands and why it is refused, so that the account of a
file that nobody foresaw can be checked. It shares nothing with `etl/` but the names of kinds.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from tests.support.field_rules import Field, Values, read_fields
from tests.support.reference_reader import COLUMNS, PRICES

_LINE_BYTES = 2**20
_JOINED_LINES = 1_000
_SEPARATED_PRICE = re.compile(
    r"[$€£¥]? ?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{2})?(?: ?[$€£¥])?", re.ASCII
)


class HeaderError(Exception):
    """The first line names not every column once; nothing of the file may be read."""


class Place(NamedTuple):
    """Its first line, how many it spans, and which row of its line it is."""

    line: int
    lines: int
    part: int


@dataclass
class Row:
    """One row: its values, or the kind of its reject."""

    place: Place
    reject: str = ""
    values: Values = field(default_factory=dict)
    kinds: tuple[str, ...] = ()


@dataclass
class ReadFile:
    """All rows of one file in the order of their lines, and what is noted of the file itself."""

    table: str
    rows: list[Row]
    notes: Counter[str]

    def count(self, kind: str) -> int:
        """How many loaded rows bear a kind."""
        return sum(kind in row.kinds for row in self.rows if not row.reject)


@dataclass(frozen=True)
class _Line:
    """A line without its end. `fields`: None where a quote or a CR stands where none may."""

    number: int
    text: str
    has_return: bool
    fields: list[Field] | None
    is_open: bool

    def is_row(self, columns: int) -> bool:
        return self.fields is not None and not self.is_open and len(self.fields) == columns


def read_file(content: bytes, table: str) -> ReadFile:
    """Read a whole unpacked file.

    Raises:
        HeaderError: its header is no header of this table.
    """
    header = _read_header(content, table)
    notes = Counter(
        byte_order_mark=int(content.startswith(b"\xef\xbb\xbf")),
        carriage_return=content.count(b"\r\n"),
        no_final_newline=int(not content.endswith(b"\n")),
    )
    rows: list[Row] = []
    leftovers: list[_Line] = []
    for number, raw in enumerate(content.removesuffix(b"\n").split(b"\n")[1:], start=2):
        reject = _fault_of_bytes(raw)
        if reject:
            rows.append(Row(Place(number, 1, 1), reject))
            continue
        text = raw.decode()
        bare = text.removesuffix("\r")
        line = _Line(number, bare, bare != text, *split(bare))
        if line.is_row(len(header)) and _has_key(line, header):
            rows.append(_row(Place(number, 1, 1), line.fields or [], header, table))
        else:
            leftovers.append(line)
    for run in _runs(leftovers):
        rows += _read_run(run, header, table, notes)
    return ReadFile(table, sorted(rows, key=lambda row: row.place), +notes)


def _read_header(content: bytes, table: str) -> list[str]:
    line = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")[0].removesuffix(b"\r")
    if b"\r" in line or b"\0" in line or len(line) > 60_000:
        raise HeaderError
    try:
        fields, is_open = split(line.decode())
    except UnicodeDecodeError as error:
        raise HeaderError from error
    names = [text.strip() for text, _quoted in fields or []]
    if is_open or any(names.count(name) != 1 for name in COLUMNS[table].split()):
        raise HeaderError
    return names


def _fault_of_bytes(line: bytes) -> str:
    try:
        line.decode()
    except UnicodeDecodeError:
        return "invalid_utf8"
    return "malformed_row" if b"\0" in line or len(line) > _LINE_BYTES else ""


def _has_key(line: _Line, header: list[str]) -> bool:
    key = (line.fields or [])[header.index("id")][0]
    return re.fullmatch(r"[0-9]+", key.strip(" \t")) is not None


def _row(place: Place, fields: Sequence[Field], header: list[str], table: str, *kinds: str) -> Row:
    reject, values = read_fields(dict(zip(header, fields, strict=True)), table)
    return Row(place, reject, values, kinds)


def _runs(leftovers: list[_Line]) -> Iterator[list[_Line]]:
    """Yield leftovers that stand next to each other."""
    run: list[_Line] = []
    for line in leftovers:
        if run and line.number != run[-1].number + 1:
            yield run
            run = []
        run.append(line)
    if run:
        yield run


def _read_run(
    run: list[_Line], header: list[str], table: str, notes: Counter[str]
) -> Iterator[Row]:
    joined = {} if table == "photos" else _join(run, len(header))
    taken_to = 0
    for line in run:
        if line.number <= taken_to:
            continue
        if line.number in joined:
            lines, fields = joined[line.number]
            taken_to = line.number + lines - 1
            yield _row(Place(line.number, lines, 1), fields, header, table, "multiline_row")
        elif line.is_row(len(header)):
            yield _row(Place(line.number, 1, 1), line.fields or [], header, table)
        elif not line.text.strip(" \t"):
            notes["blank_line"] += 1
        else:
            yield from _mend(line, header, table)


def _join(run: list[_Line], columns: int) -> dict[int, tuple[int, list[Field]]]:
    """Return texts over several lines, by first line: how many lines, and the fields.

    An open quote may end on the next line with an odd number of quotes, and only there.
    """
    joined: dict[int, tuple[int, list[Field]]] = {}
    taken_to = 0
    odd = [line for line in run if line.text.count('"') % 2]
    for first, last in pairwise(odd):
        if first.number <= taken_to or last.number - first.number >= _JOINED_LINES:
            continue
        within = run[first.number - run[0].number : last.number - run[0].number]
        ends = ("\r\n" if line.has_return else "\n" for line in within)
        text = "".join(line.text + end for line, end in zip(within, ends, strict=True))
        fields, is_open = split(text + last.text)
        if fields is not None and not is_open and len(fields) == columns:
            joined[first.number] = (len(within) + 1, fields)
            taken_to = last.number
    return joined


def _mend(line: _Line, header: list[str], table: str) -> Iterator[Row]:
    """Yield what a line comes to that is no row as it stands."""
    place = Place(line.number, 1, 1)
    found = list(_mend_photo(line, len(header))) if table == "photos" else []
    for part, (fields, kinds) in enumerate(found, start=1):
        yield _row(Place(line.number, 1, part), fields, header, table, *kinds)
    if found:
        return
    priced = _mend_prices(line, header)
    mended = None if priced is None else _row(place, priced, header, table)
    yield mended if mended and not mended.reject else Row(place, "malformed_row")


def _mend_photo(line: _Line, columns: int) -> Iterator[tuple[list[Field], tuple[str, ...]]]:
    """Yield one or two rows with the kinds of their repairs, or none."""
    fields = line.fields or []
    if line.is_open and len(fields) == columns:
        yield fields, ("unclosed_quote",)
        return
    first, second, is_open = fields[:columns], fields[columns:], line.is_open
    if len(fields) != 2 * columns:
        first, cut = _touching(line.text, columns)
        rest, is_open = split(line.text[cut:]) if first else (None, False)
        second = rest or []
    key = second[0] if len(second) == columns else ("", True)
    if not key[1] and re.fullmatch(r"[0-9]+", key[0]):
        yield first, ("joined_rows",)
        yield second, ("joined_rows", "unclosed_quote") if is_open else ("joined_rows",)


def _touching(text: str, columns: int) -> tuple[list[Field], int]:
    """Return the row that a text begins with, if it ends in a quote or a null, and where."""
    fields: list[Field] = []
    place = 0
    while len(fields) < columns:
        if len(fields) == columns - 1 and text.startswith("null", place):
            return [*fields, ("null", False)], place + len("null")
        found, end, is_open = _next_field(text, place)
        if found is None or is_open:
            break
        fields.append(found)
        if len(fields) == columns and found[1]:
            return fields, end
        if text[end : end + 1] != ",":
            break
        place = end + 1
    return [], 0


def _mend_prices(line: _Line, header: list[str]) -> list[Field] | None:
    """Return the fields if commas within prices explain the line in exactly one way."""
    if line.fields is None or line.is_open or len(line.fields) <= len(header):
        return None
    readings = list(_readings(line.fields, header))
    return readings[0] if len(readings) == 1 else None


def _readings(fields: list[Field], header: list[str]) -> Iterator[list[Field]]:
    if not header:
        if not fields:
            yield []
        return
    for taken in range(1, len(fields) - len(header) + 2):
        price = ",".join(text for text, _quoted in fields[:taken])
        if taken > 1 and (
            header[0] not in PRICES
            or any(quoted for _text, quoted in fields[:taken])
            or not _SEPARATED_PRICE.fullmatch(price)
        ):
            continue
        first = fields[0] if taken == 1 else (price, True)
        for rest in _readings(fields[taken:], header[1:]):
            yield [first, *rest]


def split(text: str) -> tuple[list[Field] | None, bool]:
    """Return the fields of a text, each with whether it was quoted, and whether the last is open.

    No fields: a quote, or a CR outside of quotes, stands where none may.
    """
    fields: list[Field] = []
    place = 0
    while True:
        found, place, is_open = _next_field(text, place)
        if found is None:
            return None, False
        fields.append(found)
        if is_open or place == len(text):
            return fields, is_open
        if text[place] != ",":
            return None, False
        place += 1


def _next_field(text: str, place: int) -> tuple[Field | None, int, bool]:
    """Return the field that begins at a place, where it ends, and whether its quote is open."""
    if not text.startswith('"', place):
        end = text.find(",", place)
        end = len(text) if end < 0 else end
        bare = text[place:end]
        is_broken = any(mark in bare for mark in '"\r\n')
        return (None if is_broken else (bare, False)), end, False
    pieces: list[str] = []
    place += 1
    while (end := text.find('"', place)) >= 0:
        pieces.append(text[place:end])
        if not text.startswith('"', end + 1):
            return ("".join(pieces), True), end + 1, False
        pieces.append('"')
        place = end + 2
    return ("".join([*pieces, text[place:]]), True), len(text), True
