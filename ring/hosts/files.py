"""Files of a node's data on this machine."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath


def list_files(folder: Path) -> dict[PurePosixPath, int]:
    """Return the files below a folder, relative to it, with their bytes."""
    found = {}
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            # A running node removes files while they are listed.
            with contextlib.suppress(FileNotFoundError):
                found[PurePosixPath(path.relative_to(folder))] = path.lstat().st_size
    return found


def hash_files(top: Path, paths: Iterable[PurePosixPath]) -> dict[PurePosixPath, str]:
    """Return the SHA-256, in hexadecimal digits, of files whose paths are relative to a folder."""
    found = {}
    for path in paths:
        with (top / path).open("rb") as file:
            found[path] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it; one that is not there is no error."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file; folders are made, and the copy appears whole or not at all."""
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
