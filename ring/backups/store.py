"""A place that keeps backups: named files that appear whole, in a folder or an S3 bucket."""

import shutil
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from ring.backups.errors import StoreError

CHUNK_BYTES: Final = 4 * 1024**2
"""What is read at a time: large enough that a thread's turn costs nothing beside it."""
SLOWEST_BYTES_PER_SECOND: Final = 1024**2
"""A copy slower than this is given up, for every file's deadline follows from it."""
CALL_SECONDS: Final = 60.0
"""What a call may take besides the bytes that it moves."""


class Store(Protocol):
    """Where backups are kept. Names are relative, their parts between slashes.

    Every call may be repeated and ends within a deadline that follows from the bytes it moves. All
    raise StoreError, with what to do about it.
    """

    @property
    def place(self) -> str:
        """The place as a person would name it."""
        ...

    @property
    def scratch(self) -> Path:
        """A folder of this process for files on their way; `put_file` is cheapest from there."""
        ...

    async def list_sizes(self, prefix: str) -> dict[str, int]:
        """Return the names below a prefix (a whole part of a name), with their bytes."""
        ...

    def read(self, name: str) -> AsyncIterator[bytes]:
        """Iterate over a file's bytes in chunks; raises NotInStoreError when there is none."""
        ...

    async def write(self, name: str, content: bytes) -> None:
        """Write a small file; it is there whole and for good when this returns, or not at all."""
        ...

    async def put_file(self, source: Path, name: str) -> None:
        """Take a file, which may be gone from where it was; it appears whole, or not at all."""
        ...

    async def delete(self, names: Sequence[str]) -> None:
        """Delete files; those that are not there are no error."""
        ...

    async def free_bytes(self) -> int | None:
        """Return how much more fits; None where nobody can say."""
        ...

    def close(self) -> None:
        """Remove the scratch folder."""
        ...


def deadline_seconds(size_bytes: int) -> float:
    """Return how long moving so many bytes may take."""
    return CALL_SECONDS + size_bytes / SLOWEST_BYTES_PER_SECOND


async def read_whole(store: Store, name: str) -> bytes:
    """Return a small file's bytes; errors as `Store.read`."""
    return b"".join([chunk async for chunk in store.read(name)])


def open_store(place: str) -> Store:
    """Return the store of a place: a folder, or `s3://bucket/prefix`.

    Raises:
        StoreError: the place cannot be used, or what it needs is not installed.
    """
    # Each way is imported when it is asked for: that to S3 is optional.
    parts = urlsplit(place)
    if parts.scheme == "s3":
        from ring.backups.s3_store import S3Store  # noqa: PLC0415

        return S3Store.open(parts.netloc, parts.path)
    if parts.scheme not in {"", "file"}:
        raise StoreError(
            f"{place} is neither a folder nor an s3:// URL",
            advice="Name a folder, or s3://bucket/prefix with AWS_ENDPOINT_URL for another store.",
        )
    from ring.backups.folder_store import FolderStore  # noqa: PLC0415

    return FolderStore.open(Path(parts.path if parts.scheme else place))


def remove_scratch(folder: Path) -> None:
    """Remove a scratch folder; what cannot be removed is left behind."""
    shutil.rmtree(folder, ignore_errors=True)
