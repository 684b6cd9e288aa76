"""Rows as they are stored, rendered by DuckDB slice by slice."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from etl.datasets import Dataset, Family
from etl.stages import Stages
from schema.documents import BLOCK_IDS
from schema.reviews import ID_BLOCK_IDS

BATCH_ROWS: Final = 1_024
_FETCHED_ROWS: Final = 1_024


@dataclass(frozen=True, slots=True)
class Rendering:
    """The rows of one dataset in one slice.

    Attributes:
        select: a query of `dataset.columns`, bodies as text; it holds until the next slice.
    """

    dataset: Dataset
    select: str

    def select_bytes(self) -> str:
        """The same query with the bodies as bytes."""
        columns = ", ".join(
            f"encode({name}) AS {name}" if kind == "blob" else name
            for name, kind in self.dataset.cells
        )
        return f"SELECT {columns} FROM ({self.select})"  # noqa: S608, names of our own


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one dataset; each is a tuple in the order of `dataset.columns`."""

    dataset: Dataset
    rows: Sequence[tuple[Any, ...]]


def count_rows(stages: Stages, families: Sequence[Family]) -> int:
    """Return how many rows will be rendered."""
    return sum(count_rows_of(stages, dataset) for family in families for dataset in family.datasets)


def count_rows_of(stages: Stages, dataset: Dataset) -> int:
    """Return how many rows will be rendered of one dataset."""
    row = stages.database.execute(f"SELECT count(*) FROM {dataset.counted}").fetchone()  # noqa: S608
    return int(row[0]) if row else 0


async def renderings(stages: Stages, families: Sequence[Family]) -> AsyncIterator[Rendering]:
    """Yield every dataset of every slice; what a slice needs is made in a thread."""
    for family in families:
        slices = stages.database.execute(
            f"SELECT low, high FROM {family.name}_slices ORDER BY low"  # noqa: S608
        ).fetchall()
        for low, high in slices:
            for stage in family.stages:
                await asyncio.to_thread(stages.run, stage, low=low, high=high)
            for dataset in family.datasets:
                select = stages.text(
                    dataset.stage,
                    low=low,
                    high=high,
                    block_ids=BLOCK_IDS,
                    id_block_ids=ID_BLOCK_IDS,
                )
                yield Rendering(dataset, select)


async def rendered_batches(stages: Stages, families: Sequence[Family]) -> AsyncIterator[Batch]:
    """Yield all rows in batches of at most `BATCH_ROWS`.

    Memory holds one slice's tables on DuckDB's side and `_FETCHED_ROWS` rows here.
    """
    async for rendering in renderings(stages, families):
        cursor = await asyncio.to_thread(stages.database.execute, rendering.select_bytes())
        while rows := await asyncio.to_thread(cursor.fetchmany, _FETCHED_ROWS):
            for start in range(0, len(rows), BATCH_ROWS):
                yield Batch(rendering.dataset, rows[start : start + BATCH_ROWS])


def live_ids_by_block(stages: Stages) -> dict[int, bytes]:
    """Return the bitmap of the products that this load writes, by block."""
    rows = stages.run("live_ids", block_ids=BLOCK_IDS).fetchall()
    return {block: bytes(live_ids) for block, live_ids in rows}
