"""How a file is packed, told by its first bytes: a suffix may lie."""

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum, auto
from pathlib import Path
from typing import Final

from etl.errors import SourceDamagedError, SourceError
from etl.identity import ByteStream

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class Packing(Enum):
    """What the bytes of a file are."""

    NONE = auto()
    """Text, or at least nothing that is known."""
    GZIP = auto()
    ZSTD = auto()
    PARQUET = auto()


_MAGIC: Final = {
    b"\x1f\x8b": Packing.GZIP,
    b"\x28\xb5\x2f\xfd": Packing.ZSTD,
    b"PAR1": Packing.PARQUET,
}
_FOREIGN: Final = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"PK\x03\x04": "zip", b"7z\xbc\xaf": "7z"}
_MAGIC_BYTES: Final = 6


def packing_of(path: Path) -> Packing:
    """Look at the first bytes of a file.

    Raises:
        SourceError: it is packed in a way that is not read.
        OSError: the file cannot be read.
    """
    with path.open("rb") as stream:
        start = stream.read(_MAGIC_BYTES)
    for magic, name in _FOREIGN.items():
        if start.startswith(magic):
            raise SourceError(f"is packed with {name}; gzip, zstd and Parquet are read")
    found = (packing for magic, packing in _MAGIC.items() if start.startswith(magic))
    return next(found, Packing.NONE)


@contextmanager
def unpacking(stream: ByteStream, packing: Packing) -> Iterator[ByteStream]:
    """Yield the text of a stream: unpacked from gzip or zstd, or the stream itself.

    Several packed parts one after the other are one text, as for `zcat`. Checksums are checked.

    Raises:
        SourceDamagedError: while the block reads: the stream is cut off, or corrupt.
    """
    try:
        if packing is Packing.GZIP:
            yield gzip.GzipFile(fileobj=stream, mode="rb")
        elif packing is Packing.ZSTD:
            yield zstd.ZstdFile(stream, "rb")
        else:
            yield stream
    except EOFError as error:
        raise SourceDamagedError(f"is cut off: its {packing.name.lower()} has no end") from error
    except (gzip.BadGzipFile, zlib.error, zstd.ZstdError) as error:
        raise SourceDamagedError(f"is damaged: its {packing.name.lower()}: {error}") from error
