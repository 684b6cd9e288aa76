"""Parquet files: their columns, and their values as the fields of a CSV line.

A value becomes what the same value would be in a legacy file, so that everything after the reading
is one and the same: NULL the unquoted word `null`, a text a quoted field.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import duckdb

from etl.errors import SourceDamagedError, SourceError
from etl.headers import Header, map_columns
from etl.tables import Column, Holds, Table

_OPTIONS: Final = "binary_as_string = true, hive_partitioning = false, file_row_number = true"
_ROW_NUMBER: Final = "file_row_number"
_TEXTS: Final = frozenset({"VARCHAR", "UUID", "JSON", "ENUM", '"NULL"'})
_WHOLE: Final = frozenset(
    sign + size
    for sign in ("", "U")
    for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
)
_FRACTIONS: Final = frozenset({"FLOAT", "DOUBLE", "DECIMAL"})
_ZONED: Final = "TIMESTAMP WITH TIME ZONE"
_MOMENTS: Final = frozenset(
    {"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", _ZONED}
)
_TEXT_COLUMNS: Final = frozenset({Holds.TEXT, Holds.NULLABLE_TEXT})
_PRICE_COLUMNS: Final = frozenset({Holds.PRICE, Holds.NULLABLE_PRICE})
_NULLABLE_COLUMNS: Final = frozenset({Holds.NULLABLE_TEXT, Holds.NULLABLE_PRICE})


def read_parquet(path: Path) -> str:
    """Return the table function of a file; its rows are numbered from 0 by `file_row_number`."""
    return f"read_parquet('{str(path).replace(chr(39), chr(39) * 2)}', {_OPTIONS})"


def read_parquet_header(table: Table, path: Path) -> tuple[Header, Mapping[str, str]]:
    """Read the columns of a file.

    Returns:
        The header, and for each column of the table, in the file's order, the SQL of its field.

    Raises:
        SourceDamagedError: the file is cut off or no Parquet.
        SourceError: a column is absent, there twice, or of a type that holds no such value.
    """
    try:
        with duckdb.connect() as database:
            described = database.execute(f"DESCRIBE FROM {read_parquet(path)}").fetchall()
    except duckdb.Error as error:
        raise SourceDamagedError(f"is no whole Parquet file: {_sentence(error)}") from error
    columns = [(str(row[0]), str(row[1])) for row in described if row[0] != _ROW_NUMBER]
    header = map_columns(table, [name for name, _type in columns], Counter())
    placed = sorted(zip(header.positions, table.columns, strict=True), key=lambda pair: pair[0])
    fields = {column.name: _field(column, *columns[position]) for position, column in placed}
    return header, fields


def unreadable(error: duckdb.Error) -> SourceDamagedError:
    """Return what to raise when the rows of a file cannot be read."""
    return SourceDamagedError(f"has rows that cannot be read: {_sentence(error)}")


def line_of(fields: Mapping[str, str]) -> str:
    """Return the SQL of a row as a line of CSV, for the rejects."""
    return " || ',' || ".join(fields.values())


def select_fields(fields: Mapping[str, str]) -> str:
    """Return the fields as a list of named SQL columns."""
    return ", ".join(f"{field} AS {name}" for name, field in fields.items())


def _sentence(error: duckdb.Error) -> str:
    return str(error).partition("\n")[0]


def _field(column: Column, name: str, full_type: str) -> str:
    """Return the SQL of one column's field."""
    value = '"' + name.replace('"', '""') + '"'
    type_name = full_type.partition("(")[0]
    text = _text(column, value, full_type, type_name)
    whens = [f"WHEN {value} IS NULL THEN 'null'"]
    quoted = f"'\"' || replace({text}, '\"', '\"\"') || '\"'"
    if type_name in _TEXTS and column.holds in _NULLABLE_COLUMNS:
        # Texts made from CSV without care; where null is meant, the word must not leak.
        whens.append(f"WHEN {text} = 'null' THEN 'null'")
    if column.holds not in _TEXT_COLUMNS:
        whens.append(f"WHEN NOT contains({text}, '\"') THEN {text}")
    return f"CASE {' '.join(whens)} ELSE {quoted} END"


def _text(column: Column, value: str, full_type: str, type_name: str) -> str:
    """Return the SQL of a value as text."""
    text = f"CAST({value} AS VARCHAR)"
    if type_name in _TEXTS or type_name in _WHOLE:
        return text
    if type_name in _FRACTIONS:
        # A whole number is often stored as a fraction; a price has two decimals or none.
        wanted = "DECIMAL(15, 2)" if column.holds in _PRICE_COLUMNS else "BIGINT"
        exact = f"TRY_CAST({value} AS {wanted})"
        same = f"TRY_CAST({exact} AS {full_type}) = {value}"
        return f"CASE WHEN {same} THEN CAST({exact} AS VARCHAR) ELSE {text} END"
    if type_name == "BOOLEAN":
        return f"CASE WHEN {value} THEN '1' ELSE '0' END"
    if type_name in _MOMENTS:
        moment = value if type_name == _ZONED else f"CAST({value} AS TIMESTAMP)"
        return f"CAST(epoch_ms({moment}) AS VARCHAR)"
    raise SourceError(f"has a column {column.header} of type {full_type}, which is not read")
