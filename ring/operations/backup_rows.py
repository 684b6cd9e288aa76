"""What a backup says of rows: how many there are, and what some of them are."""

from collections.abc import Mapping, Sequence

from ring.backups.bounded import side_by_side
from ring.backups.manifest import BackedTable, SampledRow
from ring.operations.row_samples import AT_ONCE, RowReader, Writes, writes_between
from ring.operations.tables import Table

Samples = Mapping[Table, Sequence[SampledRow]]


async def sample_tables(rows: RowReader, tables: Sequence[Table]) -> Samples:
    """Read rows of every table, before the snapshot. Consistency: QUORUM.

    Raises:
        OperationError: too few replicas answered.
    """
    return {table: await rows.sample(table) for table in tables}


async def unchanged(
    rows: RowReader, table: Table, samples: Sequence[SampledRow]
) -> list[SampledRow]:
    """Return the samples that read the same after the snapshot: so they are in it.

    Consistency: QUORUM. The replica that told of the row before the snapshot has it in its part
    of the snapshot, and a restore brings the parts of all replicas together.

    Raises:
        OperationError: too few replicas answered.
    """
    same: list[SampledRow] = []

    async def compare(sample: SampledRow) -> None:
        now = await rows.read_again(table, table.types, sample.key)
        if now is not None and now.sha256 == sample.sha256:
            same.append(sample)

    await side_by_side(AT_ONCE, samples, compare)
    return sorted(same, key=lambda row: sorted(row.key.items()))


def describe_table(
    table: Table, count: int, samples: Sequence[SampledRow], before: Writes, after: Writes
) -> BackedTable:
    """Put together what is known of a table.

    Args:
        table: which.
        count: of its rows.
        samples: that did not change.
        before: writes of all tables before the snapshot.
        after: the same after counting.
    """
    return BackedTable(
        keyspace=table.keyspace,
        name=table.name,
        key=table.key,
        clustering=table.clustering,
        types=table.types,
        rows=count,
        writes=writes_between(before, after, table),
        may_expire=_may_expire(table, samples),
        samples=tuple(samples),
    )


def _may_expire(table: Table, samples: Sequence[SampledRow]) -> bool:
    """Whether rows may go by themselves; of rows that have nothing but a key, nobody can tell."""
    return table.time_to_live > 0 or not table.cells or any(one.expires_at for one in samples)
