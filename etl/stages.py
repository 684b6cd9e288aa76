"""What every SQL stage needs: the load's database, shared tables, and values for its `@names`."""

from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Final

import duckdb

from etl.checkpoints import Checkpoints
from etl.datasets import Family
from etl.kinds import Note, Repair
from etl.readers import declared_columns
from etl.tables import TABLES
from schema.documents import MAX_ID

FLAGS: Final = (
    Note.NULL_WORD,
    Note.EMPTY_NULL,
    Note.ESCAPED_TEXT,
    Note.BOOLEAN_WORD,
    Note.EXTREME_VALUE,
    Note.MULTILINE_ROW,
    Repair.FORMATTED_PRICE,
    Repair.UNCLOSED_QUOTE,
    Repair.JOINED_ROWS,
    Repair.ROUNDED_DATE,
    Repair.NULL_DATE,
    Note.TEXT_DATE,
)
"""Kinds that a row bears; the bit of each in `flags` is its place here."""


class _Sql(Template):
    delimiter = "@"


def sql_text(value: str) -> str:
    """Return an SQL literal of this text."""
    return "'" + value.replace("'", "''") + "'"


def sql_list(values: tuple[str, ...]) -> str:
    """Return an SQL list literal of these texts."""
    return "[" + ", ".join(sql_text(value) for value in values) + "]"


@dataclass(frozen=True, slots=True)
class Stages:
    """One load's database, and how the stages run in it.

    A stage takes tables and leaves tables; nothing but DuckDB touches a row.
    """

    database: duckdb.DuckDBPyConnection

    def run(self, stage: str, **names: object) -> duckdb.DuckDBPyConnection:
        """Run `sql/<stage>.sql` with `@names` replaced; return the last statement's result."""
        return self.database.execute(self.text(stage, **names))

    def text(self, stage: str, **names: object) -> str:
        """Return `sql/<stage>.sql` with `@names` replaced."""
        text = files("etl").joinpath("sql", f"{stage}.sql").read_text(encoding="utf-8")
        constants = {kind.value: 1 << place for place, kind in enumerate(FLAGS)}
        return _Sql(text).substitute(constants | names)

    @property
    def checkpoints(self) -> Checkpoints:
        """The steps that are finished, by this run or an earlier one."""
        return Checkpoints(self.database)

    def prepare(self) -> None:
        """Create the macros and the tables that the stages share, unless an earlier run has."""
        # A date without a zone is UTC, wherever the load runs.
        self.database.execute("SET TimeZone = 'UTC'")
        self.checkpoints.open()
        if not self.checkpoints.is_done("prepare"):
            with self.checkpoints.step("prepare"):
                self._make_tables()

    def _make_tables(self) -> None:
        self.run("macros", max_id=MAX_ID, long_escapes=_long_escapes("text"))
        self.run("tables")
        for table in TABLES:
            owner = ", product_id BIGINT" if table.owner else ""
            columns = f"{declared_columns(table)}, pos BIGINT{owner}"
            self.database.execute(f"CREATE TABLE stored_{table.name} ({columns})")
        self.database.executemany(
            "INSERT INTO flag_kinds VALUES (?, ?, ?)",
            [
                (1 << place, "repaired" if isinstance(kind, Repair) else "noted", kind.value)
                for place, kind in enumerate(FLAGS)
            ],
        )

    def cut(self, family: Family, slice_members: int) -> None:
        """Leave `<family>_slices`: ranges of keys that are rendered one at a time."""
        self.run(
            "slices",
            family_slices=f"{family.name}_slices",
            slice_members=slice_members,
            slice_ids=family.slice_ids,
        )


def _long_escapes(name: str) -> str:
    """Return an SQL expression that escapes every character that JSON wants escaped."""
    short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}
    expression = f"replace(replace({name}, '\\', '\\\\'), '\"', '\\\"')"
    for code in range(32):
        escape = short.get(code, f"\\u{code:04x}")
        expression = f"replace({expression}, chr({code}), '{escape}')"
    return expression
