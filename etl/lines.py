"""The lines of a legacy file as bytes: chunks of whole lines, and lines that no parser likes."""

from collections.abc import Iterator
from typing import Final

from etl.errors import SourceError
from etl.identity import ByteStream
from etl.kinds import Reject

CHUNK_BYTES: Final = 16 * 2**20
LINE_CHUNKS_LIMIT: Final = 4
"""Chunks without a line end after which a file is taken for binary."""
LINE_BYTES_LIMIT: Final = 2**20
"""A longer line is rejected: no legacy row comes near, and the parser's buffers grow with it."""

_PIECE_BYTES: Final = 16 * 2**10
"""A piece of a chunk with faulty lines that is looked at line by line."""
_ESCAPE: Final = b"\x1e"
_SET_ASIDE: Final = _ESCAPE + b"X"
FAULTS: Final = {
    "nul": (Reject.MALFORMED_ROW, "the line holds a NUL byte"),
    "utf8": (Reject.INVALID_UTF8, "the line is not valid UTF-8"),
    "long": (Reject.MALFORMED_ROW, f"the line is longer than {LINE_BYTES_LIMIT} bytes"),
}


def iterate_chunks(stream: ByteStream) -> Iterator[tuple[int, bytes]]:
    """Yield (number of the first line, whole lines); only the last chunk may lack its newline.

    Raises:
        SourceError: a line has no end in sight, so this is no text file.
    """
    line = 1
    rest = b""
    while block := stream.read(CHUNK_BYTES):
        cut = block.rfind(b"\n") + 1
        if not cut:
            rest += block
            if len(rest) > LINE_CHUNKS_LIMIT * CHUNK_BYTES:
                raise SourceError(f"line {line} does not end; this is no CSV file")
            continue
        chunk = rest + block[:cut]
        rest = block[cut:]
        yield line, chunk
        line += chunk.count(b"\n")
    if rest:
        yield line, rest


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


def encode_pieces(first_line: int, chunk: bytes) -> Iterator[tuple[bytes, list[tuple[int, str]]]]:
    """Yield encoded pieces with their faulty lines; halves a chunk until the faults are alone.

    A fault is (number of the line, key of `FAULTS`).
    """
    if not _has_faults(chunk):
        yield encode_lines(chunk), []
        return
    cut = chunk.find(b"\n", len(chunk) // 2) + 1
    if len(chunk) > _PIECE_BYTES and 0 < cut < len(chunk):
        yield from encode_pieces(first_line, chunk[:cut])
        yield from encode_pieces(first_line + chunk.count(b"\n", 0, cut), chunk[cut:])
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
    if not _is_utf8(line):
        return "utf8"
    if b"\0" in line:
        return "nul"
    return "long" if len(line) > LINE_BYTES_LIMIT else None


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
