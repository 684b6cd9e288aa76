"""Every file read and cleaned, in SQL: rows with their raw fields, then typed rows by table."""

from collections.abc import Sequence
from typing import Final

import duckdb

from etl.errors import SourceDamagedError, SourceError
from etl.identity import Identity
from etl.packing import Packing
from etl.parquet import read_parquet, select_fields, unreadable
from etl.patterns import FIELD, OPEN_FIELD, RowPatterns
from etl.readers import declared_columns, fault_of, flags_of, values_of
from etl.sources import Source
from etl.stages import Stages, sql_list, sql_text
from etl.tables import Table

JOIN_LINES: Final = 1000
"""A quoted text of more lines than this is not put together again."""

_TABLES: Final = ("split", "suspect", "mended", "consumed")
_VIEWS: Final = ("fields", "odd")


def extract(stages: Stages, source: Source) -> None:
    """Read one file into `<table>_fields_<ordinal>`: rows with their raw fields.

    Raises:
        SourceError: the rows of a Parquet file, or all lines of a text, cannot be read.
    """
    is_text = source.packing is not Packing.PARQUET
    if is_text:
        # Not a part of the step: rows get the ids that lines are counted by when they are
        # committed. Done again it replaces what a killed run left.
        _split(stages, source)
    with stages.checkpoints.step(_step_of(source)):
        _enter(stages, source)
        if is_text:
            _extract_lines(stages, source)
        else:
            _extract_parquet(stages, source)


def is_extracted(stages: Stages, source: Source) -> bool:
    """Whether an earlier run has read a file, which the source then knows itself to be."""
    if not stages.checkpoints.is_done(_step_of(source)):
        return False
    rows = stages.database.execute(
        "SELECT size_bytes, modified_ns, digest FROM files WHERE ordinal = ?", [source.ordinal]
    ).fetchall()
    source.identity = Identity(*rows[0])
    return True


def _enter(stages: Stages, source: Source) -> None:
    """Note which file it is whose rows are read, and what concerns it as a whole."""
    identity = source.identity
    if identity is None:
        raise ValueError(f"{source.name}: not scanned yet")
    stages.database.execute(
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
        stages.database.execute(
            "INSERT INTO counts VALUES (?, 'noted', ?, ?)", [source.ordinal, note.value, rows]
        )


def _extract_parquet(stages: Stages, source: Source) -> None:
    try:
        stages.run(
            "parquet",
            **_names(source),
            rows=read_parquet(source.read_path),
            fields=select_fields(source.fields),
        )
    except (duckdb.InvalidInputException, duckdb.SerializationException) as error:
        raise SourceDamagedError(f"{source.name}: {unreadable(error)}") from error


def _split(stages: Stages, source: Source) -> None:
    lines = stages.run(
        "split",
        **_names_of_rows(source),
        path=sql_text(str(source.read_path)),
        fields=RowPatterns(source.table, source.header).fields(),
        line="decoded_line(line)" if source.encoded else "line",
        returns="ends_in_return(line)" if source.encoded else "false",
    )
    _require_all_lines(source, lines.fetchone())


def _extract_lines(stages: Stages, source: Source) -> None:
    patterns = RowPatterns(source.table, source.header)
    names = _names_of_rows(source)
    _mend(stages, source.table, patterns, names)
    stages.run(
        "fields",
        **names,
        set_aside_path=sql_text(str(source.set_aside_path)),
        prefix_pattern=sql_text(patterns.prefix()),
        field_pattern=sql_text(f"(?:{FIELD})"),
        open_field_pattern=sql_text(OPEN_FIELD),
        header_names=sql_list(source.header.names),
    )


def _mend(stages: Stages, table: Table, patterns: RowPatterns, names: dict[str, object]) -> None:
    if table.one_line_rows:
        stages.run(
            "mend_photos",
            **names,
            unclosed_pattern=sql_text(patterns.unclosed()),
            parted_rows_pattern=sql_text(patterns.two_rows(parted=True)),
            touching_rows_pattern=sql_text(patterns.two_rows(parted=False)),
        )
    else:
        stages.run(
            "mend_lines",
            **names,
            open_pattern=sql_text(patterns.open_row()),
            join_lines=JOIN_LINES,
        )
    if table.prices:
        stages.run(
            "mend_prices",
            **names,
            eager_pattern=sql_text(patterns.priced(eager=True)),
            lazy_pattern=sql_text(patterns.priced(eager=False)),
            all_columns=sql_list(patterns.all_columns),
            quoted_columns=patterns.quoted_columns("eager"),
            is_readable=patterns.is_readable("eager"),
        )


def clean(stages: Stages, table: Table, sources: Sequence[Source]) -> None:
    """Read the fields of all files of one table and refuse rows that cannot be read."""
    clean = f"{table.name}_clean"
    stand_in(stages, table)
    for source in sources:
        names = _names(source)
        for part in _VIEWS:
            stages.run(
                "clean",
                table_clean=clean,
                table_fields=names[f"table_{part}"],
                values=values_of(table),
                flags=flags_of(table),
                fault=fault_of(table),
            )
            stages.database.execute(f"DROP VIEW {names[f'table_{part}']}")
        for part in _TABLES:
            stages.database.execute(f"DROP TABLE IF EXISTS {names[f'table_{part}']}")
    stages.run("refuse", table_clean=clean)


def stand_in(stages: Stages, table: Table) -> None:
    """Leave an empty `<table>_clean` for a file that is absent."""
    stages.database.execute(
        f"CREATE TABLE IF NOT EXISTS {table.name}_clean"
        f" (pos BIGINT, lines INTEGER, {declared_columns(table)}, flags INTEGER,"
        " fault VARCHAR[])"
    )


def _names(source: Source) -> dict[str, object]:
    """Return what the stages of one file call the file and its tables."""
    parts = {
        f"table_{part}": f"{source.table.name}_{part}_{source.ordinal}"
        for part in (*_TABLES, *_VIEWS)
    }
    return {"file": source.ordinal, **parts}


def _names_of_rows(source: Source) -> dict[str, object]:
    patterns = RowPatterns(source.table, source.header)
    return _names(source) | {
        "columns": sql_list(patterns.columns),
        "row_pattern": sql_text(patterns.row()),
        "column_list": ", ".join(patterns.columns),
        "header_fields": len(source.header.names),
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
