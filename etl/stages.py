"""The SQL stages: which file runs when, and with what in the place of its `@names`."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Final

import duckdb

from etl.checkpoints import Checkpoints
from etl.datasets import Family
from etl.errors import SourceDamagedError, SourceError
from etl.identity import Identity
from etl.kinds import Note, Repair
from etl.packing import Packing
from etl.parquet import read_parquet, select_fields, unreadable
from etl.patterns import FIELD, OPEN_FIELD, RowPatterns
from etl.readers import declared_columns, fault_of, flags_of, values_of
from etl.sources import Source
from etl.tables import (
    ANSWERS,
    CHARACTERISTICS,
    PRODUCT,
    QUESTIONS,
    REVIEWS,
    STYLES,
    TABLES,
    Table,
)
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

JOIN_LINES: Final = 1000
"""A quoted text of more lines than this is not put together again."""

_IDS: Final = {
    PRODUCT: "product_ids",
    STYLES: "style_ids",
    REVIEWS: "review_ids",
    CHARACTERISTICS: "characteristic_ids",
    QUESTIONS: "question_ids",
    ANSWERS: "answer_ids",
}
"""Views of the rows that others may name as their parents; see `etl.tables.Parent`."""


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
    """One load's database and the stages that run in it, in the order of the methods.

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
        # The tables of one slice: seen by every cursor, and never written to the load's database.
        self.database.execute("ATTACH ':memory:' AS slice")
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

    def extract(self, source: Source) -> None:
        """Read one file into `<table>_fields_<ordinal>`: rows with their raw fields.

        Raises:
            SourceError: the rows of a Parquet file, or all lines of a text, cannot be read.
        """
        is_text = source.packing is not Packing.PARQUET
        if is_text:
            # Not a part of the step: rows get the ids that lines are counted by when they are
            # committed. Done again it replaces what a killed run left.
            self._split(source)
        with self.checkpoints.step(_step_of(source)):
            self._enter(source)
            if is_text:
                self._extract_lines(source)
            else:
                self._extract_parquet(source)

    def is_extracted(self, source: Source) -> bool:
        """Whether an earlier run has read a file, which the source then knows itself to be."""
        if not self.checkpoints.is_done(_step_of(source)):
            return False
        rows = self.database.execute(
            "SELECT size_bytes, modified_ns, digest FROM files WHERE ordinal = ?", [source.ordinal]
        ).fetchall()
        source.identity = Identity(*rows[0])
        return True

    def _enter(self, source: Source) -> None:
        """Note which file it is whose rows are read, and what concerns it as a whole."""
        identity = source.identity
        if identity is None:
            raise ValueError(f"{source.name}: not scanned yet")
        self.database.execute(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?)",
            [
                source.ordinal,
                source.name,
                identity.size_bytes,
                identity.modified_ns,
                identity.digest,
            ],
        )
        for note, rows in source.notes.items():
            self.database.execute(
                "INSERT INTO counts VALUES (?, 'noted', ?, ?)", [source.ordinal, note.value, rows]
            )

    def _extract_parquet(self, source: Source) -> None:
        try:
            self.run(
                "parquet",
                **_names(source),
                rows=read_parquet(source.read_path),
                fields=select_fields(source.fields),
            )
        except (duckdb.InvalidInputException, duckdb.SerializationException) as error:
            raise SourceDamagedError(f"{source.name}: {unreadable(error)}") from error

    def _split(self, source: Source) -> None:
        lines = self.run(
            "split",
            **_names_of_rows(source),
            path=sql_text(str(source.read_path)),
            line="decoded_line(line)" if source.encoded else "line",
            returns="ends_in_return(line)" if source.encoded else "false",
        )
        _require_all_lines(source, lines.fetchone())

    def _extract_lines(self, source: Source) -> None:
        patterns = RowPatterns(source.table, source.header)
        names = _names_of_rows(source)
        self._mend(source.table, patterns, names)
        self.run(
            "fields",
            **names,
            column_list=", ".join(patterns.columns),
            set_aside_path=sql_text(str(source.set_aside_path)),
            prefix_pattern=sql_text(patterns.prefix()),
            field_pattern=sql_text(f"(?:{FIELD})"),
            open_field_pattern=sql_text(OPEN_FIELD),
            header_names=sql_list(source.header.names),
            header_fields=len(source.header.names),
        )

    def _mend(self, table: Table, patterns: RowPatterns, names: dict[str, object]) -> None:
        if table.one_line_rows:
            self.run(
                "mend_photos",
                **names,
                unclosed_pattern=sql_text(patterns.unclosed()),
                parted_rows_pattern=sql_text(patterns.two_rows(parted=True)),
                touching_rows_pattern=sql_text(patterns.two_rows(parted=False)),
            )
        else:
            self.run(
                "mend_lines",
                **names,
                open_pattern=sql_text(patterns.open_row()),
                join_lines=JOIN_LINES,
            )
        if table.prices:
            self.run(
                "mend_prices",
                **names,
                eager_pattern=sql_text(patterns.priced(eager=True)),
                lazy_pattern=sql_text(patterns.priced(eager=False)),
                all_columns=sql_list(patterns.all_columns),
                quoted_columns=patterns.quoted_columns("eager"),
                is_readable=patterns.is_readable("eager"),
            )

    def clean(self, table: Table, sources: Sequence[Source]) -> None:
        """Read the fields of all files of one table and refuse rows that cannot be read."""
        names = [_names(source) for source in sources]
        union = " UNION ALL BY NAME ".join(f"FROM {one['table_fields']}" for one in names)
        self.database.execute(f"CREATE VIEW {table.name}_fields AS {union}")
        self.run(
            "clean",
            table_clean=f"{table.name}_clean",
            table_fields=f"{table.name}_fields",
            values=values_of(table),
            flags=flags_of(table),
            fault=fault_of(table),
        )
        self.run("refuse", table_clean=f"{table.name}_clean")
        self.database.execute(f"DROP VIEW {table.name}_fields")
        for one in names:
            self.database.execute(f"DROP VIEW {one['table_fields']}")
            for part in _TABLE_PARTS:
                self.database.execute(f"DROP TABLE IF EXISTS {one[f'table_{part}']}")

    def stand_in(self, table: Table) -> None:
        """Leave an empty `<table>_clean` for a file that is absent."""
        self.database.execute(
            f"CREATE TABLE IF NOT EXISTS {table.name}_clean"
            f" (pos BIGINT, lines INTEGER, {declared_columns(table)}, flags INTEGER)"
        )

    def relate(self, present: tuple[Table, ...]) -> None:
        """Parents first: refuse orphans, let the last row of a key win, merge with stored rows."""
        for table in TABLES:
            step = f"relate {table.name}"
            if not self.checkpoints.is_done(step):
                with self.checkpoints.step(step):
                    if table in present:
                        self._refuse_orphans(table)
                        self._supersede(table)
                    self._merge(table)
        if not self.checkpoints.is_done("notes"):
            with self.checkpoints.step("notes"):
                self.run("notes")

    def _refuse_orphans(self, table: Table) -> None:
        for parent in table.parents:
            self.run(
                "orphans",
                table_clean=f"{table.name}_clean",
                column=parent.column,
                column_header=sql_text(table.header_of(parent.column)),
                parents=parent.ids,
                parent=parent.called + " ",
            )

    def _supersede(self, table: Table) -> None:
        self.run(
            "supersede",
            table_clean=f"{table.name}_clean",
            repair_bits=sum(1 << at for at, kind in enumerate(FLAGS) if isinstance(kind, Repair)),
        )

    def _merge(self, table: Table) -> None:
        """Leave `<table>_final`, the stored and the new rows, and the view of its ids."""
        names = {part: f"{table.name}_{part}" for part in ("clean", "owned", "final")}
        columns = [column.name for column in table.columns]
        common: dict[str, object] = {f"table_{part}": name for part, name in names.items()}
        if table.owner:
            parents = next(one.ids for one in table.parents if one.column == table.owner)
            self.run("own", **common, table=table.name, column=table.owner, parents=parents)
            columns.append("product_id")
        self.run("merge", **common, table=table.name, columns=", ".join(columns))
        if table is PRODUCT:
            self.database.execute(
                "CREATE VIEW product_ids AS SELECT id FROM product_final"
                " UNION ALL SELECT id FROM stored_ids"
            )
        elif table in _IDS:
            self.database.execute(
                f"CREATE VIEW {_IDS[table]} AS SELECT id, product_id FROM {names['final']}"  # noqa: S608, our own names
            )

    def cut(self, family: Family, slice_members: int) -> None:
        """Leave `<family>_slices`: ranges of keys that are rendered one at a time."""
        self.run(
            "slices",
            family_slices=f"{family.name}_slices",
            slice_members=slice_members,
            slice_ids=family.slice_ids,
        )


