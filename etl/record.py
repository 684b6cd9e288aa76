"""What is known of a load while it runs and after: its stages, counts, writer and memory.

One record is written by the load and read, also meanwhile and from other threads, by the progress
on the screen, the Prometheus figures, and the report with its page.
"""

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

import duckdb

from etl.account import Account
from etl.memory import MemoryWatch
from etl.settings import EtlSettings
from etl.timeline import Timeline

Clock = Callable[[], float]


class Batch(Protocol):
    """Some rows on their way through the stages."""

    @property
    def rows(self) -> Sized:
        """The rows."""
        ...


BatchT = TypeVar("BatchT", bound=Batch)


class Work(StrEnum):
    """What a stage does; the report sums the time of stages by it."""

    READ = "read"
    """From the files into rows; its rows and bytes are those of the files."""
    CLEAN = "clean"
    JOIN = "join"
    RENDER = "render"
    WRITE = "write"
    """Into Cassandra; its rows are stored rows."""
    OTHER = "other"


class Done(NamedTuple):
    """What a stage has done so far."""

    rows: int
    bytes: int


class Stage:
    """One stage of a load: what it does, how much of it is done, and when that was.

    Attributes:
        name: what a person calls it: `read product.csv`.
        file: the legacy file it works on, or nothing.
        total_rows: rows that are to be done; 0: not known.
        total_bytes: bytes that are to be done; 0: not known.
        database: whose running statement is looked at (see `look`), if any.
        ended: when it ended, on the record's clock; None while it runs.
        statement_percent: how far DuckDB says its running statement is; None: it does not say.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        *,
        work: Work = Work.OTHER,
        file: str = "",
        total_rows: int = 0,
        total_bytes: int = 0,
        database: duckdb.DuckDBPyConnection | None = None,
    ) -> None:
        self.name = name
        self.work = work
        self.file = file
        self.total_rows = total_rows
        self.total_bytes = total_bytes
        self.database = database
        self.ended: float | None = None
        self.statement_percent: float | None = None
        self._clock = clock
        self.started = clock()
        self.timeline = Timeline(self.started)
        self._lock = threading.Lock()
        self._counted = Done(0, 0)
        self._expected: Done | None = None
        self._shown_share = 0.0
        self._busy_seconds: float | None = None

    def __repr__(self) -> str:
        done = self.done
        return f"<Stage {self.name!r} rows={done.rows} bytes={done.bytes} ended={self.ended}>"

    def add(self, *, rows: int = 0, bytes: int = 0) -> None:  # noqa: A002 - reads as what it counts
        """Count rows and bytes as done; from any thread."""
        with self._lock:
            self._counted = Done(self._counted.rows + rows, self._counted.bytes + bytes)
            self._mark()

    @contextmanager
    def statement(self, *, rows: int = 0, bytes: int = 0) -> Iterator[None]:  # noqa: A002
        """Count rows and bytes that one long statement does inside.

        While it runs, the share that DuckDB tells of is taken for done. Once another statement
        inside runs, all is.
        """
        with self._lock:
            self._expected, self._shown_share = Done(rows, bytes), 0.0
        try:
            yield
        except BaseException:
            with self._lock:
                self._expected = None
            raise
        with self._lock:
            self._expected = None
            self._counted = Done(self._counted.rows + rows, self._counted.bytes + bytes)
            self._mark()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Time that this stage itself works, where others run beside it."""
        started = self._clock()
        try:
            yield
        finally:
            with self._lock:
                self._busy_seconds = (self._busy_seconds or 0.0) + self._clock() - started

    async def timed(self, batches: AsyncIterator[BatchT]) -> AsyncIterator[BatchT]:
        """Pass batches on, counting their rows and the time of waiting for each."""
        while True:
            with self.busy():
                batch = await anext(batches, None)
            if batch is None:
                return
            self.add(rows=len(batch.rows))
            yield batch

    def look(self) -> None:
        """Ask DuckDB how far its statement is; called now and then by the one who shows it."""
        percent = _statement_percent(self.database)
        with self._lock:
            self.statement_percent = percent
            if self._expected is not None:
                self._shown_share = _share_told(percent, self._shown_share)
            if self.ended is None:
                self._mark()

    def end(self) -> None:
        """Say that it has ended, well or not."""
        with self._lock:
            self._expected = None
            self.statement_percent = None
            self.ended = self._clock()
            self._mark()

    @property
    def done(self) -> Done:
        """Rows and bytes done, with the told share of a running statement."""
        expected = self._expected
        if expected is None:
            return self._counted
        return Done(
            self._counted.rows + int(expected.rows * self._shown_share),
            self._counted.bytes + int(expected.bytes * self._shown_share),
        )

    @property
    def seconds(self) -> float:
        """From its beginning to its end, or until now."""
        return (self._clock() if self.ended is None else self.ended) - self.started

    @property
    def busy_seconds(self) -> float:
        """Time of its own work; all its time unless `busy` says less."""
        return self.seconds if self._busy_seconds is None else self._busy_seconds

    def _mark(self) -> None:
        self.timeline.mark(self._clock(), *self.done)


def _share_told(percent: float | None, before: float) -> float:
    """Return the share of the first statement that did anything; 1 when it has ended."""
    share = None if percent is None else percent / 100
    if share is not None and share >= before:
        return share
    # DuckDB's figure never falls within a statement, so this is another one, or none.
    return 1.0 if before else 0.0


def show_statements(database: duckdb.DuckDBPyConnection) -> None:
    """Let DuckDB keep in mind how far each statement is, without showing it by itself."""
    database.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")


def _statement_percent(database: duckdb.DuckDBPyConnection | None) -> float | None:
    if database is None:
        return None
    try:
        percent = database.query_progress()
    except duckdb.Error:
        # It may be closed already: the one who looks runs in a thread of its own.
        return None
    return percent if 0 <= percent <= 100 else None


def _no_figures() -> Mapping[str, object]:
    return {}


@dataclass(slots=True)
class LoadRecord:
    """One load, from its beginning on.

    Attributes:
        options: what the load was asked for, by name.
        settings: how much it may take, once that is known.
        rejected: rows refused so far by (file, kind).
        account: what became of every row, once that is known.
        rejects_files: where the rejects were written.
        writer: gives what the writer tells of itself; `in_flight` are its outstanding writes.
    """

    clock: Clock = time.monotonic
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: float = field(init=False)
    options: Mapping[str, object] = field(default_factory=dict)
    settings: EtlSettings | None = None
    stages: list[Stage] = field(default_factory=list)
    rejected: dict[tuple[str, str], int] = field(default_factory=dict)
    account: Account | None = None
    rejects_files: tuple[Path, ...] = ()
    writer: Callable[[], Mapping[str, object]] = _no_figures
    memory: MemoryWatch = field(default_factory=MemoryWatch)

    def __post_init__(self) -> None:
        self.started = self.clock()

    @property
    def seconds(self) -> float:
        """From its beginning until now."""
        return self.clock() - self.started

    def rows(self, work: Work) -> int:
        """Rows done by all stages of a kind."""
        return sum(stage.done.rows for stage in list(self.stages) if stage.work is work)

    def busy_seconds(self, work: Work) -> float:
        """Time that all stages of a kind worked."""
        return sum(stage.busy_seconds for stage in list(self.stages) if stage.work is work)
