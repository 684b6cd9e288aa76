"""The files of a directory: what is there, what their headers say, and bytes that no parser likes.

Nothing here looks at a single row. A file is read in chunks of whole lines; a chunk that is valid
UTF-8 without NUL, CR, blank or overlong lines costs a few scans at memory speed, and DuckDB then
reads the file itself. Any other file is copied once in an encoding of one line a line (see
`encode_lines`), so that line numbers stay those of the file and no line can break the reading.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from etl.errors import SourceError, UsageError
from etl.headers import Header, read_header
from etl.kinds import Note, Reject
from etl.tables import TABLES, Table

CHUNK_BYTES: Final = 16 * 2**20
LINE_CHUNKS_LIMIT: Final = 4
"""Chunks without a line end after which a file is taken for binary."""
LINE_BYTES_LIMIT: Final = 2**20
"""A longer line is rejected: no legacy row comes near, and the parser's buffers grow with it."""

_PIECE_BYTES: Final = 16 * 2**10
"""A piece of a chunk with faulty lines that is looked at line by line."""
_ESCAPE: Final = b"\x1e"
_SET_ASIDE: Final = _ESCAPE + b"X"
_FAULTS: Final = {
    "nul": (Reject.MALFORMED_ROW, "the line holds a NUL byte"),
    "utf8": (Reject.INVALID_UTF8, "the line is not valid UTF-8"),
    "long": (Reject.MALFORMED_ROW, f"the line is longer than {LINE_BYTES_LIMIT} bytes"),
}


@dataclass(slots=True)
class Source:
    """One file that is there.

    Attributes:
        read_path: what DuckDB reads: a link to the file, or its encoded copy.
        encoded: whether `read_path` is an encoded copy.
        set_aside_path: lines that are rejected for their bytes (`line<TAB>kind<TAB>reason`).
        notes: counts that concern the file itself.
    """

    table: Table
    path: Path
    header: Header
    read_path: Path
    set_aside_path: Path
    encoded: bool = False
    file_bytes: int = 0
    notes: Counter[Note] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Directory:
    """What a directory holds for this load."""

    path: Path
    sources: tuple[Source, ...]
    missing: tuple[Table, ...]


def open_directory(path: Path, scratch: Path) -> Directory:
    """Find the files and read every header, before any row is read.

    Args:
        path: the directory with the legacy files.
        scratch: an empty directory of ours for links and copies.

    Raises:
        UsageError: the directory does not exist or holds none of the files.
        SourceError: a file is empty, binary or lacks a column; the message names all such files.
    """
    if not path.is_dir():
        raise UsageError(f"{path}: no such directory")
    sources: list[Source] = []
    missing: list[Table] = []
    faults: list[str] = []
    for table in TABLES:
        file = path / table.file
        if table.older_file and not file.exists():
            file = path / table.older_file
        if not file.exists():
            missing.append(table)
            continue
        try:
            sources.append(_open_source(table, file, scratch))
        except (SourceError, OSError) as error:
            faults.append(f"{file}: {error}")
    if faults:
        raise SourceError("\n".join(faults))
    if not sources:
        names = ", ".join(table.file for table in TABLES)
        raise UsageError(f"{path}: holds none of {names}")
    return Directory(path, tuple(sources), tuple(missing))


def _open_source(table: Table, file: Path, scratch: Path) -> Source:
    header = read_header(table, file)
    # Through a link, because DuckDB takes `*`, `?` and `[` in a path for a pattern.
    link = scratch / table.file
    link.symlink_to(file.resolve())
    set_aside = scratch / f"{table.name}.set_aside"
    set_aside.touch()
    source = Source(table, file, header, link, set_aside, file_bytes=file.stat().st_size)
    source.notes.update(header.notes)
    return source


