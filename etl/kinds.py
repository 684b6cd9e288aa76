"""What can become of a row: the names that the account, the rejects and the manifest share.

`etl.generate` plants these and writes how many into its manifest; `etl load` counts what it finds.
Both sides use this module, so a kind that one of them does not know cannot be named by the other.
"""

from enum import StrEnum, unique


@unique
class Repair(StrEnum):
    """The row was mended, loaded, and counts as repaired and as loaded."""

    UNCLOSED_QUOTE = "unclosed_quote"
    """A quoted field (a photo's thumbnail url) lacked its closing quote at the end of the line."""
    JOINED_ROWS = "joined_rows"
    """Two rows stood on one line; each of the two rows that come of it counts."""
    ROUNDED_DATE = "rounded_date"
    """A date was rounded by a spreadsheet (`1.59588E+12`)."""
    NULL_DATE = "null_date"
    """A date was null and became 1970-01-01."""
    FORMATTED_PRICE = "formatted_price"
    """A price carried a currency sign or thousands separators."""
    DUPLICATE_KEY = "duplicate_key"
    """A later row has the same primary key; the superseded row is the one counted."""


@unique
class Note(StrEnum):
    """The row was read or kept as it is; a count of its own, neither repaired nor rejected."""

    NULL_WORD = "null_word"
    EMPTY_NULL = "empty_null"
    DUPLICATE_RELATION = "duplicate_relation"
    SELF_RELATION = "self_relation"
    SAME_SIZE = "same_size"
    SAME_STYLE_NAME = "same_style_name"
    NO_DEFAULT_STYLE = "no_default_style"
    OUT_OF_ORDER = "out_of_order"
    TEXT_DATE = "text_date"
    BOOLEAN_WORD = "boolean_word"
    CHILDLESS = "childless"
    ESCAPED_TEXT = "escaped_text"
    EXTREME_VALUE = "extreme_value"
    BYTE_ORDER_MARK = "byte_order_mark"
    CARRIAGE_RETURN = "carriage_return"
    NO_FINAL_NEWLINE = "no_final_newline"
    PADDED_HEADER = "padded_header"
    REORDERED_HEADER = "reordered_header"
    EXTRA_COLUMN = "extra_column"


@unique
class Reject(StrEnum):
    """The row was refused and stands in the rejects file with its line, column and bytes."""

    ORPHAN = "orphan"
    """The parent row (or the related product) is neither loaded by these files nor stored."""
    MALFORMED_ROW = "malformed_row"
    """The line is no CSV row with this file's columns (wrong field count, stray quote)."""
    INVALID_UTF8 = "invalid_utf8"
    INVALID_INTEGER = "invalid_integer"
    INVALID_PRICE = "invalid_price"
    INVALID_BOOLEAN = "invalid_boolean"
    INVALID_DATE = "invalid_date"
    RATING_OUT_OF_RANGE = "rating_out_of_range"
    VALUE_OUT_OF_RANGE = "value_out_of_range"
