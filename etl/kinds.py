"""What can become of a row: the names that the account, the rejects and the manifest share.

`etl.generate` plants these and writes how many into its manifest; `etl load` counts what it finds.
Both sides use this module, so a kind that one of them does not know cannot be named by the other.

How things are counted, the same on both sides:

- A row has at most one reject. Line kinds come first, then the columns in the order of the table in
  the legacy description, then the orphan check.
- A repair or a note is counted on loaded rows only, a superseded one (`DUPLICATE_KEY`) included,
  once per row and kind however many of its fields show it. A rejected row has neither.
- Notes on relations between rows (those that say so) leave superseded rows out. Of a table in
  several files they are counted at the file of the last of these rows.
- Notes on the file itself (those that say so) count what their text says.
- A foreign key of 0 is an orphan; a primary key of 0 is an invalid integer.
- Of two rows with one primary key the later *loaded* one stays: a rejected row supersedes nothing.
"""

from enum import StrEnum, unique


@unique
class Repair(StrEnum):
    """The row was mended, loaded, and counts as repaired and as loaded."""

    UNCLOSED_QUOTE = "unclosed_quote"
    """A quoted field (a photo's thumbnail url) lacked its closing quote at the end of the line.

    Only in the last column of photos.csv: a quote left open elsewhere is a `MALFORMED_ROW`.
    """
    JOINED_ROWS = "joined_rows"
    """Two rows stood on one line of photos.csv, a comma between; each of the two rows counts."""
    ROUNDED_DATE = "rounded_date"
    """A date was rounded by a spreadsheet: it has an exponent (`1.59588E+12`)."""
    NULL_DATE = "null_date"
    """A date was the unquoted `null` and became 1970-01-01 (and is no `NULL_WORD`)."""
    FORMATTED_PRICE = "formatted_price"
    """A price carried a currency sign ($, €, £) or thousands separators; `49.99` is no repair."""
    DUPLICATE_KEY = "duplicate_key"
    """A later row has the same primary key; the superseded row is the one counted."""


@unique
class Note(StrEnum):
    """The row was read or kept as it is; a count of its own, neither repaired nor rejected."""

    NULL_WORD = "null_word"
    """A field is the unquoted word `null`; in Parquet it is NULL."""
    EMPTY_NULL = "empty_null"
    """A field that may be null (value, sale_price, url, thumbnail_url, response) is empty,
    without quotes."""
    DUPLICATE_RELATION = "duplicate_relation"
    """Relation between rows: the pair of products already stands on an earlier line."""
    SELF_RELATION = "self_relation"
    """Relation between rows: the product is related to itself."""
    SAME_SIZE = "same_size"
    """Relation between rows: an earlier sku of the style has the same size (also both null)."""
    SAME_STYLE_NAME = "same_style_name"
    """Relation between rows: an earlier style of the product has the same name (also both null)."""
    NO_DEFAULT_STYLE = "no_default_style"
    """Relation between rows, on styles.csv: one per product that has styles here, none default."""
    OUT_OF_ORDER = "out_of_order"
    """The id is smaller than that of the loaded row before it in the file (superseded included)."""
    TEXT_DATE = "text_date"
    """A date is text (`2019-01-01`, an ISO date-time) rather than epoch milliseconds."""
    BOOLEAN_WORD = "boolean_word"
    """A boolean is spelled otherwise than the column's usual way (default_style: not 0 or 1;
    recommend and reported of reviews.csv: not true or false; all others: not 0 or 1)."""
    CHILDLESS = "childless"
    """Relation between rows: after the load the product has neither features, styles nor related
    rows (on product.csv), or the style neither photos nor skus (on styles.csv)."""
    ESCAPED_TEXT = "escaped_text"
    """A quoted field holds a doubled quote."""
    EXTREME_VALUE = "extreme_value"
    """A price is at least 5,000,000, or a quantity is 0."""
    MULTILINE_ROW = "multiline_row"
    """A quoted field holds line breaks, so that the row spans several lines."""
    BLANK_LINE = "blank_line"
    """The file: empty lines outside of quoted fields; they are no rows."""
    BYTE_ORDER_MARK = "byte_order_mark"
    """The file: 1 when it begins with a UTF-8 byte-order mark."""
    CARRIAGE_RETURN = "carriage_return"
    """The file: lines that end in CR LF, the header included."""
    NO_FINAL_NEWLINE = "no_final_newline"
    """The file: 1 when its last line has no newline."""
    PADDED_HEADER = "padded_header"
    """The file: header names that are padded with blanks."""
    REORDERED_HEADER = "reordered_header"
    """The file: 1 when the known columns stand in another order."""
    EXTRA_COLUMN = "extra_column"
    """The file: header names that are not known; their fields are ignored."""


@unique
class Reject(StrEnum):
    """The row was refused and stands in the rejects file with its line, column and bytes."""

    ORPHAN = "orphan"
    """The parent row (or the related product) is neither loaded by these files nor stored."""
    MALFORMED_ROW = "malformed_row"
    """The line is no CSV row with this file's columns (wrong field count, stray quote).

    A line cut in the middle of a quoted field costs itself alone, never the rows after it.
    """
    INVALID_UTF8 = "invalid_utf8"
    """Some bytes of the line are no UTF-8; it goes before every other reason."""
    INVALID_INTEGER = "invalid_integer"
    """No whole 64-bit number: `12x`, `1.5`, `1e3`, `99999999999999999999`."""
    INVALID_PRICE = "invalid_price"
    """Neither a number of at most two decimals nor mendable: `free`, `12.5.9`."""
    INVALID_BOOLEAN = "invalid_boolean"
    """Neither true/false, t/f nor 1/0 in any case: `maybe`, `2`."""
    INVALID_DATE = "invalid_date"
    """No form of date that is read: `soon`, `2020-13-45`."""
    RATING_OUT_OF_RANGE = "rating_out_of_range"
    """A whole number outside 1 to 5."""
    VALUE_OUT_OF_RANGE = "value_out_of_range"
    """A characteristic's value: a whole number outside 1 to 5."""
