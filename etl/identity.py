"""Which file it was that a load read, and whether it is still the same."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

_BLOCK_BYTES: Final = 2**20


class ByteStream(Protocol):
    """What is read here: a file, standard input's copy, or what a packed file unpacks to."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end."""
        ...

    def seekable(self) -> bool:
        """Whether `seek` works; nobody here needs it."""
        ...

    def seek(self, offset: int, /) -> object:
        """Go to a place in the stream."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """A file as it was read, whole.

    Attributes:
        size_bytes: of the file as it lies there: packed, if it is packed.
        modified_ns: when it was modified, in nanoseconds since 1970; None: standard input.
        digest: SHA-256 of all these bytes in hex, as `sha256sum` prints it.
    """

    size_bytes: int
    modified_ns: int | None
    digest: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the file system says of a file.

    Every write to the file, and every other file in its place, has another stamp. So has a new link
    or mode, which stops a load in vain and does no harm.
    """

    device: int
    inode: int
    size_bytes: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """Return the stamp of a file, links followed.

        Raises:
            OSError: there is no such file.
        """
        found = path.stat()
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


class HashedReader:
    """A stream whose bytes are counted and hashed as they are read."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._hash = sha256()
        self.bytes_read = 0

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes; none at the end."""
        block = self._stream.read(size)
        self._hash.update(block)
        self.bytes_read += len(block)
        return block

    def seekable(self) -> bool:
        """A hash is of bytes in their order: no."""
        return False

    def seek(self, offset: int, /) -> object:
        """Refuse: see `seekable`.

        Raises:
            OSError: always.
        """
        raise OSError(f"a hashed stream cannot go to byte {offset}")

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()

    def identity(self, stamp: Stamp | None) -> Identity:
        """Return the identity of what was read, once all of it was."""
        modified_ns = None if stamp is None else stamp.modified_ns
        return Identity(self.bytes_read, modified_ns, self._hash.hexdigest())


def identify(path: Path, stamp: Stamp | None) -> Identity:
    """Read a file and return its identity.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        hashed = HashedReader(file)
        while hashed.read(_BLOCK_BYTES):
            pass
    return hashed.identity(stamp)
