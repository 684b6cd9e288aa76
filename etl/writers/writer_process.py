"""The process of the offline writer, and the folder that it works in."""

import asyncio
import fcntl
import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from etl.niceness import pass_on_niceness
from etl.writers.sstable_program import WRITER, SstableProgram
from etl.writers.staging import MANIFEST, PLAN, StagingError, StagingPlan, java_specification

_MIB: Final = 1024**2
_DIRECT_MIB: Final = 256
_LINE_BYTES_LIMIT: Final = 64 * _MIB
_TEMPORARY: Final = "temporary"
# Four times Java's own figures. The thorough compiler takes seconds for what runs a moment only;
# what handles each row is past these after a few thousand rows. Saves 1.2 of 6.8 CPU seconds for
# 500,000 rows.
_COMPILE_LATER: Final = (
    "-XX:Tier4InvocationThreshold=20000",
    "-XX:Tier4MinInvocationThreshold=5000",
    "-XX:Tier4CompileThreshold=60000",
    "-XX:Tier4BackEdgeThreshold=200000",
)
_LOCK_SECONDS: Final = 30.0
_LOCK_PAUSE_SECONDS: Final = 0.05
_SPECIFICATION: Final = "specification.json"


@dataclass(frozen=True, slots=True)
class WriterLimits:
    """How much the Java program may take.

    Attributes:
        heap_mib: the heap; about 150 MiB come on top.
        workers: threads, each of which leaves a sorted run of every large table; 0: one a core.
        bucket_bytes: rows that a thread sorts at a time.
        row_bytes_limit: a larger row is refused: Cassandra takes no mutation beyond half a segment
            of its commit log (16 MiB), which is what a repair of the row would be.
    """

    heap_mib: int = 640
    workers: int = 0
    bucket_bytes: int = 64 * _MIB
    row_bytes_limit: int = 16 * _MIB


async def launch(
    program: SstableProgram,
    plan: StagingPlan,
    directory: Path,
    limits: WriterLimits,
    pipes: Sequence[Path],
    lock: int,
) -> asyncio.subprocess.Process:
    """Start the program on a folder that is ready; it then waits for the writers of its pipes.

    It inherits `lock` (see `lock_folder`), so that the folder is locked while it runs.
    """
    specification = java_specification(
        plan,
        directory,
        pipes,
        workers=limits.workers or os.cpu_count() or 1,
        bucket_bytes=limits.bucket_bytes,
        row_bytes_limit=limits.row_bytes_limit,
    )
    file = directory / _SPECIFICATION
    file.write_text(json.dumps(specification), encoding="utf-8")
    command = program.command(
        WRITER,
        str(file),
        heap_mib=limits.heap_mib,
        options=[
            f"-Djava.io.tmpdir={directory / _TEMPORARY}",
            f"-XX:MaxDirectMemorySize={_DIRECT_MIB}m",
            *_COMPILE_LATER,
        ],
    )
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES_LIMIT,
        pass_fds=(lock,),
        # Ctrl-C is for us; we end it.
        start_new_session=True,
    )
    pass_on_niceness(process.pid)
    return process


async def lock_folder(directory: Path, patience_seconds: float = _LOCK_SECONDS) -> int:
    """Return a descriptor that locks a staging folder as long as any process has it open.

    Args:
        directory: the folder, which need not exist.
        patience_seconds: how long a program is waited for that is at work there. That of a load
            that was killed ends at once, or, if it had all rows, when they stand in SSTables.

    Raises:
        StagingError: it is still at work, or the lock cannot be made.
    """
    give_up_at = time.monotonic() + patience_seconds
    lock = await asyncio.to_thread(_open_lock, directory)
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > give_up_at:
                os.close(lock)
                raise StagingError(f"another program writes SSTables in {directory}") from error
            await asyncio.sleep(_LOCK_PAUSE_SECONDS)
        else:
            return lock


def _open_lock(directory: Path) -> int:
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        # Beside the folder, which is removed and made while the lock is held.
        file = directory.with_name(f"{directory.name}.lock")
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StagingError(f"{directory} cannot be locked: {error}") from error


def prepare_folder(directory: Path, plan: StagingPlan, pipes: int) -> Path:
    """Make an empty folder with its plan and pipes; what an unfinished staging left there goes.

    Returns:
        Its absolute path: nodes are told of it.

    Raises:
        StagingError: it holds a whole staging or other files, or cannot be made.
    """
    directory = directory.absolute()
    if (directory / MANIFEST).exists():
        raise StagingError(f"{directory} holds a whole staging that was not delivered yet")
    if directory.exists() and any(directory.iterdir()) and not (directory / PLAN).exists():
        raise StagingError(f"{directory} holds files that are no staging's; they are left alone")
    try:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        plan.write(directory)
        (directory / _TEMPORARY).mkdir()
        for pipe in pipe_paths(directory, pipes):
            os.mkfifo(pipe)
    except OSError as error:
        raise StagingError(f"{directory} cannot be made ready: {error}") from error
    return directory


def pipe_paths(directory: Path, pipes: int) -> list[Path]:
    """Return where the pipes of a folder are."""
    return [directory / f"rows-{index}.pipe" for index in range(pipes)]


def tidy(directory: Path, pipes: Sequence[Path]) -> None:
    """Remove what only the process needed."""
    shutil.rmtree(directory / _TEMPORARY, ignore_errors=True)
    for pipe in pipes:
        pipe.unlink(missing_ok=True)
