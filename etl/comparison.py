"""Whether the tables hold what the files say: counts of all rows, contents of a sample or of all.

What should stand there is rendered as a load would render it now. A row that people changed after
the data was exported differs, and is told apart by the time of its latest cell.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

from etl.datasets import Dataset, Family
from etl.preparation import Prepared
from etl.progress import Progress
from etl.record import Work
from etl.render import Rendering, count_rows_of, list_slices, live_ids_by_block, renderings
from etl.writers.listing import fetch_live_ids
from etl.writers.patient import PatientRing, one_by_one
from ring import Consistency, Statement
from schema.documents import merge_live_ids

EXAMPLES_LIMIT: Final = 20
_FIRST_TOKEN: Final = -(2**63)
_LAST_TOKEN: Final = 2**63 - 1
_COUNT_RANGES: Final = 256
_FETCHED_ROWS: Final = 2_048

_Row = tuple[Any, ...]


@dataclass(slots=True)
class TableComparison:
    """What became of one table's rows.

    Attributes:
        expected: rows that the files come to.
        stored: rows that the table holds, those of other loads and of people among them.
        compared: of the expected ones, how many were looked at.
        missing, different: of these.
        changed_since: of these, how many differ and bear a later time than the load's as-of.
        examples: primary keys of some that are missing or different.
    """

    table: str
    expected: int = 0
    stored: int = 0
    compared: int = 0
    missing: int = 0
    different: int = 0
    changed_since: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.missing and not self.different and self.stored >= self.expected


def _select(dataset: Dataset) -> Statement:
    """One partition, each row with the time of one of its cells."""
    timed = dataset.columns[-1]
    return Statement(
        f"verify_{dataset.table}",
        f"SELECT {', '.join(dataset.columns)}, WRITETIME({timed}) FROM {dataset.table}"  # noqa: S608
        f" WHERE {dataset.columns[0]} = ?",
        Consistency.LOCAL_QUORUM,
        idempotent=True,
    )


def _count(dataset: Dataset) -> Statement:
    key = dataset.columns[0]
    # Of the last key column: a partition that holds static cells alone has none.
    counted = dataset.columns[dataset.key_columns - 1]
    return Statement(
        f"count_{dataset.table}",
        f"SELECT count({counted}) FROM {dataset.table}"  # noqa: S608
        f" WHERE token({key}) > ? AND token({key}) <= ?",
        Consistency.LOCAL_QUORUM,
        idempotent=True,
    )


def verify_statements(families: Sequence[Family]) -> tuple[Statement, ...]:
    """What a client must be opened with to compare these families."""
    datasets = [dataset for family in families for dataset in family.datasets]
    return tuple(make(dataset) for dataset in datasets for make in (_select, _count))


async def compare(
    prepared: Prepared,
    ring: PatientRing,
    progress: Progress,
    *,
    as_of_microseconds: int,
    sample_rows: int | None,
) -> list[TableComparison]:
    """Compare every table that the files concern.

    Consistency: LOCAL_QUORUM.

    Args:
        prepared: what should stand there, cut into slices.
        ring: opened with `verify_statements`.
        progress: is told of rows counted and compared.
        as_of_microseconds: the time of the load.
        sample_rows: about how many rows of each table are compared; None: all of them.

    Raises:
        WriteError: a statement was refused, or no node answered in `load_give_up_seconds`.
    """
    found: dict[str, TableComparison] = {}
    datasets = [dataset for family in prepared.families for dataset in family.datasets]
    for dataset in datasets:
        expected = await asyncio.to_thread(count_rows_of, prepared.stages, dataset)
        with progress.stage(f"count {dataset.table}", work=Work.OTHER) as stage:
            stored = await _count_stored(ring, dataset)
            stage.add(rows=stored)
        found[dataset.table] = TableComparison(dataset.table, expected, stored)
    comparing = _Comparing(ring, found, as_of_microseconds, sample_rows)
    slices = list_slices(prepared.stages, prepared.families)
    with progress.stage("compare rows", total_rows=comparing.wanted) as stage:
        async for rendering in renderings(prepared.stages, slices):
            stage.add(rows=await comparing.run(rendering))
    return list(found.values())


async def missing_from_lists(prepared: Prepared, ring: PatientRing) -> list[int]:
    """Return blocks whose bitmap lacks a product that the files have; see `products_by_block`."""
    written = await asyncio.to_thread(live_ids_by_block, prepared.stages)
    lacking: list[int] = []

    async def look(block: int) -> None:
        stored = await fetch_live_ids(ring, block)
        if merge_live_ids(stored, written[block]) != stored:
            lacking.append(block)

    await ring.for_each(one_by_one(sorted(written)), look)
    return sorted(lacking)


async def _count_stored(ring: PatientRing, dataset: Dataset) -> int:
    """Count the rows of a table, a token range at a time."""
    width = 2**64 // _COUNT_RANGES
    ends = [_FIRST_TOKEN + width * number for number in range(_COUNT_RANGES)] + [_LAST_TOKEN]
    statement = _count(dataset).name
    total = 0

    async def count(place: int) -> None:
        nonlocal total
        values = (ends[place], ends[place + 1])
        rows = await ring.execute(statement, values)
        total += rows[0][0]

    await ring.for_each(one_by_one(range(_COUNT_RANGES)), count)
    return total


class _Comparing:
    """Reads partitions and compares their rows with the rendered ones."""

    def __init__(
        self,
        ring: PatientRing,
        found: dict[str, TableComparison],
        as_of_microseconds: int,
        sample_rows: int | None,
    ) -> None:
        self._ring = ring
        self._found = found
        self._as_of = as_of_microseconds
        self._every = {
            name: 1 if sample_rows is None else max(1, one.expected // max(1, sample_rows))
            for name, one in found.items()
        }
        self.wanted = sum(one.expected // self._every[name] for name, one in found.items())

    async def run(self, rendering: Rendering) -> int:
        """Compare the rows of one rendering that are in the sample; return how many."""
        dataset = rendering.dataset
        result = self._found[dataset.table]
        before = result.compared
        width = dataset.key_columns
        statement = _select(dataset).name

        async def look(rows: list[_Row]) -> None:
            cells = await self._ring.execute(statement, (rows[0][0],))
            stored = {row[:width]: row[width:] for row in cells}
            for row in rows:
                self._judge(result, dataset, row, stored.get(row[:width]))

        await self._ring.for_each(self._partitions(rendering), look)
        return result.compared - before

    def _judge(
        self, result: TableComparison, dataset: Dataset, row: _Row, stored: _Row | None
    ) -> None:
        width = dataset.key_columns
        result.compared += 1
        if stored is not None and _plain(stored[:-1]) == row[width:]:
            return
        if stored is None:
            result.missing += 1
        elif (stored[-1] or 0) > self._as_of and not dataset.derived:
            result.changed_since += 1
            return
        else:
            result.different += 1
        if len(result.examples) < EXAMPLES_LIMIT:
            result.examples.append(", ".join(map(str, row[:width])))

    async def _partitions(self, rendering: Rendering) -> AsyncIterator[list[_Row]]:
        """Yield the rows of each partition that is in the sample."""
        key = rendering.dataset.columns[0]
        every = self._every[rendering.dataset.table]
        query = (
            f"SELECT * FROM ({rendering.select_bytes()})"  # noqa: S608, names of our own
            f" WHERE hash({key}) % {every} = 0 ORDER BY {key}"
        )
        cursor = rendering.database
        await asyncio.to_thread(cursor.execute, query)
        waiting: list[_Row] = []
        while rows := await asyncio.to_thread(cursor.fetchmany, _FETCHED_ROWS):
            groups = [list(group) for _key, group in groupby(rows, key=lambda row: row[0])]
            if waiting and waiting[0][0] == groups[0][0][0]:
                groups[0] = waiting + groups[0]
            elif waiting:
                yield waiting
            waiting = groups.pop()
            for group in groups:
                yield group
        if waiting:
            yield waiting


def _plain(cells: _Row) -> _Row:
    """Moments as milliseconds since 1970, as the rendering has them."""
    return tuple(
        round(cell.replace(tzinfo=UTC).timestamp() * 1000) if isinstance(cell, datetime) else cell
        for cell in cells
    )
