from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from etl.writers.render_lines import copy_statement
from etl.writers.staging import StagedTable, StagingError, StagingPlan, TargetPlan

TABLE = StagedTable(
    "items",
    "CREATE TABLE items (id bigint PRIMARY KEY, name text, body blob, raw blob, at timestamp,"
    " flag boolean)",
    (
        ("id", "bigint"),
        ("name", "text"),
        ("body", "blob"),
        ("raw", "blob_hex"),
        ("at", "timestamp"),
        ("flag", "boolean"),
    ),
)
PLAN = StagingPlan("shop", (TABLE,), TargetPlan({"all": ("a",)}, (), (), {}), 1)


@pytest.fixture
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database."""
    with duckdb.connect() as connection:
        yield connection


def lines_of(database: duckdb.DuckDBPyConnection, path: Path, query: str) -> list[bytes]:
    """What a query's COPY writes."""
    database.execute(copy_statement(database, PLAN, "items", query, None, path))
    return path.read_bytes().split(b"\n")


def test_lines_when_rendered_then_each_column_is_in_its_place(
    database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Columns by name in any order; a column that the query lacks is null; types as promised."""
    query = (
        "SELECT true AS flag, 'näme' AS name, 5 AS id, '{\"a\":1}'::BLOB AS body,"
        " '\\x00\\xFF'::BLOB AS raw, TIMESTAMP '2020-01-01 00:00:01.5' AS at"
    )
    line = 'A\t5\tnäme\t{"a":1}\t00FF\t1577836801500\ttrue'.encode()
    assert lines_of(database, tmp_path / "rows", query) == [line, b""]
    assert lines_of(database, tmp_path / "rows", "SELECT 7 AS id;") == [b"A\t7\t\t\t\t\t", b""]


@pytest.mark.parametrize(
    "text",
    ['"', '""', "'", ",", " leading", "trailing ", "\\", "\\N", "NULL", "null", "☃", "\x1f"],
)
def test_text_when_rendered_then_it_stands_as_it_is(
    database: duckdb.DuckDBPyConnection, tmp_path: Path, text: str
) -> None:
    """Nothing is quoted, trimmed or escaped."""
    quoted = text.replace("'", "''")
    lines = lines_of(database, tmp_path / "rows", f"SELECT 1 AS id, '{quoted}' AS name")
    assert lines == [f"A\t1\t{text}\t\t\t\t".encode(), b""]


def test_empty_text_when_rendered_then_it_is_not_null(
    database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Two quotes of byte 2 are the empty text; nothing is null."""
    query = "SELECT unnest([1, 2]) AS id, unnest(['', NULL]) AS name, unnest([NULL, '']) AS body"
    assert lines_of(database, tmp_path / "rows", query) == [
        b"A\t1\t\x02\x02\t\t\t\t",
        b"A\t2\t\t\x02\x02\t\t\t",
        b"",
    ]


@pytest.mark.parametrize("text", ["a\tb", "a\nb", "a\rb", "#", "a#b"])
def test_text_when_a_field_might_be_taken_for_more_then_it_is_between_quotes(
    database: duckdb.DuckDBPyConnection, tmp_path: Path, text: str
) -> None:
    """Whole, and for the writer to read or, where it breaks the line, to refuse."""
    database.execute(
        copy_statement(
            database, PLAN, "items", "SELECT 1 AS id, $1 AS name", [text], tmp_path / "rows"
        ),
        [text],
    )
    line = f"A\t1\t\x02{text}\x02\t\t\t\t\n".encode()
    assert (tmp_path / "rows").read_bytes() == line


def test_query_when_it_has_a_column_of_no_table_then_refused(
    database: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """A misspelt column would be lost otherwise."""
    with pytest.raises(StagingError, match="nmae"):
        copy_statement(database, PLAN, "items", "SELECT 1 AS id, 2 AS nmae", None, tmp_path / "x")
    with pytest.raises(StagingError, match="no table other"):
        copy_statement(database, PLAN, "other", "SELECT 1 AS id", None, tmp_path / "x")
