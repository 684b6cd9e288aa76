"""The first reading of a file: all its bytes, once, and not a single row.

A text that is valid UTF-8 without NUL, CR, blank or overlong lines costs a few looks at memory
speed and a hash, and DuckDB then reads the file itself. A packed file is unpacked on the way; any
file that DuckDB would not read line by line is copied in an encoding of one line a line (see
`lines.encode_lines`), so that line numbers stay those of the file and no line breaks the reading.
"""

import re
from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from etl.errors import SourceError
from etl.identity import ByteStream, HashedReader
from etl.kinds import Note
from etl.lines import (
    CHUNK_BYTES,
    FAULTS,
    LINE_BYTES_LIMIT,
    LINE_CHUNKS_LIMIT,
    encode_pieces,
    iterate_chunks,
)
from etl.packing import Packing, unpacking
from etl.sources import Source, changed

_BLOCK_BYTES: Final = 2**20
"""Small enough to stay in the processor's cache from one look to the next."""
_BLANK_LINE: Final = re.compile(rb"\n\n")
"""Three times as fast as `in`: its search begins with memchr."""


def scan(source: Source) -> None:
    """Read a file through: its identity, its damage, what concerns it as a whole.

    Raises:
        SourceDamagedError: it is cut off or corrupt.
        SourceChangedError: it is not what it was when its header was read.
        SourceError: it cannot be read through.
        StoppedError: the load was interrupted.
        OSError: a copy cannot be written.
    """
    source.require_unchanged()
    with source.path.open("rb") as file, _named(source):
        hashed = HashedReader(file)
        needs_encoding = _read_through(source, hashed)
    source.identity = hashed.identity(source.stamp)
    source.require_unchanged()
    if source.stamp is not None and hashed.bytes_read != source.stamp.size_bytes:
        raise changed(source.name, source.stamp.size_bytes, hashed.bytes_read)
    if needs_encoding:
        _encode_copy(source)


def _read_through(source: Source, hashed: HashedReader) -> bool:
    """Read all bytes; return whether DuckDB needs an encoded copy of the text."""
    if source.packing is Packing.PARQUET:
        while hashed.read(_BLOCK_BYTES):
            source.require_wanted()
        return False
    if source.packing is Packing.NONE:
        return _look(source, hashed, None)
    with source.text_path.open("wb") as out, unpacking(hashed, source.packing) as stream:
        return _look(source, stream, out)


def _look(source: Source, stream: ByteStream, out: BinaryIO | None) -> bool:
    text = _Text()
    while block := stream.read(_BLOCK_BYTES):
        source.require_wanted()
        if out is not None:
            out.write(block)
        text.take(block)
    text.end()
    source.lines = text.lines
    if text.returns:
        source.notes[Note.CARRIAGE_RETURN] = text.returns
    if text.open_bytes:
        source.notes[Note.NO_FINAL_NEWLINE] = 1
    return text.needs_encoding


@dataclass(slots=True)
class _Text:
    """What is known of a text so far, of which blocks come as the reading cuts them.

    Attributes:
        lines: lines begun.
        open_bytes: how many bytes the last line has; 0: it has ended.
        returns: lines that end in CR LF.
        needs_encoding: whether DuckDB would not read every line as it stands.
    """

    lines: int = 0
    open_bytes: int = 0
    returns: int = 0
    needs_encoding: bool = False
    _last: bytes = b""
    _decoder: IncrementalDecoder = field(default_factory=getincrementaldecoder("utf-8"))

    def take(self, block: bytes) -> None:
        """Look at the next block.

        Raises:
            SourceError: a line has no end in sight, so this is no text file.
        """
        if b"\r" in block or self._last == b"\r":
            self.needs_encoding = True
            self.returns += (self._last + block).count(b"\r\n")
        self.lines += block.count(b"\n") + (not self.open_bytes)
        first, last = block.find(b"\n"), block.rfind(b"\n")
        begun_bytes = self.open_bytes + (len(block) if first < 0 else first)
        if begun_bytes > LINE_CHUNKS_LIMIT * CHUNK_BYTES:
            raise SourceError(f"line {self.lines} does not end; this is no CSV file")
        self.open_bytes = begun_bytes if first < 0 else len(block) - last - 1
        if last == len(block) - 1:
            self.lines -= 1
        self.needs_encoding = (
            self.needs_encoding
            or begun_bytes > LINE_BYTES_LIMIT
            or (self._last == b"\n" and first == 0)
            or _BLANK_LINE.search(block) is not None
            or b"\0" in block
            or not self._is_utf8(block)
        )
        self._last = block[-1:]

    def end(self) -> None:
        """Say that no more comes."""
        self.needs_encoding = self.needs_encoding or not self._is_utf8(b"", is_last=True)

    def _is_utf8(self, block: bytes, *, is_last: bool = False) -> bool:
        pending = self._decoder.getstate()[0]
        if not pending and block.isascii():
            return True
        try:
            self._decoder.decode(block, is_last)
        except UnicodeDecodeError:
            return False
        return True


def _encode_copy(source: Source) -> None:
    """Write the encoded copy and the list of lines set aside."""
    copy = source.scratch / "encoded.csv"
    with (
        source.text_path.open("rb") as text,
        copy.open("wb") as out,
        source.set_aside_path.open("w", encoding="utf-8") as aside,
        _named(source),
    ):
        for first_line, chunk in iterate_chunks(text):
            source.require_wanted()
            for piece, faults in encode_pieces(first_line, chunk):
                out.write(piece)
                for line, fault in faults:
                    kind, reason = FAULTS[fault]
                    aside.write(f"{line}\t{kind}\t{reason}\n")
    source.read_path = copy
    source.encoded = True


@contextmanager
def _named(source: Source) -> Iterator[None]:
    """Name the file in what is wrong with it."""
    try:
        yield
    except SourceError as error:
        raise type(error)(f"{source.name}: {error}") from error
