"""The offline writer: rows through a pipe into the Java program, finished SSTables out of it.

writer = await SstableWriter.start(program, plan, directory)
await writer.copy(database, "products_by_id", "SELECT product_id, product FROM …")
staged = await writer.finish()
"""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import duckdb

from etl.writers.render_lines import copy_statement
from etl.writers.sstable_program import SstableProgram
from etl.writers.staging import MANIFEST, Staged, StagingError, StagingPlan
from etl.writers.writer_process import (
    WriterLimits,
    launch,
    lock_folder,
    pipe_paths,
    prepare_folder,
    tidy,
)

_PIPE_BYTES: Final = 1024**2
_BAD_ROW: Final = 3
_DISK_FULL: Final = 4
# A second or two; but whoever stands back on a busy machine may wait for its turn.
_START_SECONDS: Final = 300.0


class StagingRowError(StagingError):
    """A row is none of its table, or too large: a fault of the query that made it."""


class StagingDiskFullError(StagingError):
    """The disk of the staging folder is full."""


@dataclass(frozen=True, slots=True)
class StagingProgress:
    """How far a staging is: lines read, and of these the rows that stand in SSTables."""

    rows_in: int
    bytes_in: int
    rows_written: int


class SstableWriter:
    """A staging in the making: one process, one pipe or several.

    One COPY at a time goes into a pipe. Of rows with one key the later line wins, cell by cell;
    between pipes it is open which is later.

    Attributes:
        pipes: where lines go, for whoever writes them without `copy`.
        progress: the latest figures.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, plan: StagingPlan, directory: Path, pipes: int
    ) -> None:
        self._process = process
        self._plan = plan
        self._directory = directory
        self.pipes = tuple(pipe_paths(directory, pipes))
        self.progress = StagingProgress(0, 0, 0)
        self._write_ends: list[int] = []
        self._rows_sent: int | None = None
        self._ready = asyncio.Event()
        self._events = asyncio.create_task(self._follow(), name="sstable writer events")
        self._errors = asyncio.create_task(_read_all(process.stderr), name="sstable writer errors")

    @property
    def pid(self) -> int:
        """The process id of the program, for who measures it."""
        return self._process.pid

    def __repr__(self) -> str:
        return f"<SstableWriter {self._directory} {self.progress}>"

    @classmethod
    async def start(
        cls,
        program: SstableProgram,
        plan: StagingPlan,
        directory: Path,
        *,
        limits: WriterLimits | None = None,
        pipes: int = 1,
    ) -> "SstableWriter":
        """Start the program and return when it reads its pipes.

        Args:
            program: see `prepare_program`.
            plan: what to write.
            directory: the staging folder; what an unfinished staging left there is removed.
            limits: memory and threads.
            pipes: how many.

        Raises:
            StagingError: the folder holds a whole staging, or the program does not start.
        """
        lock = await lock_folder(directory)
        ends = [lock]
        try:
            directory = await asyncio.to_thread(prepare_folder, directory, plan, pipes)
            paths = pipe_paths(directory, pipes)
            # Open for reading and writing, which waits for nobody, until the program has them open.
            ends += [os.open(path, os.O_RDWR) for path in paths]
            process = await launch(program, plan, directory, limits or WriterLimits(), paths, lock)
            writer = cls(process, plan, directory, pipes)
            try:
                await writer._wait_ready()
            except BaseException:
                await writer.abort()
                raise
        finally:
            for end in ends:
                os.close(end)
        return writer

    async def copy(
        self,
        database: duckdb.DuckDBPyConnection,
        table: str,
        query: str,
        parameters: Sequence[object] | None = None,
        *,
        pipe: int = 0,
    ) -> int:
        """Run a query and send its rows to a table; return how many.

        The query's columns are found by name; columns of the table that it lacks are null, and a
        null is no cell. It runs in a thread; the connection is for nothing else meanwhile.
        Cancelled, it kills the program: what was sent of the query cannot be taken back.

        Raises:
            StagingError: the program ended, and why.
            duckdb.Error: the query failed; the staging can only be aborted then.
        """
        send = partial(_send, database, self._plan, table, query, parameters, self.pipes[pipe])
        running = asyncio.create_task(asyncio.to_thread(send))
        try:
            rows = await asyncio.shield(running)
        except asyncio.CancelledError:
            database.interrupt()
            await self.abort()
            await asyncio.gather(running, return_exceptions=True)
            raise
        except duckdb.Error:
            with contextlib.suppress(TimeoutError):
                # A pipe that nobody reads is no fault of the query.
                async with asyncio.timeout(1.0):
                    await self._process.wait()
                    await self._fail()
            raise
        self._rows_sent = (self._rows_sent or 0) + rows
        return rows

    async def finish(self) -> Staged:
        """Wait until the SSTables are written; the pipes take nothing more.

        Raises:
            StagingError: the program failed, or not every row that was sent has arrived.
        """
        # Without this line the program takes the end of its pipes for our death.
        line = "any\n" if self._rows_sent is None else f"{self._rows_sent}\n"
        try:
            if self._process.stdin is not None:
                with contextlib.suppress(ConnectionError):
                    self._process.stdin.write(line.encode())
                    await self._process.stdin.drain()
            self._close_pipes()
            await self._process.wait()
            if self._process.returncode != 0:
                await self._fail()
            await self._events
            staged = await asyncio.to_thread(Staged.read, self._directory)
        except BaseException:
            await self.abort()
            raise
        await asyncio.to_thread(tidy, self._directory, self.pipes)
        return staged

    async def abort(self) -> None:
        """Kill the program and remove what it left, unless it is whole; safe to call again."""
        self._close_pipes()
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await asyncio.gather(self._events, self._errors, return_exceptions=True)
        if not (self._directory / MANIFEST).exists():
            await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)

    def _close_pipes(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        while self._write_ends:
            os.close(self._write_ends.pop())

    async def _wait_ready(self) -> None:
        ended = asyncio.create_task(self._process.wait())
        ready = asyncio.create_task(self._ready.wait())
        done, _ = await asyncio.wait(
            (ended, ready), timeout=_START_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        for task in (ended, ready):
            task.cancel()
        if ready not in done:
            if ended in done:
                await self._fail()
            raise StagingError(f"the SSTable writer did not start in {_START_SECONDS:.0f} s")
        # Without a reader of ours, whoever writes learns that the program is gone.
        for pipe in self.pipes:
            end = os.open(pipe, os.O_WRONLY)
            self._write_ends.append(end)
            with contextlib.suppress(OSError):
                fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    async def _follow(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        async for line in self._process.stdout:
            try:
                event: dict[str, Any] = json.loads(line)
            except ValueError:
                continue
            kind = event.pop("event", "")
            if kind == "ready":
                self._ready.set()
            elif kind == "progress":
                self.progress = StagingProgress(**event)

    async def _fail(self) -> None:
        text = (await self._errors).decode("utf-8", "replace").strip()
        code = self._process.returncode
        message = text or f"the SSTable writer was ended ({code})"
        if code == _BAD_ROW:
            raise StagingRowError(message)
        if code == _DISK_FULL:
            raise StagingDiskFullError(message)
        raise StagingError(message)


def _send(
    database: duckdb.DuckDBPyConnection,
    plan: StagingPlan,
    table: str,
    query: str,
    parameters: Sequence[object] | None,
    pipe: Path,
) -> int:
    statement = copy_statement(database, plan, table, query, parameters, pipe)
    row = database.execute(statement, parameters).fetchone()
    return int(row[0]) if row else 0


async def _read_all(stream: asyncio.StreamReader | None) -> bytes:
    return await stream.read() if stream is not None else b""
