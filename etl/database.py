"""The load's own DuckDB database."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import duckdb

from etl.settings import EtlSettings

_CLOSE_SECONDS: Final = 10.0
_CLOSE_PAUSE_SECONDS: Final = 0.02

_ResultT = TypeVar("_ResultT")


@contextmanager
def open_database(scratch: Path, settings: EtlSettings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database; it may be closed while a thread still runs a statement."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": settings.load_memory_limit,
        "temp_directory": str(scratch / "spill"),
        # Every table is written once and read once or twice: compressing costs a tenth of the load.
        "force_compression": "uncompressed",
    }
    if settings.load_threads:
        config["threads"] = settings.load_threads
    database = duckdb.connect(str(scratch / "load.duckdb"), config=config)
    try:
        yield database
    finally:
        _close(database)


async def run_interruptibly(
    connection: duckdb.DuckDBPyConnection, function: Callable[[], _ResultT]
) -> _ResultT:
    """Run a function that uses this connection in a thread; cancelled, wait until it has stopped.

    A connection that is closed under a running statement takes the process with it.
    """
    running = asyncio.create_task(asyncio.to_thread(function))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            connection.interrupt()
            await asyncio.wait((running,), timeout=_CLOSE_PAUSE_SECONDS)
        raise


def _close(database: duckdb.DuckDBPyConnection) -> None:
    """Close the database, also of an interrupted load, whose thread may be between statements."""
    give_up_at = time.monotonic() + _CLOSE_SECONDS
    while True:
        database.interrupt()
        try:
            database.close()
        except duckdb.Error:
            # The thread has not noticed yet. Nothing in this database is worth failing for.
            if time.monotonic() > give_up_at:
                return
            time.sleep(_CLOSE_PAUSE_SECONDS)
        else:
            return