def iterate_chunks(file: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (number of the first line, whole lines); only the last chunk may lack its newline.

    Raises:
        SourceError: a line has no end in sight, so this is no text file.
    """
    line = 1
    with file.open("rb") as stream:
        rest = b""
        while block := stream.read(CHUNK_BYTES):
            cut = block.rfind(b"\n") + 1
            if not cut:
                rest += block
                if len(rest) > LINE_CHUNKS_LIMIT * CHUNK_BYTES:
                    raise SourceError(f"{file}: line {line} does not end; this is no CSV file")
                continue
            chunk = rest + block[:cut]
            rest = block[cut:]
            yield line, chunk
            line += chunk.count(b"\n")
        if rest:
            yield line, rest


def inspect(source: Source) -> None:
    """Scan the file's bytes, count what concerns the file, and encode a copy if it needs one.

    Raises:
        SourceError: the file cannot be read through.
    """
    needs_copy = False
    last = b"\n"
    for _line, chunk in iterate_chunks(source.path):
        last = chunk[-1:]
        if b"\r" in chunk:
            source.notes[Note.CARRIAGE_RETURN] += chunk.count(b"\r\n")
            needs_copy = True
        needs_copy = needs_copy or chunk.startswith(b"\n") or b"\n\n" in chunk or _has_faults(chunk)
    if last != b"\n":
        source.notes[Note.NO_FINAL_NEWLINE] = 1
    if needs_copy:
        _encode_copy(source)


def _has_faults(chunk: bytes) -> bool:
    """Whether any line of the chunk may have to be set aside."""
    if b"\0" in chunk or not _is_utf8(chunk):
        return True
    window_bytes = LINE_BYTES_LIMIT // 2
    return any(
        chunk.find(b"\n", start, start + window_bytes) < 0
        for start in range(0, len(chunk) - window_bytes, window_bytes)
    )


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _encode_copy(source: Source) -> None:
    """Write the encoded copy and the list of lines set aside."""
    copy = source.read_path.with_suffix(".encoded.csv")
    with copy.open("wb") as out, source.set_aside_path.open("w", encoding="utf-8") as aside:
        for first_line, chunk in iterate_chunks(source.path):
            for piece, faults in _encode_pieces(first_line, chunk):
                out.write(piece)
                for line, fault in faults:
                    kind, reason = _FAULTS[fault]
                    aside.write(f"{line}\t{kind}\t{reason}\n")
    source.read_path = copy
    source.encoded = True


def _encode_pieces(first_line: int, chunk: bytes) -> Iterator[tuple[bytes, list[tuple[int, str]]]]:
    """Yield encoded pieces with their faulty lines; halves a chunk until the faults are alone."""
    if not _has_faults(chunk):
        yield encode_lines(chunk), []
        return
    cut = chunk.find(b"\n", len(chunk) // 2) + 1
    if len(chunk) > _PIECE_BYTES and 0 < cut < len(chunk):
        yield from _encode_pieces(first_line, chunk[:cut])
        yield from _encode_pieces(first_line + chunk.count(b"\n", 0, cut), chunk[cut:])
        return
    lines = chunk.split(b"\n")
    faults: list[tuple[int, str]] = []
    for index, text in enumerate(lines):
        fault = _fault_of(text)
        if fault is not None:
            faults.append((first_line + index, fault))
            lines[index] = _SET_ASIDE
    yield _encode_marked(lines), faults


def _fault_of(line: bytes) -> str | None:
    if b"\0" in line:
        return "nul"
    if len(line) > LINE_BYTES_LIMIT:
        return "long"
    return None if _is_utf8(line) else "utf8"


def _encode_marked(lines: list[bytes]) -> bytes:
    """Encode lines of which some are the set-aside mark already; the last one ends the chunk."""
    encoded = [line if line is _SET_ASIDE else encode_lines(line) for line in lines]
    filled = [line or _ESCAPE + b"B" for line in encoded[:-1]]
    return b"\n".join([*filled, encoded[-1]])


def encode_lines(chunk: bytes) -> bytes:
    r"""Encode whole lines so that a reader that splits at LF alone, and skips blanks, keeps them.

    The record separator becomes `RS E`, a carriage return `RS R`, a blank line `RS B`; `RS X` marks
    a line that was set aside. `macros.sql` has the way back.
    """
    encoded = chunk.replace(_ESCAPE, _ESCAPE + b"E").replace(b"\r", _ESCAPE + b"R")
    if encoded.startswith(b"\n"):
        encoded = _ESCAPE + b"B" + encoded
    # Twice, because in a run of newlines each match consumes the beginning of the next.
    blank = b"\n" + _ESCAPE + b"B\n"
    return encoded.replace(b"\n\n", blank).replace(b"\n\n", blank)
