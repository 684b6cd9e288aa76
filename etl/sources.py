"""The files of a load: opened, their headers read, before any row is.

A file becomes a `Source` with a scratch directory of its own. DuckDB reads the file itself where it
can; a packed file and standard input are read from a copy (see `scan`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from etl.errors import SourceChangedError, SourceDamagedError, SourceError, StoppedError
from etl.headers import Header, read_header
from etl.identity import Identity, Stamp
from etl.inputs import Input, Inputs
from etl.kinds import Note
from etl.packing import Packing, packing_of, unpacking
from etl.parquet import read_parquet_header
from etl.tables import Table


@dataclass(slots=True)
class Source:
    """One file that is there.

    Attributes:
        ordinal: its place among the files of the load, from 1: by table, then by name.
        name: as it was given; messages and the account use it.
        path: the file; of standard input its copy.
        scratch: a directory for what is made of it.
        stamp: what the file system said of it at first; None: standard input.
        fields: of Parquet, the SQL of each field, by column; else empty.
        text_path: the text, unpacked. Rejected bytes are taken from here.
        read_path: what DuckDB reads: a link to the text, or its encoded copy.
        encoded: whether `read_path` is an encoded copy.
        lines: lines of the text, the header included, once it has been scanned.
        identity: known once it has been scanned.
        stopped: set when the load is interrupted, of which a thread hears nothing otherwise.
        notes: counts that concern the file itself.
    """

    ordinal: int
    table: Table
    name: str
    path: Path
    packing: Packing
    header: Header
    scratch: Path
    stamp: Stamp | None
    fields: Mapping[str, str]
    text_path: Path
    read_path: Path
    encoded: bool = False
    lines: int = 0
    identity: Identity | None = None
    stopped: Event = field(default_factory=Event)
    notes: Counter[Note] = field(default_factory=Counter)

    @property
    def set_aside_path(self) -> Path:
        """Lines that are rejected for their bytes (`line<TAB>kind<TAB>reason`)."""
        return self.scratch / "set_aside"

    def require_wanted(self) -> None:
        """Check that somebody still waits for what is being read.

        Raises:
            StoppedError: nobody does.
        """
        if self.stopped.is_set():
            raise StoppedError(f"{self.name}: interrupted")

    def require_unchanged(self) -> None:
        """Check that the file is what it was when the load began.

        Raises:
            SourceChangedError: it is not.
        """
        if self.stamp is None:
            return
        try:
            now = Stamp.of(self.path)
        except FileNotFoundError as error:
            raise SourceChangedError(
                f"{self.name}: vanished while it was being read; nothing was written"
            ) from error
        if now != self.stamp:
            raise changed(self.name, self.stamp.size_bytes, now.size_bytes)


@dataclass(frozen=True, slots=True)
class SourceSet:
    """All files of a load, opened.

    Attributes:
        sources: by ordinal.
        missing: tables without a file.
        not_read: names of files that lie there and belong to no table.
    """

    sources: tuple[Source, ...]
    missing: tuple[Table, ...]
    not_read: tuple[str, ...]

    def of(self, table: Table) -> Sequence[Source]:
        """Return the files of one table, by ordinal."""
        return [source for source in self.sources if source.table is table]

    def stop(self) -> None:
        """End the reading of files, in whatever thread, within a block."""
        for source in self.sources:
            source.stopped.set()

    def require_unchanged(self) -> None:
        """Check that every file is what it was when the load began.

        Raises:
            SourceChangedError: one is not.
        """
        for source in self.sources:
            source.require_unchanged()


def changed(name: str, bytes_before: int, bytes_now: int) -> SourceChangedError:
    """Return what to raise for a file that is not what it was."""
    told = (
        f"{name}: changed"
        if bytes_before == bytes_now
        else f"{name}: went from {bytes_before:,} to {bytes_now:,} bytes"
    )
    return SourceChangedError(f"{told} while it was being read; nothing was written")


def open_sources(inputs: Inputs, scratch: Path, standard_input: Path | None = None) -> SourceSet:
    """Read every header, before any row is read.

    Args:
        inputs: what the load was asked to read.
        scratch: an empty directory of ours for links and copies.
        standard_input: the copy of standard input, if it is among the inputs.

    Raises:
        SourceDamagedError: files are cut off or corrupt.
        SourceError: a file is empty, binary or lacks a column. The message names all such files.
    """
    sources: list[Source] = []
    faults: dict[str, Exception] = {}
    for ordinal, one in enumerate(inputs.inputs, start=1):
        path = one.path or standard_input
        if path is None:
            raise SourceError(f"{one.name}: standard input was not copied")
        own = scratch / f"file-{ordinal}"
        own.mkdir(exist_ok=True)
        try:
            sources.append(_open_source(ordinal, one, path, own))
        except (SourceError, OSError) as error:
            faults[one.name] = error
    if faults:
        are_damaged = all(isinstance(fault, SourceDamagedError) for fault in faults.values())
        told = "\n".join(f"{name}: {fault}" for name, fault in faults.items())
        raise (SourceDamagedError if are_damaged else SourceError)(told)
    return SourceSet(tuple(sources), inputs.missing, inputs.not_read)


def _open_source(ordinal: int, one: Input, path: Path, scratch: Path) -> Source:
    if not path.exists():
        raise SourceError("vanished before it was read; nothing was written")
    if not path.is_file():
        raise SourceError("is not a file")
    packing = packing_of(path)
    # Through a link, because DuckDB takes `*`, `?` and `[` in a path for a pattern, and its suffix
    # for a packing.
    link = scratch / ("rows.parquet" if packing is Packing.PARQUET else "rows.csv")
    text = scratch / "text.csv" if packing in {Packing.GZIP, Packing.ZSTD} else path
    link.unlink(missing_ok=True)
    link.symlink_to(text.resolve())
    fields: Mapping[str, str] = {}
    if packing is Packing.PARQUET:
        header, fields = read_parquet_header(one.table, link)
    else:
        with path.open("rb") as file, unpacking(file, packing) as stream:
            header = read_header(one.table, stream)
    source = Source(
        ordinal, one.table, one.name, path, packing, header, scratch, one.stamp, fields,
        text_path=text, read_path=link,
    )  # fmt: skip
    source.notes.update(header.notes)
    source.set_aside_path.touch()
    return source