_TABLE_PARTS: Final = ("split", "suspect", "mended", "consumed")
_PARTS: Final = (*_TABLE_PARTS, "fields")


def _names(source: Source) -> dict[str, object]:
    """Return what the stages of one file call the file and its tables."""
    parts = {f"table_{part}": f"{source.table.name}_{part}_{source.ordinal}" for part in _PARTS}
    return {"file": source.ordinal, **parts}


def _names_of_rows(source: Source) -> dict[str, object]:
    patterns = RowPatterns(source.table, source.header)
    return _names(source) | {
        "columns": sql_list(patterns.columns),
        "row_pattern": sql_text(patterns.row()),
    }


def _step_of(source: Source) -> str:
    return f"read {source.ordinal}"


def _require_all_lines(source: Source, counted: tuple[int] | None) -> None:
    """Check that DuckDB read as many lines as the scan counted, the header aside.

    Raises:
        SourceError: it did not.
    """
    wanted, found = source.lines - 1, counted[0] if counted else 0
    if found != wanted:
        source.require_unchanged()
        raise SourceError(f"{source.name}: only {found:,} of {wanted:,} lines could be read")


def _long_escapes(name: str) -> str:
    """Return an SQL expression that escapes every character that JSON wants escaped."""
    short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}
    expression = f"replace(replace({name}, '\\', '\\\\'), '\"', '\\\"')"
    for code in range(32):
        escape = short.get(code, f"\\u{code:04x}")
        expression = f"replace({expression}, chr({code}), '{escape}')"
    return expression
