"""Files while they are made: written aside, given their names together, the manifest last."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from etl.generation.errors import GenerateUsageError
from etl.generation.plants import FIRST_PLACEHOLDER, UNDECODABLE

MANIFEST: Final = "manifest.json"
BLOCK_BYTES: Final = 4 * 1024 * 1024

_STAGING: Final = ".generating"
_PLACEHOLDERS: Final = tuple(
    (chr(FIRST_PLACEHOLDER + place).encode(), undecodable)
    for place, undecodable in enumerate(UNDECODABLE)
)
_PLACEHOLDER_START: Final = chr(FIRST_PLACEHOLDER).encode()[:2]


@contextmanager
def open_staging(directory: Path, *, force: bool) -> Iterator[Path]:
    """Yield a directory inside `directory` for unfinished files; it is gone afterwards.

    What an interrupted run left aside is removed first. A `directory` that this made and in which
    nothing was finished is removed as well.

    Raises:
        GenerateUsageError: the directory is a file, or holds something and `force` is not given.
    """
    made = not directory.exists()
    if not made and not directory.is_dir():
        raise GenerateUsageError(f"{directory} is a file; name a directory")
    if not made and not force and any(child.name != _STAGING for child in directory.iterdir()):
        raise GenerateUsageError(
            f"{directory} is not empty; name another directory, or give --force to replace the"
            " files of a set in it"
        )
    staging = directory / _STAGING
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if made and not any(directory.iterdir()):
            directory.rmdir()


def publish(staging: Path, directory: Path, manifest: bytes) -> None:
    """Give the finished files their names. The manifest goes first and comes last.

    So a directory with a manifest always holds the whole set that the manifest describes.
    """
    (directory / MANIFEST).unlink(missing_ok=True)
    for finished in sorted(staging.glob("*.csv")):
        finished.replace(directory / finished.name)
    unfinished_manifest = staging / MANIFEST
    unfinished_manifest.write_bytes(manifest)
    unfinished_manifest.replace(directory / MANIFEST)


def append_part(part: Path, target: BinaryIO, *, dirty: bool) -> None:
    """Append the lines of a part to its file, undecodable bytes in place of their placeholders.

    Memory: one block and the longest line.
    """
    with part.open("rb") as source:
        if not dirty:
            shutil.copyfileobj(source, target, BLOCK_BYTES)
            return
        rest = b""
        while block := source.read(BLOCK_BYTES):
            # A placeholder never spans two lines, so whole lines are replaced at a time.
            whole, newline, rest = (rest + block).rpartition(b"\n")
            target.write(_with_undecodable(whole + newline))
        target.write(_with_undecodable(rest))


def _with_undecodable(lines: bytes) -> bytes:
    if _PLACEHOLDER_START not in lines:
        return lines
    for placeholder, undecodable in _PLACEHOLDERS:
        lines = lines.replace(placeholder, undecodable)
    return lines


def drop_final_newline(target: BinaryIO, *, carriage_return: bool) -> None:
    """Take the line end off the last line."""
    target.flush()
    target.truncate(target.tell() - (2 if carriage_return else 1))
    target.seek(0, os.SEEK_END)


def byte_counts(staging: Path) -> Mapping[str, int]:
    """Return the size of each finished file by its name."""
    return {path.name: path.stat().st_size for path in staging.glob("*.csv")}
