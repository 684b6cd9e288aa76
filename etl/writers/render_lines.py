"""The COPY statement that sends the rows of a query to the SSTable writer as lines.

Fields stand between tabs. The quote is byte 2, which occurs in no JSON. DuckDB quotes the empty
text, which differs from null (nothing) by that, and texts with a tab, a carriage return or `#`; the
writer takes these as they are. It refuses texts with a line break or with byte 2.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

from etl.writers.staging import StagingError, StagingPlan

OPTIONS: Final = (
    "FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '\x02', ESCAPE '\x02', NULLSTR '',"
    " USE_TMP_FILE false"
)


def copy_statement(
    database: duckdb.DuckDBPyConnection,
    plan: StagingPlan,
    table: str,
    query: str,
    parameters: Sequence[object] | None,
    pipe: Path,
) -> str:
    """Return the COPY of a query's rows into a pipe.

    Raises:
        StagingError: the query has a column that the table has not, or no column of it.
        duckdb.Error: the query is none.
    """
    types = _columns(database, query, parameters)
    staged = plan.table(table)
    unknown = types.keys() - {name for name, _ in staged.columns}
    if unknown:
        raise StagingError(f"{table} has no columns {sorted(unknown)}")
    fields = [f"'{plan.tag(table)}'"]
    fields += [_field(name, kind, types.get(name)) for name, kind in staged.columns]
    # Names are those of our own tables.
    lines = f"SELECT {', '.join(fields)} FROM ({query.rstrip().rstrip(';')})"  # noqa: S608
    return f"COPY ({lines}) TO '{_quoted(pipe)}' ({OPTIONS})"


def _columns(
    database: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[object] | None
) -> dict[str, str]:
    described = database.execute(f"DESCRIBE {query}", parameters).fetchall()
    return {str(row[0]): str(row[1]) for row in described}


def _field(name: str, kind: str, duckdb_type: str | None) -> str:
    """Return the expression that renders one column as the writer reads it."""
    if duckdb_type is None:
        return "NULL"
    column = f'"{name}"'
    if kind == "blob_hex" and duckdb_type == "BLOB":
        return f"hex({column})"
    if kind == "blob" and duckdb_type == "BLOB":
        return f"decode({column})"
    if kind == "timestamp" and duckdb_type.startswith("TIMESTAMP"):
        return f"epoch_ms({column})"
    return column


def _quoted(pipe: Path) -> str:
    return str(pipe).replace("'", "''")
