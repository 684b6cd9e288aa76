"""What a load was asked to read: directories, files, patterns and standard input, as tables' files.

The table follows from the stem of a file's name (`reviews.csv`, `reviews-00.csv.gz`), or is said:
`TABLE=PATH`. Nothing is opened here.
"""

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from etl.errors import UsageError
from etl.identity import Stamp
from etl.tables import TABLES, Table

STANDARD_INPUT: Final = "-"

_SUFFIX: Final = re.compile(r"\.(?:csv|parquet)(?:\.(?:gz|gzip|zst|zstd))?$", re.IGNORECASE)
_PART: Final = r"(?:[-_.](?:part[-_.]?)?[0-9][0-9A-Za-z_.-]*)?"
"""What may follow a table's name: `-00`, `_2024-01`, `.part-3`; no word, such as `_old`."""


@dataclass(frozen=True, slots=True)
class Input:
    """One file of one table.

    Attributes:
        name: as it was given (within a directory that is given alone: its name there). Messages
            and the account use it, and it orders the files of a table.
        path: where it lies; None: standard input.
        stamp: what the file system said of it; None: standard input.
    """

    table: Table
    name: str
    path: Path | None
    stamp: Stamp | None


@dataclass(frozen=True, slots=True)
class Inputs:
    """All files of a load, by table in the order of `TABLES`, then by name.

    Attributes:
        missing: tables without a file.
        not_read: names of files that lie there and belong to no table.
    """

    inputs: tuple[Input, ...]
    missing: tuple[Table, ...]
    not_read: tuple[str, ...]

    @property
    def has_standard_input(self) -> bool:
        """Whether one of the files is standard input."""
        return any(one.path is None for one in self.inputs)


def find_inputs(arguments: Sequence[str]) -> Inputs:
    """Find the files that the arguments of the command name.

    Raises:
        UsageError: an argument names nothing, or no table follows from it, or a file is named in
            two ways that contradict each other.
        OSError: a file cannot be looked at.
    """
    finder = _Finder(is_alone=len(arguments) == 1)
    for argument in arguments:
        finder.take(argument)
    if not finder.inputs:
        raise UsageError(f"{' '.join(arguments)}: holds none of {_names()}")
    finder.refuse_contradictions()
    inputs = sorted(finder.inputs, key=lambda one: (TABLES.index(one.table), one.name))
    given = {one.table for one in inputs}
    missing = tuple(table for table in TABLES if table not in given)
    return Inputs(tuple(inputs), missing, tuple(finder.not_read))


def _stem(file: str) -> str:
    return _SUFFIX.sub("", file)


_TABLE_OF: Final[dict[str, Table]] = {
    _stem(file): table for table in TABLES for file in (table.file, table.older_file) if file
}


def _names() -> str:
    return ", ".join(table.file for table in TABLES)


def known_stem(file: str) -> str | None:
    """Return the legacy stem that a file's name begins with, or None: it is no legacy file."""
    if not _SUFFIX.search(file):
        return None
    stem = _stem(file)
    known = (name for name in _TABLE_OF if re.fullmatch(re.escape(name) + _PART, stem))
    return next(known, None)


@dataclass(slots=True)
class _Finder:
    is_alone: bool
    inputs: list[Input] = field(default_factory=list)
    not_read: list[str] = field(default_factory=list)

    def take(self, argument: str) -> None:
        table, path = _split(argument)
        if path == STANDARD_INPUT:
            self._take_standard_input(table)
        elif os.path.lexists(path):
            self._take_path(table, path, is_named=True)
        else:
            found = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - of any path
            if not found:
                raise UsageError(f"{argument}: no such file or directory")
            for one in found:
                self._take_path(table, one, is_named=False)

    def _take_standard_input(self, table: Table | None) -> None:
        if table is None:
            raise UsageError(f"{STANDARD_INPUT}: say of which table: {TABLES[0].name}=-")
        if any(one.path is None for one in self.inputs):
            raise UsageError("standard input can be read once only")
        self.inputs.append(Input(table, STANDARD_INPUT, None, None))

    def _take_path(self, table: Table | None, path: str, *, is_named: bool) -> None:
        if not Path(path).is_dir():
            self._take_file(table, path, Path(path), is_named=is_named)
            return
        if table is not None:
            raise UsageError(f"{path}: is a directory; say {table.name}={Path(path, '*.csv')}")
        before = len(self.inputs)
        for within in sorted(Path(path).iterdir()):
            if _SUFFIX.search(within.name):
                name = within.name if self.is_alone and is_named else str(within)
                self._take_file(None, name, within, is_named=False)
        if is_named and len(self.inputs) == before:
            raise UsageError(f"{path}: holds none of {_names()}")

    def _take_file(self, table: Table | None, name: str, path: Path, *, is_named: bool) -> None:
        if table is None:
            stem = known_stem(path.name)
            table = _TABLE_OF.get(stem or "")
            if table is None:
                if is_named and stem is None:
                    raise UsageError(f"{name}: no table has this name; say TABLE={name}")
                self.not_read.append(name)
                return
        self.inputs.append(Input(table, name, path, Stamp.of(path)))

    def refuse_contradictions(self) -> None:
        """Drop what is named twice; refuse one file for two tables, and two packings of one file.

        `gzip -k` leaves both `product.csv` and `product.csv.gz`: rows of the one that is out of
        date would win or lose by the order of the names.
        """
        by_file: dict[Path, Input] = {}
        by_stem: dict[tuple[Table, Path], Input] = {}
        for one in self.inputs:
            if one.path is None:
                continue
            same = by_file.setdefault(one.path.resolve(), one)
            if same.table is not one.table:
                raise UsageError(f"{one.name}: given for {same.table.name} and {one.table.name}")
            if same is not one:
                continue
            stem = one.path.with_name(_stem(one.path.name))
            other = by_stem.setdefault((one.table, stem), one)
            if other is not one:
                raise UsageError(f"{other.name} and {one.name}: one file twice? Name one of them")
        standard_input = [one for one in self.inputs if one.path is None]
        self.inputs = [*by_file.values(), *standard_input]


def _split(argument: str) -> tuple[Table | None, str]:
    """Return the table that is said, if one is, and the path."""
    if os.path.lexists(argument):
        return None, argument
    name, equals, path = argument.partition("=")
    if not equals:
        return None, argument
    if name in _TABLE_OF:
        return _TABLE_OF[name], path
    return None, argument
