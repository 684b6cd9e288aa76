"""What can be wrong with a row, and how it is written when it is.

A plant's name is what the manifest calls it: `invalid_price.sale_price` is an unreadable price in
that column, `cut_quote` a line that ends within a quoted text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from etl.generation.shapes import Holds, Shape
from etl.kinds import Note, Reject, Repair

UNDECODABLE: Final = (b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe9")
"""Bytes that are no UTF-8: a stray byte, half a character, overlong, surrogate, Latin-1."""

FIRST_PLACEHOLDER: Final = 0xE000
"""SQL writes text only: a private-use character stands for each of `UNDECODABLE` until the end."""


@dataclass(frozen=True, slots=True)
class Plant:
    """One way for a row to be dirty.

    Attributes:
        name: in the manifest; after a dot, the column it is in.
        effect: what the load counts, None when the row is simply to be read.
        value: SQL of the field as the file has it, from `{field}`, `id` and `roll`; None when the
            plant is of the whole line.
    """

    name: str
    effect: Repair | Note | Reject | None
    value: str | None = None

    @property
    def column(self) -> str | None:
        """The column that it is in."""
        return self.name.partition(".")[2] or None


_NO_INTEGERS: Final = "pick(['twelve', '12x', '1.5', '1e3', '99999999999999999999'], roll)"
_NO_PARENTS: Final = (
    "pick(['0', (2000000000 + roll % 1000000)::VARCHAR, '9007199254740991'], turn(roll, 2))"
)
_NO_PRICES: Final = "pick(['free', 'n/a', '12.5.9', '1O9', '$'], roll)"
_FORMATTED_PRICES: Final = (
    "pick(['$' || coalesce({field}, 99) || '.00', '€' || coalesce({field}, 99),"
    " '\"1,' || lpad((coalesce({field}, 99) % 1000)::VARCHAR, 3, '0') || '.50\"',"
    " '\"$1,' || lpad((coalesce({field}, 99) % 1000)::VARCHAR, 3, '0') || '\"'], roll)"
)
_SPLIT_PRICE: Final = "'1,' || lpad((coalesce({field}, 99) % 1000)::VARCHAR, 3, '0') || '.50'"
"""Without quotes the separator looks like one between fields."""
_TEXT_DATES: Final = (
    "pick(['\"' || strftime(epoch_ms({field}), '%Y-%m-%d') || '\"',"
    " strftime(epoch_ms({field}), '%Y-%m-%dT%H:%M:%SZ'),"
    " '\"' || strftime(epoch_ms({field}), '%Y-%m-%dT%H:%M:%S.%gZ') || '\"'], roll)"
)
_NO_DATES: Final = "pick(['soon', '2020-13-45', '20x0-01-01'], roll)"
_DIGIT_WORDS: Final = (
    "CASE WHEN {field} THEN pick(['true', 'T', 'TRUE', 't', 'True'], roll)"
    " ELSE pick(['false', 'F', 'FALSE', 'f', 'False'], roll) END"
)
_WORD_WORDS: Final = (
    "CASE WHEN {field} THEN pick(['1', 'T', 'TRUE', 't', 'True'], roll)"
    " ELSE pick(['0', 'F', 'FALSE', 'f', 'False'], roll) END"
)
_SEVERAL_LINES: Final = (
    "quoted(replace({field}, '\"', '') || chr(10) || 'Second line, still the same text.')"
)


_Kind = tuple[str, Repair | Note | Reject | None, str]

_INTEGER: Final[tuple[_Kind, ...]] = (("invalid_integer", Reject.INVALID_INTEGER, _NO_INTEGERS),)
_DIGIT: Final[tuple[_Kind, ...]] = (
    ("invalid_integer", Reject.INVALID_INTEGER, "pick(['five', '3.5'], roll)"),
)
_NULLABLE: Final[tuple[_Kind, ...]] = (
    ("null_word", Note.NULL_WORD, "'null'"),
    ("empty_null", Note.EMPTY_NULL, "''"),
)
_PRICE: Final[tuple[_Kind, ...]] = (
    ("invalid_price", Reject.INVALID_PRICE, _NO_PRICES),
    ("formatted_price", Repair.FORMATTED_PRICE, _FORMATTED_PRICES),
    ("split_price", Repair.FORMATTED_PRICE, _SPLIT_PRICE),
    ("extreme_value", Note.EXTREME_VALUE, "'5000000'"),
    ("decimal_price", None, "coalesce({field}, 99) || '.49'"),
)
_INVALID_BOOLEAN: Final[_Kind] = (
    "invalid_boolean",
    Reject.INVALID_BOOLEAN,
    "pick(['maybe', '2', 'yes?'], roll)",
)

_IN_COLUMNS: Final[Mapping[Holds, tuple[_Kind, ...]]] = MappingProxyType(
    {
        Holds.KEY: _INTEGER,
        Holds.PARENT: (*_INTEGER, ("orphan", Reject.ORPHAN, _NO_PARENTS)),
        Holds.INTEGER: _INTEGER,
        Holds.QUANTITY: (*_INTEGER, ("extreme_value", Note.EXTREME_VALUE, "'0'")),
        Holds.TEXT: (),
        Holds.LONG_TEXT: (),
        Holds.NULLABLE_TEXT: _NULLABLE,
        Holds.PRICE: _PRICE,
        Holds.NULLABLE_PRICE: (*_PRICE, *_NULLABLE),
        Holds.DIGIT_BOOLEAN: (
            _INVALID_BOOLEAN,
            ("boolean_word", Note.BOOLEAN_WORD, _DIGIT_WORDS),
        ),
        Holds.WORD_BOOLEAN: (_INVALID_BOOLEAN, ("boolean_word", Note.BOOLEAN_WORD, _WORD_WORDS)),
        Holds.DATE: (
            ("invalid_date", Reject.INVALID_DATE, _NO_DATES),
            ("rounded_date", Repair.ROUNDED_DATE, "printf('%.5E', {field}::DOUBLE)"),
            ("null_date", Repair.NULL_DATE, "'null'"),
            ("text_date", Note.TEXT_DATE, _TEXT_DATES),
        ),
        Holds.RATING: (
            *_DIGIT,
            ("rating_out_of_range", Reject.RATING_OUT_OF_RANGE, "pick(['0', '6'], roll)"),
        ),
        Holds.VALUE: (
            *_DIGIT,
            ("value_out_of_range", Reject.VALUE_OUT_OF_RANGE, "pick(['9', '0', '6'], roll)"),
        ),
    }
)
"""What can be planted in a field, by what its column holds."""


def plants_of(shape: Shape) -> tuple[Plant, ...]:
    """Return every plant that can stand in this file, those of lines before those of fields."""
    return (*_line_plants(shape), *_text_plants(shape), *_field_plants(shape))


def _line_plants(shape: Shape) -> Iterator[Plant]:
    yield Plant("too_few_fields", Reject.MALFORMED_ROW)
    yield Plant("too_many_fields", Reject.MALFORMED_ROW)
    if shape.cut_column is not None:
        yield Plant("cut_quote", Reject.MALFORMED_ROW)
    yield Plant("duplicate_key", Repair.DUPLICATE_KEY)
    yield Plant("out_of_order", Note.OUT_OF_ORDER)
    yield Plant("blank_line", Note.BLANK_LINE)
    if shape.one_line_rows:
        yield Plant("joined_rows", Repair.JOINED_ROWS)
        yield Plant(
            f"unclosed_quote.{shape.columns[-1].name}",
            Repair.UNCLOSED_QUOTE,
            "'\"' || photo_address(roll, '300')",
        )


def _text_plants(shape: Shape) -> Iterator[Plant]:
    """Yield what is planted once a file, in a text where it has one."""
    texts = shape.holding(Holds.TEXT, Holds.LONG_TEXT)
    cut = "left({text}, {at}) || chr(57344 + (roll % 5)::INTEGER) || substr({text}, {at} + 1)"
    if texts:
        bytes_in_text = "quoted(" + cut.format(text="{field}", at=2) + ")"
        yield Plant(f"invalid_utf8.{texts[0].name}", Reject.INVALID_UTF8, bytes_in_text)
        yield Plant(
            f"escaped_text.{texts[0].name}",
            Note.ESCAPED_TEXT,
            "quoted({field} || ' \"no. ' || id || '\"')",
        )
    else:
        bytes_in_number = cut.format(text="coalesce({field}::VARCHAR, '1')", at=1)
        last = shape.columns[-1].name
        yield Plant(f"invalid_utf8.{last}", Reject.INVALID_UTF8, bytes_in_number)
    for column in shape.holding(Holds.LONG_TEXT):
        yield Plant(f"multiline_row.{column.name}", Note.MULTILINE_ROW, _SEVERAL_LINES)
    if shape.holding(Holds.LONG_TEXT) or shape.name == "features":
        # Only where no note compares texts: styles' names and skus' sizes stay apart.
        yield Plant(f"quoted_null.{texts[min(1, len(texts) - 1)].name}", None, "'\"null\"'")


def _field_plants(shape: Shape) -> Iterator[Plant]:
    for column in shape.columns:
        for kind, effect, value in _IN_COLUMNS[column.holds]:
            yield Plant(f"{kind}.{column.name}", effect, value)
