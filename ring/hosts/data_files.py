"""Files below one folder of this machine: the data of a node. All of it blocks."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ring.hosts.errors import HostError


class DataFiles:
    """The files below a folder, by paths relative to it."""

    def __init__(self, root: Path) -> None:
        """Take the folder, which need not be there yet."""
        self._root = root

    def list(self, folder: PurePosixPath) -> dict[PurePosixPath, int]:
        """Return the files below a folder, relative to it, with their bytes."""
        top = self.path(folder)
        found = {}
        for parent, _, names in os.walk(top):
            for name in names:
                path = Path(parent, name)
                try:
                    found[PurePosixPath(path.relative_to(top))] = path.lstat().st_size
                except FileNotFoundError:
                    # A running node removes files while they are listed.
                    continue
        return found

    def hash(
        self, folder: PurePosixPath, names: Iterable[PurePosixPath]
    ) -> dict[PurePosixPath, str]:
        """Return the SHA-256 of files below a folder, in hexadecimal digits."""
        top = self.path(folder)
        found = {}
        for name in names:
            with (top / name).open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
        return found

    def fetch(self, path: PurePosixPath, target: Path) -> None:
        """Copy a file to elsewhere on this machine; it appears whole."""
        _copy_whole(self.path(path), target)

    def put(self, source: Path, path: PurePosixPath) -> None:
        """Copy a file of this machine to here; folders are made, it appears whole."""
        _copy_whole(source, self.path(path))

    def remove(self, folder: PurePosixPath) -> None:
        """Remove a folder with all that is in it; one that is not there is no error."""
        if folder == PurePosixPath():
            raise HostError("the whole of a node's data is removed by wiping its host only")
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self.path(folder))

    def path(self, path: PurePosixPath) -> Path:
        """Return where a file or folder lies on this machine.

        Raises:
            HostError: not below the folder.
        """
        if path.is_absolute() or ".." in path.parts:
            raise HostError(f"{path} is not below {self._root}")
        return self._root / path


def _copy_whole(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(source, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def size_bytes_below(folder: Path) -> int:
    """Return what the files below a folder hold; those that a running node removes are left out."""
    size_bytes = 0
    for path, _, files in os.walk(folder):
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                size_bytes += Path(path, file).lstat().st_size
    return size_bytes
