"""What can become of a row: the names that the account, the rejects and the manifest share.

`etl.generate` plants these and writes how many into its manifest; `etl load` counts what it finds.
Both sides use this module, so a kind that one of them does not know cannot be named by the other.

What is counted, for every file:

* Rows are counted after joined lines are split; a blank line is no row.
* `rows = loaded + rejected`. A rejected row has exactly one `Reject`, the first that applies:
  invalid UTF-8 anywhere in the line, then the shape of the line, then the fields from left to
  right, last the parents. Repairs and notes are counted of loaded rows only.
* A superseded row (a later loaded row of the file has its key) is loaded, and repaired as
  `DUPLICATE_KEY`; no other repair and no note but `OUT_OF_ORDER` is counted of it.
  A rejected row supersedes nothing.
* A stored row is one that is loaded and not superseded. Repairs and notes count rows, not
  fields: two nulls in one row are one `NULL_WORD`. A row may count under several kinds.
* The last six notes are of the file: each is 0 or 1.
"""

from enum import StrEnum, unique


@unique
class Repair(StrEnum):
    """The row was mended, loaded, and counts as repaired and as loaded."""

    UNCLOSED_QUOTE = "unclosed_quote"
    """A photo's last field lacked its closing quote at the end of the line (photos.csv only).

    In any other field, or any other file, a quote left open makes a `MALFORMED_ROW` of its line.
    """
    JOINED_ROWS = "joined_rows"
    """Two rows stood on one line of photos.csv, a comma between them; each of the two counts."""
    ROUNDED_DATE = "rounded_date"
    """A date was rounded by a spreadsheet: written with an exponent, `1.59588E+12`."""
    NULL_DATE = "null_date"
    """A date was an unquoted `null` and became 1970-01-01 (this is no `NULL_WORD`)."""
    FORMATTED_PRICE = "formatted_price"
    """A price carried a currency sign ($, € or £) or thousands separators.

    In `default_price`, `sale_price` or `original_price`. A plain `49.99` is no repair.
    """
    DUPLICATE_KEY = "duplicate_key"
    """A later loaded row has the same primary key; each superseded row counts."""


@unique
class Note(StrEnum):
    """The row was read or kept as it is; a count of its own, neither repaired nor rejected."""

    NULL_WORD = "null_word"
    """An unquoted `null` in `sale_price`, feature `value`, a photo's urls or `response`."""
    EMPTY_NULL = "empty_null"
    """Nothing at all between the commas in one of the columns of `NULL_WORD`."""
    DUPLICATE_RELATION = "duplicate_relation"
    """An earlier stored row relates the same two products; the second and later ones count."""
    SELF_RELATION = "self_relation"
    """The product is related to itself."""
    SAME_SIZE = "same_size"
    """A sku whose style has an earlier sku of the very same size; second and later ones count."""
    SAME_STYLE_NAME = "same_style_name"
    """A style whose product has an earlier style of the very same name; second and later ones."""
    NO_DEFAULT_STYLE = "no_default_style"
    """A product that has stored styles, none of them default: counted once, on styles.csv."""
    OUT_OF_ORDER = "out_of_order"
    """The id is lower than that of the loaded row before it in the file.

    Rejected rows are passed over; superseded rows take part like any loaded row.
    """
    TEXT_DATE = "text_date"
    """A date that is neither a whole number, nor rounded, nor null: `2019-01-01`, ISO date-time."""
    BOOLEAN_WORD = "boolean_word"
    """A boolean written otherwise than exactly `true`, `false`, `1` or `0`."""
    CHILDLESS = "childless"
    """A product without a stored style (product.csv), a style without a stored sku (styles.csv)."""
    ESCAPED_TEXT = "escaped_text"
    """A text that has a quote character in it, so that the file doubles it."""
    EXTREME_VALUE = "extreme_value"
    """A price of 1,000,000 or more, or a sku's quantity 0."""
    BYTE_ORDER_MARK = "byte_order_mark"
    """The file starts with one."""
    CARRIAGE_RETURN = "carriage_return"
    """The header's line ends in CRLF, and so do the others."""
    NO_FINAL_NEWLINE = "no_final_newline"
    """The last row's line does not end."""
    PADDED_HEADER = "padded_header"
    """A header name stands between spaces."""
    REORDERED_HEADER = "reordered_header"
    """The known columns stand in another order than in LEGACY_CSV's table."""
    EXTRA_COLUMN = "extra_column"
    """The header names a column that the file is not known to have."""


@unique
class Reject(StrEnum):
    """The row was refused and stands in the rejects file with its line, column and bytes."""

    ORPHAN = "orphan"
    """A parent row (or the related product) is neither loaded by these files nor stored."""
    MALFORMED_ROW = "malformed_row"
    """The line is no CSV row with as many fields as its header names.

    Too few or too many fields, or a quote left open: a cut line costs itself, never its neighbours.
    """
    INVALID_UTF8 = "invalid_utf8"
    """Some bytes of the line are no UTF-8; it goes before every other reason."""
    INVALID_INTEGER = "invalid_integer"
    """A key, reference, quantity, rating, value or helpfulness is no whole 64-bit number.

    `12x`, `1.5`, `1e3` and `99999999999999999999` are none.
    """
    INVALID_PRICE = "invalid_price"
    """A price that is neither a number of at most two decimals nor mendable: `free`, `12.5.9`."""
    INVALID_BOOLEAN = "invalid_boolean"
    """Neither true/false, t/f nor 1/0 in any case: `maybe`, `2`."""
    INVALID_DATE = "invalid_date"
    """No form of date that is read: `soon`, `2020-13-45`."""
    RATING_OUT_OF_RANGE = "rating_out_of_range"
    """A whole number outside 1 to 5."""
    VALUE_OUT_OF_RANGE = "value_out_of_range"
    """A characteristic's value, a whole number outside 1 to 5."""
