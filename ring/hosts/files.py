"""Files of a node's data on this machine."""

import contextlib
import os
import shutil
from pathlib import Path, PurePosixPath


def list_files(folder: Path) -> dict[PurePosixPath, int]:
    """Return the files below a folder, relative to it, with their bytes."""
    return {
        PurePosixPath(file.relative_to(folder)): file.stat().st_size
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


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
