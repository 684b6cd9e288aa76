"""Backups in a folder of this machine, or of a network file system that is mounted here."""

import asyncio
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from ring.backups.errors import NotInStoreError, StoreError
from ring.backups.store import CALL_SECONDS, CHUNK_BYTES, deadline_seconds, remove_scratch

_SCRATCH: Final = ".scratch-"
_FORGOTTEN_SECONDS: Final = 24 * 3600.0
ResultT = TypeVar("ResultT")


class FolderStore:
    """A folder. Files are synchronised to the disk and renamed, so they appear whole."""

    def __init__(self, root: Path, scratch: Path) -> None:
        self._root = root
        self._scratch = scratch

    def __repr__(self) -> str:
        return f"<FolderStore {self._root}>"

    @classmethod
    def open(cls, root: Path) -> "FolderStore":
        """Make the folder where it is missing, for this user alone: backups hold everything.

        Raises:
            StoreError: it cannot be made or written.
        """
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            _remove_forgotten(root)
            return cls(root, Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=root)))
        except OSError as error:
            raise _failed(root, error) from error

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._root)

    @property
    def scratch(self) -> Path:
        """Beside what it keeps, so that a file is taken by renaming it."""
        return self._scratch

    async def list_sizes(self, prefix: str) -> dict[str, int]:
        """Return the files below a folder, with their bytes."""
        return await self._in_thread(lambda: self._sizes(prefix), CALL_SECONDS)

    def _sizes(self, prefix: str) -> dict[str, int]:
        return {
            path.relative_to(self._root).as_posix(): path.stat().st_size
            for path in (self._root / prefix).rglob("*")
            # NFS keeps a removed file that somebody reads under a name with a dot in front.
            if not path.name.startswith(".") and path.is_file()
        }

    async def read(self, name: str) -> AsyncIterator[bytes]:
        """Iterate over a file's bytes."""
        file = await self._in_thread(lambda: self._open(name), CALL_SECONDS)
        try:
            while chunk := await self._in_thread(lambda: file.read(CHUNK_BYTES), CALL_SECONDS):
                yield chunk
        finally:
            file.close()

    def _open(self, name: str) -> BinaryIO:
        try:
            return (self._root / name).open("rb")
        except FileNotFoundError as error:
            raise NotInStoreError(f"{self._root} holds no {name}") from error

    async def write(self, name: str, content: bytes) -> None:
        """Write a small file."""
        partial = self._scratch / f"written-{os.urandom(8).hex()}"

        def work() -> None:
            partial.write_bytes(content)
            self._take(partial, name)

        await self._in_thread(work, CALL_SECONDS)

    async def put_file(self, source: Path, name: str) -> None:
        """Take a file: renamed when it lies in the scratch folder, else copied."""
        found = await self._in_thread(source.stat, CALL_SECONDS)

        def work() -> None:
            own = source
            if source.parent != self._scratch:
                own = self._scratch / f"copied-{os.urandom(8).hex()}"
                shutil.copyfile(source, own)
            self._take(own, name)

        await self._in_thread(work, deadline_seconds(found.st_size))

    def _take(self, own: Path, name: str) -> None:
        target = self._root / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with own.open("rb") as file:
            os.fsync(file.fileno())
        own.chmod(0o600)
        own.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    async def delete(self, names: Sequence[str]) -> None:
        """Delete files, and folders that are empty without them."""

        def work() -> None:
            for name in names:
                (self._root / name).unlink(missing_ok=True)
                with contextlib.suppress(OSError):
                    (self._root / name).parent.rmdir()

        await self._in_thread(work, CALL_SECONDS + len(names))

    async def free_bytes(self) -> int | None:
        """Return what is free on the folder's disk."""
        return await self._in_thread(lambda: shutil.disk_usage(self._root).free, CALL_SECONDS)

    def close(self) -> None:
        """Remove the scratch folder."""
        remove_scratch(self._scratch)

    async def _in_thread(self, work: Callable[[], ResultT], timeout_seconds: float) -> ResultT:
        try:
            async with asyncio.timeout(timeout_seconds):
                return await asyncio.to_thread(work)
        except (OSError, TimeoutError) as error:
            raise _failed(self._root, error) from error


def _remove_forgotten(root: Path) -> None:
    """Remove scratch folders of processes that were killed: nobody has used them for a day."""
    for folder in root.glob(f"{_SCRATCH}*"):
        if folder.stat().st_mtime < time.time() - _FORGOTTEN_SECONDS:
            remove_scratch(folder)


def _failed(root: Path, error: OSError) -> StoreError:
    return StoreError(
        f"{root}: {error or 'no answer in time'}",
        advice="Look at the folder's rights and the space that is free; then run this again.",
    )
