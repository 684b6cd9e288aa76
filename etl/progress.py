"""What a person sees while a load runs: a bar a stage on a terminal, plain lines anywhere else."""

import os
import sys
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Self, TextIO

import duckdb

from etl.pace import Pace, describe, share_of, summarise
from etl.record import LoadRecord, Stage, Work

LINE_SECONDS: Final = 5.0
"""Where there is no terminal, a running stage says a line this often."""
_LOOK_SECONDS: Final = 0.25
_NAME_CELLS: Final = 26
_BAR_CELLS: Final = 24
_NARROWEST_CELLS: Final = 40
_USUAL_COLUMNS: Final = 80


class Progress:
    """Shows the stages of a record, and keeps looking at them while they run.

    Entered as a context it looks several times a second from a thread of its own, so that long
    statements, whose thread is busy, show as well. Without that it only says what has ended.
    Nothing that goes wrong with the screen ever stops a load.
    """

    def __init__(self, stream: TextIO | None = None, record: LoadRecord | None = None) -> None:
        self.record = record or LoadRecord()
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._lock = threading.RLock()
        self._open: list[Pace] = []
        self._drawn_lines = 0
        self._said_at = self.record.clock()
        self._ended = threading.Event()
        self._looker = threading.Thread(target=self._keep_looking, name="progress", daemon=True)

    def __repr__(self) -> str:
        return f"<Progress open={[pace.stage for pace in self._open]}>"

    def __enter__(self) -> Self:
        self._looker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        self._ended.set()
        self._looker.join()

    @contextmanager
    def stage(
        self,
        name: str,
        *,
        work: Work = Work.OTHER,
        file: str = "",
        total_rows: int = 0,
        total_bytes: int = 0,
        database: duckdb.DuckDBPyConnection | None = None,
    ) -> Iterator[Stage]:
        """Open a stage: it is recorded, shown while it runs, and summed up when it ends.

        Args:
            name: what a person calls it: `read product.csv`.
            work: what its time counts as.
            file: the legacy file it works on.
            total_rows: rows that are to be done; 0: not known.
            total_bytes: bytes that are to be done; 0: not known.
            database: the connection whose statements it runs; how far they are is asked for.
        """
        stage = Stage(
            _printable(name),
            self.record.clock,
            work=work,
            file=file,
            total_rows=total_rows,
            total_bytes=total_bytes,
            database=database,
        )
        pace = Pace(stage)
        with self._lock:
            self.record.stages.append(stage)
            self._open.append(pace)
        ended_well = False
        try:
            yield stage
            ended_well = True
        finally:
            stage.end()
            with self._lock:
                self._open.remove(pace)
                stopped = "" if ended_well else "stopped after "
                self.say(f"{stage.name}: {stopped}{summarise(stage)}")

    def add(self, rows: int) -> None:
        """Count rows of the stage that was opened last and still runs; of none, they are lost."""
        if self._open:
            self._open[-1].stage.add(rows=rows)

    def say(self, text: str) -> None:
        """Say something on a line of its own."""
        with self._lock:
            self._write(f"{self._rewind()}{text}\n")
            if self._terminal:
                self._draw()
            self._said_at = self.record.clock()

    def look(self) -> None:
        """Look at what runs and show it, if it is time to."""
        self.record.memory.look()
        with self._lock:
            for pace in self._open:
                pace.stage.look()
                pace.sample()
            if self._terminal:
                self._draw()
            elif self._open and self.record.clock() - self._said_at >= LINE_SECONDS:
                self.say("\n".join(f"{one.stage.name}: {describe(one)}" for one in self._open))

    def _keep_looking(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            self.look()

    def _draw(self) -> None:
        """Draw a line for each open stage over those that were drawn before."""
        columns = _columns(self._stream)
        lines = [bar_line(pace, columns - 1) for pace in self._open]
        self._write(self._rewind() + "".join(f"{line}\n" for line in lines))
        self._drawn_lines = len(lines)

    def _rewind(self) -> str:
        """Return what takes the cursor back before the drawn lines and clears them."""
        drawn, self._drawn_lines = self._drawn_lines, 0
        return f"\x1b[{drawn}A\r\x1b[J" if drawn else ""

    def _write(self, text: str) -> None:
        if not text:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            # Whoever looked on has gone. The load goes on, and its report tells what it did.
            self._terminal = False


def bar_line(pace: Pace, columns: int) -> str:
    """Return `name [####----] figures`, cut to the terminal's width so that it stays one line."""
    share = share_of(pace.stage)
    name = f"{pace.stage.name:<{_NAME_CELLS}}"
    cells = min(_BAR_CELLS, max(columns - _NARROWEST_CELLS - _NAME_CELLS, 0))
    if share is None or not cells:
        bar = f" [{'?' * cells}] " if cells else " "
    else:
        full = int(share * cells)
        bar = f" [{'#' * full}{'-' * (cells - full)}] "
    return f"{name}{bar}{describe(pace)}"[:columns]


def _columns(stream: TextIO) -> int:
    """Return the width of the terminal that is drawn on, which need not be standard output's."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_COLUMNS
    except (OSError, ValueError):
        return _USUAL_COLUMNS


def _printable(text: str) -> str:
    """Names of files come from outside; what would move the cursor is shown as a question mark."""
    return "".join(one if one.isprintable() else "?" for one in text)
