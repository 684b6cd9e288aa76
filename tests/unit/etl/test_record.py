"""Stages count what is done, also the told share of a statement that still runs."""

import threading
from collections.abc import AsyncIterator
from typing import NamedTuple, cast

import duckdb
import pytest

from etl.record import LoadRecord, Stage, Work, show_statements
from tests.support.hand_clock import HandClock


class Statement:
    """A connection whose statement is as far as the test says."""

    percent = -1.0

    def query_progress(self) -> float:
        """As DuckDB: -1 when nothing runs or nothing is known."""
        if self.percent > 100:
            raise duckdb.ConnectionException("Connection already closed!")
        return self.percent


def _stage(clock: HandClock, statement: Statement, total_bytes: int = 0) -> Stage:
    database = cast("duckdb.DuckDBPyConnection", statement)
    return Stage("read x", clock, work=Work.READ, database=database, total_bytes=total_bytes)


def test_stage_when_a_statement_runs_then_its_share_counts_and_never_falls() -> None:
    """When a second statement inside begins at 0 %, the first has done all there was to do."""
    clock, statement = HandClock(), Statement()
    stage = _stage(clock, statement, total_bytes=1000)
    with stage.statement(rows=10, bytes=1000):
        told = []
        for percent in (-1.0, 25.0, 90.0, 5.0, -1.0):
            clock.go(1)
            statement.percent = percent
            stage.look()
            told.append(stage.done)
    assert told == [(0, 0), (2, 250), (9, 900), (10, 1000), (10, 1000)]
    assert stage.done == (10, 1000)
    assert [point.bytes for point in stage.timeline.points] == [0, 0, 250, 900, 1000, 1000]


def test_stage_when_its_statement_fails_then_its_share_is_taken_back() -> None:
    """What failed was not done."""
    statement = Statement()
    stage = _stage(HandClock(), statement)

    def fail() -> None:
        with stage.statement(bytes=1000):
            statement.percent = 50.0
            stage.look()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert stage.done == (0, 0)


def test_stage_when_the_database_is_closed_then_a_look_tells_nothing() -> None:
    """The one who looks runs in another thread and may come too late."""
    statement = Statement()
    stage = _stage(HandClock(), statement)
    statement.percent = 50.0
    stage.look()
    assert stage.statement_percent == 50.0
    statement.percent = 101.0
    stage.look()
    assert stage.statement_percent is None


def test_stage_when_looked_at_from_another_thread_then_duckdb_tells_its_share() -> None:
    """The installed DuckDB says how far a statement is, while it runs."""
    told: list[float] = []
    ended = threading.Event()
    with duckdb.connect(config={"threads": 1}) as database:
        show_statements(database)
        stage = Stage("long", HandClock(), database=database)

        def look() -> None:
            while not ended.wait(0.02):
                stage.look()
                if stage.statement_percent is not None:
                    told.append(stage.statement_percent)

        looker = threading.Thread(target=look)
        looker.start()
        try:
            database.execute(
                "CREATE TABLE t AS SELECT md5(range::VARCHAR) AS m FROM range(400_000)"
            )
        finally:
            ended.set()
            looker.join()
        stage.look()
    assert any(0 < percent <= 100 for percent in told)
    assert told == sorted(told)
    assert stage.statement_percent is None


class _Batch(NamedTuple):
    rows: range


async def _batches(clock: HandClock) -> AsyncIterator[_Batch]:
    for rows in (3, 2):
        clock.go(4)
        yield _Batch(range(rows))


async def test_stage_when_it_runs_beside_another_then_only_its_own_time_is_its_work() -> None:
    """Rendering waits for writing: the report tells the time of each."""
    clock = HandClock()
    stage = Stage("render", clock, work=Work.RENDER)
    async for _batch in stage.timed(_batches(clock)):
        clock.go(10)
    stage.end()
    assert stage.done.rows == 5
    assert (stage.seconds, stage.busy_seconds) == (28, 8)


def test_record_when_stages_of_one_kind_then_summed() -> None:
    """Rows written are those of all stages that write, ended or not."""
    clock = HandClock()
    record = LoadRecord(clock=clock)
    for work, rows in ((Work.WRITE, 5), (Work.WRITE, 6), (Work.READ, 100)):
        stage = Stage("s", clock, work=work)
        record.stages.append(stage)
        stage.add(rows=rows)
        clock.go(2)
        stage.end()
    assert record.rows(Work.WRITE) == 11
    assert record.busy_seconds(Work.WRITE) == 4
    assert record.seconds == 6


def test_stage_when_threads_add_at_once_then_no_row_is_lost() -> None:
    """Writers may run in several threads."""
    stage = Stage("s", HandClock())

    def add() -> None:
        for _ in range(2_000):
            stage.add(rows=1, bytes=2)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stage.done == (8_000, 16_000)
