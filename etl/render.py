"""Rows as they are stored, rendered by DuckDB slice by slice."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import duckdb

from etl.database import run_interruptibly
from etl.datasets import Dataset, Family
from etl.stages import Stages
from schema.documents import BLOCK_IDS
from schema.reviews import ID_BLOCK_IDS

BATCH_ROWS: Final = 1_024
_FETCHED_ROWS: Final = 1_024


@dataclass(frozen=True, slots=True)
class Slice:
    """Keys of a family that are rendered together: those from `low` to `high`."""

    family: Family = field(compare=False)
    name: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Rendering:
    """The rows of one dataset in one slice.

    Attributes:
        slice: which keys.
        dataset: what the rows are of.
        select: a query of `dataset.columns`, bodies as text; it holds until the next slice.
        database: the connection that the query is for: the slice's tables are only seen there.
    """

    slice: Slice
    dataset: Dataset
    select: str
    database: duckdb.DuckDBPyConnection

    def select_bytes(self) -> str:
        """The same query with the bodies as bytes."""
        columns = ", ".join(
            f"encode({name}) AS {name}" if kind == "blob" else name
            for name, kind in self.dataset.cells
        )
        return f"SELECT {columns} FROM ({self.select})"  # noqa: S608, names of our own


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one dataset of a slice; each is a tuple in the order of `dataset.columns`."""

    slice: Slice
    dataset: Dataset
    rows: Sequence[tuple[Any, ...]]


def count_rows(stages: Stages, families: Sequence[Family]) -> int:
    """Return how many rows will be rendered."""
    return sum(count_rows_of(stages, dataset) for family in families for dataset in family.datasets)


def count_rows_of(stages: Stages, dataset: Dataset) -> int:
    """Return how many rows will be rendered of one dataset."""
    row = stages.database.execute(f"SELECT count(*) FROM {dataset.counted}").fetchone()  # noqa: S608
    return int(row[0]) if row else 0


def list_slices(stages: Stages, families: Sequence[Family]) -> list[Slice]:
    """Return the slices of all families, in the order in which they are rendered."""
    return [
        Slice(family, family.name, low, high)
        for family in families
        for low, high in stages.database.execute(
            f"SELECT low, high FROM {family.name}_slices ORDER BY low"  # noqa: S608
        ).fetchall()
    ]


async def renderings(stages: Stages, slices: Iterable[Slice]) -> AsyncIterator[Rendering]:
    """Yield every dataset of every slice; what a slice needs is made in a thread.

    Several of these may run at a time and share one iterator of slices; each takes the next that
    is left. A slice is rendered by one thread: DuckDB then aggregates rows in the order in which
    they come, and sorting them first costs a quarter of what an ordered aggregate does.
    """
    with closing(stages.database.cursor()) as cursor:
        cursor.execute("SET GLOBAL threads = 1")
        own = replace(stages, database=cursor)
        for one in slices:
            for stage in one.family.stages:
                await run_interruptibly(cursor, partial(own.run, stage, low=one.low, high=one.high))
            for dataset in one.family.datasets:
                select = own.text(
                    dataset.stage,
                    low=one.low,
                    high=one.high,
                    block_ids=BLOCK_IDS,
                    id_block_ids=ID_BLOCK_IDS,
                )
                yield Rendering(one, dataset, select, cursor)


async def rendered_batches(stages: Stages, slices: Iterable[Slice]) -> AsyncIterator[Batch]:
    """Yield all rows in batches of at most `BATCH_ROWS`.

    Memory holds one slice's tables on DuckDB's side and `_FETCHED_ROWS` rows here.
    """
    async for rendering in renderings(stages, slices):
        query = partial(rendering.database.execute, rendering.select_bytes())
        result = await run_interruptibly(rendering.database, query)
        while rows := await asyncio.to_thread(result.fetchmany, _FETCHED_ROWS):
            for start in range(0, len(rows), BATCH_ROWS):
                yield Batch(rendering.slice, rendering.dataset, rows[start : start + BATCH_ROWS])


def live_ids_by_block(stages: Stages) -> dict[int, bytes]:
    """Return the bitmap of the products that this load writes, by block."""
    rows = stages.run("live_ids", block_ids=BLOCK_IDS).fetchall()
    return {block: bytes(live_ids) for block, live_ids in rows}
