"""Whether a ring holds what a backup says: counts of rows, and sampled rows."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ring.backups.bounded import side_by_side
from ring.backups.manifest import BackedTable, Manifest, SampledRow
from ring.operations.context import Context
from ring.operations.errors import OperationError
from ring.operations.row_samples import AT_ONCE, RowReader, fetch_sizes
from ring.operations.tables import Table, fetch_tables

_INDEX_SECONDS: Final = 6 * 3600.0
_POLL_SECONDS: Final = 2.0
_INDEXES: Final = (
    "SELECT keyspace_name, index_name, is_queryable, is_building"
    " FROM system_views.sai_column_indexes"
)


@dataclass(frozen=True, slots=True)
class TableCheck:
    """What became of one table.

    Attributes:
        rows: counted.
        least: that the backup allows.
        most: that it allows; None when nothing is known.
        same: sampled rows that are as they were.
        expired: that are not, and may have expired since.
        wrong: that are not, and cannot have: their keys.
    """

    table: str
    rows: int
    least: int
    most: int | None
    same: int
    expired: int
    wrong: tuple[str, ...]

    @property
    def problem(self) -> str:
        """What is wrong, in words; empty when all is well."""
        words = []
        if self.rows < self.least or (self.most is not None and self.rows > self.most):
            words.append(f"{self.rows:,} rows, the backup says {_span(self.least, self.most)}")
        if self.wrong:
            words.append(
                f"{len(self.wrong)} of {len(self.wrong) + self.same} sampled rows are missing or "
                f"other, the first {self.wrong[0]}"
            )
        return f"{self.table}: {'; '.join(words)}" if words else ""


def expected_rows(table: BackedTable) -> tuple[int, int | None]:
    """Return how many rows there are at least and at most, as far as the backup knows.

    Each write that replicas took while it counted may have made or removed a row.
    """
    if table.writes is None:
        return 0, None
    least = 0 if table.may_expire else max(0, table.rows - table.writes)
    return least, table.rows + table.writes


async def check_tables(context: Context, manifest: Manifest) -> list[TableCheck]:
    """Count all tables and read all sampled rows again. Consistency: QUORUM.

    Raises:
        OperationError: too few replicas answered, or a table is missing.
    """
    view = await context.reader.read()
    addresses = sorted(view.answering)
    sizes = await fetch_sizes(context.reader, addresses)
    found = await fetch_tables(context.reader, [one.name for one in manifest.keyspaces])
    tables = {(table.keyspace, table.name): table for table in found}
    rows = RowReader(context.reader, addresses)
    checks = []
    for backed in manifest.tables:
        table = tables.get((backed.keyspace, backed.name))
        if table is None:
            raise OperationError(
                f"there is no table {backed.keyspace}.{backed.name}",
                advice="Restore the backup: catalog-ring restore PLACE",
            )
        size = sizes.get((table.keyspace, table.name), 0)
        check = await _check(rows, table, backed, await rows.count(table, size))
        context.say(f"{'':>18} {_describe(check, len(backed.samples))}")
        checks.append(check)
    return checks


async def _check(rows: RowReader, table: Table, backed: BackedTable, count: int) -> TableCheck:
    same, expired = 0, 0
    wrong: list[str] = []

    async def compare(sample: SampledRow) -> None:
        nonlocal same, expired
        now = await rows.read_again(table, backed.types, sample.key)
        if now is not None and now.sha256 == sample.sha256:
            same += 1
        elif sample.expires_at is not None and time.time() >= sample.expires_at:
            expired += 1
        else:
            wrong.append(", ".join(f"{name} = {value}" for name, value in sample.key.items()))

    await side_by_side(AT_ONCE, backed.samples, compare)
    least, most = expected_rows(backed)
    return TableCheck(table.full_name, count, least, most, same, expired, tuple(sorted(wrong)))


def _describe(check: TableCheck, sampled: int) -> str:
    line = f"{check.table}: {check.rows:,} rows"
    if check.rows or sampled:
        line += f" (backup: {_span(check.least, check.most)}), {check.same} of {sampled} samples"
    if check.expired:
        line += f", {check.expired} may have expired"
    return line


def _span(least: int, most: int | None) -> str:
    if most is None:
        return "any number"
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


async def wait_for_indexes(context: Context, addresses: Sequence[str]) -> None:
    """Wait until every node has built its part of the indexes.

    Raises:
        OperationError: a node does not answer, or an index cannot be used.
    """
    deadline = time.monotonic() + _INDEX_SECONDS
    for address in addresses:
        while True:
            rows = await context.reader.run_cql(_INDEXES, address=address)
            waiting = [
                str(row["index_name"])
                for row in rows
                if row["is_building"] or not row["is_queryable"]
            ]
            if not waiting:
                break
            if time.monotonic() > deadline:
                raise OperationError(
                    f"{address} has not built {', '.join(waiting)}",
                    advice="See its system.log; nodetool rebuild_index KEYSPACE TABLE INDEX",
                )
            await asyncio.sleep(_POLL_SECONDS)
