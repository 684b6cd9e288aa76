"""The account of a load: what became of every row, by file and kind."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import duckdb

from etl.errors import AccountError
from etl.sources import SourceSet
from etl.tables import TABLES


class Outcome(StrEnum):
    """How far a load came; rows count as loaded when they passed, and are stored once WRITTEN."""

    WRITTEN = "written"
    DRY_RUN = "dry_run"
    TOO_MANY_REJECTS = "too_many_rejects"
    UNFINISHED = "unfinished"
    """Interrupted or failed while writing; running it again finishes it."""
    FAILED = "failed"
    """Stopped before anything was written."""


_SENTENCES: Final = {
    Outcome.WRITTEN: "{rows:,} rows written",
    Outcome.DRY_RUN: "dry run: nothing was written",
    Outcome.TOO_MANY_REJECTS: "too many rejects: nothing was written",
    Outcome.UNFINISHED: "NOT finished: what passed is not all stored; run the load again",
    Outcome.FAILED: "stopped before anything was written",
}


@dataclass(slots=True)
class FileAccount:
    """What became of the rows of one file. `rows_in` is always `loaded` plus all `rejected`."""

    table: str
    missing: bool = False
    rows_in: int = 0
    loaded: int = 0
    repaired_rows: int = 0
    repaired: dict[str, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)

    @property
    def rejected_rows(self) -> int:
        """Rows refused, of all kinds."""
        return sum(self.rejected.values())

    def as_json(self) -> dict[str, object]:
        """Return what the report says of this file."""
        return {
            "table": self.table,
            "missing": self.missing,
            "rows_in": self.rows_in,
            "loaded": self.loaded,
            "repaired_rows": self.repaired_rows,
            "rejected_rows": self.rejected_rows,
            "repaired": self.repaired,
            "notes": self.notes,
            "rejected": self.rejected,
        }


@dataclass(slots=True)
class Account:
    """The account of a whole load.

    Attributes:
        files: by name, in the order in which they count: by table, then by name; a table without a
            file has an entry of its usual name.
    """

    as_of_microseconds: int
    files: dict[str, FileAccount]
    not_read: tuple[str, ...]
    rows_written: int = 0
    outcome: Outcome = Outcome.UNFINISHED

    @property
    def rows_in(self) -> int:
        """Rows of all files."""
        return sum(one.rows_in for one in self.files.values())

    @property
    def rejected_rows(self) -> int:
        """Rows refused in all files."""
        return sum(one.rejected_rows for one in self.files.values())

    def as_json(self) -> dict[str, object]:
        """Return the account's part of the report."""
        return {
            "as_of_microseconds": self.as_of_microseconds,
            "outcome": self.outcome.value,
            "rows_written": self.rows_written,
            "not_read": list(self.not_read),
            "files": {name: one.as_json() for name, one in self.files.items()},
        }


def read_account(
    database: duckdb.DuckDBPyConnection, found: SourceSet, as_of_microseconds: int
) -> Account:
    """Gather the counts that the stages left behind.

    Raises:
        AccountError: in some file rows in differ from rows loaded and rejected.
    """
    files = _empty_accounts(found)
    counts = database.execute(
        "SELECT name, section, kind, CAST(sum(rows) AS BIGINT)"
        " FROM counts JOIN files ON ordinal = file"
        " GROUP BY ALL HAVING sum(rows) > 0 ORDER BY ALL"
    ).fetchall()
    for name, section, kind, rows in counts:
        one = files[name]
        if section == "noted":
            one.notes[kind] = rows
        elif section == "repaired":
            one.repaired[kind] = rows
        else:
            setattr(one, section, rows)
    for (name, kind), rows in read_rejected(database).items():
        files[name].rejected[kind] = rows
    for name, one in files.items():
        if one.rows_in != one.loaded + one.rejected_rows:
            raise AccountError(
                f"{name}: {one.rows_in} rows in, but {one.loaded} loaded"
                f" and {one.rejected_rows} rejected"
            )
    return Account(as_of_microseconds, files, found.not_read)


def _empty_accounts(found: SourceSet) -> dict[str, FileAccount]:
    files: dict[str, FileAccount] = {}
    for table in TABLES:
        for source in found.of(table):
            files[source.name] = FileAccount(table.name)
        if table in found.missing and table.file not in files:
            files[table.file] = FileAccount(table.name, missing=True)
    return files


def read_rejected(database: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    """Return how many rows were rejected so far, by (name of the file, kind)."""
    rows = database.execute(
        "SELECT name, kind, count(*) FROM rejects JOIN files ON ordinal = file"
        " GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return {(file, kind): count for file, kind, count in rows}


def read_rows_in(database: duckdb.DuckDBPyConnection, ordinal: int) -> int:
    """Return how many rows were found in a file that has been split into rows."""
    row = database.execute(
        "SELECT CAST(sum(rows) AS BIGINT) FROM counts WHERE file = ? AND section = 'rows_in'",
        [ordinal],
    ).fetchone()
    return int(row[0] or 0) if row else 0


def render_account(account: Account) -> str:
    """Return the account as a person reads it."""
    width = max(14, *(len(name) + 1 for name in account.files))
    lines = [f"{'file':<{width}}{'rows in':>13}{'loaded':>13}{'repaired':>11}{'rejected':>11}"]
    for name, one in account.files.items():
        if one.missing:
            lines.append(f"{name:<{width}}  absent: what it would bring is kept from the tables")
            continue
        lines.append(
            f"{name:<{width}}{one.rows_in:>13,}{one.loaded:>13,}"
            f"{one.repaired_rows:>11,}{one.rejected_rows:>11,}"
        )
        for word, kinds in (
            ("repaired", one.repaired),
            ("rejected", one.rejected),
            ("noted", one.notes),
        ):
            if kinds:
                listed = ", ".join(f"{kind} {rows:,}" for kind, rows in kinds.items())
                lines.append(f"    {word}: {listed}")
    if account.not_read:
        lines.append(f"not read: {', '.join(account.not_read)}")
    lines.append(_SENTENCES[account.outcome].format(rows=account.rows_written))
    return "\n".join(lines)
