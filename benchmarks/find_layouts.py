"""Small rows in the order of price, with and without an index on their terms."""

import asyncio
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ring import RingClient, RingSettings
from ring.apply_schema import apply_schema
from ring.statements import Consistency, Statement

KEYSPACE: Final = "find_layouts"
SHARD_ROWS: Final = 100_000
FOUND_ROWS: Final = 25
SLICE_ROWS: Final = 500
READY_SECONDS: Final = 60.0
WRITE_SECONDS: Final = 30.0
READ_SECONDS: Final = 20.0
_PARALLEL_BATCHES: Final = 16
_TABLES: Final = ("plain", "indexed")
_TABLE: Final = """CREATE TABLE IF NOT EXISTS {name} (
    shard int, price bigint, product_id bigint, terms set<text>,
    PRIMARY KEY (shard, price, product_id)
) WITH compression = {{'enabled': false}}
  AND compaction = {{'class': 'UnifiedCompactionStrategy'}};
"""
_INDEX: Final = (
    "CREATE CUSTOM INDEX IF NOT EXISTS indexed_terms ON indexed (terms)"
    " USING 'StorageAttachedIndex';\n"
)
_WRITE: Final = "INSERT INTO {table} (shard, price, product_id, terms) VALUES (?, ?, ?, ?)"
_SLICE: Final = "FROM {table} WHERE shard = ? AND (price, product_id) > (?, ?)"

CONDITIONS: Final[Mapping[str, Sequence[str]]] = {
    "90 % match": ("in_stock",),
    "30 % match": ("on_sale",),
    "5 % match": ("colour=3",),
    "0.1 % match": ("brand=7",),
    "none matches": ("nothing",),
    "two conditions, 0.8 % match both": ("colour=3", "size=2"),
    "two conditions, 0.005 % match both": ("brand=7", "colour=3"),
}


def statements() -> list[Statement]:
    """Return what the client is opened with."""
    writes = [
        Statement(
            f"write_{table}",
            _WRITE.format(table=table),
            Consistency.LOCAL_QUORUM,
            idempotent=True,
        )
        for table in _TABLES
    ]
    scan = _read("scan", "plain", "price, product_id, terms", 0, "")
    filtered = [
        _read(f"filter_{terms}", "plain", "price, product_id", terms, " ALLOW FILTERING")
        for terms in (1, 2)
    ]
    indexed = [
        _read(f"index_{terms}", "indexed", "price, product_id", terms, "") for terms in (1, 2)
    ]
    return [*writes, scan, *filtered, *indexed]


def _read(name: str, table: str, columns: str, terms: int, end: str) -> Statement:
    conditions = " AND terms CONTAINS ?" * terms
    return Statement(
        name,
        f"SELECT {columns} {_SLICE.format(table=table)}{conditions} LIMIT ?{end}",
        Consistency.LOCAL_QUORUM,
        idempotent=True,
    )


async def create(settings: RingSettings, folder: Path) -> None:
    """Create both tables, empty."""
    (folder / "tables").mkdir(parents=True)
    (folder / "changes").mkdir()
    (folder / "keyspace.cql").write_text(
        "CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {{'class':"
        " 'NetworkTopologyStrategy', '{datacenter}': {replication_factor}}};\n",
        encoding="utf-8",
    )
    tables = "".join(_TABLE.format(name=name) for name in _TABLES)
    (folder / "tables" / "layouts.cql").write_text(tables + _INDEX, encoding="utf-8")
    await apply_schema(settings, folder, replication_factor=1)


def rows(count: int) -> Iterator[tuple[int, int, int, set[str]]]:
    """Yield the same random rows each time: shard, price, id, terms."""
    chance = random.Random(5)  # noqa: S311 - no secret
    for number in range(count):
        terms = {
            f"colour={chance.randrange(20)}",
            f"size={chance.randrange(6)}",
            f"brand={chance.randrange(1000)}",
        }
        if chance.random() < 0.3:
            terms.add("on_sale")
        if chance.random() < 0.9:
            terms.add("in_stock")
        yield number // SHARD_ROWS, chance.randrange(100, 50_000), number, terms


async def write(ring: RingClient, table: str, count: int) -> None:
    """Write all rows of a table."""
    gate = asyncio.Semaphore(_PARALLEL_BATCHES)
    async with asyncio.TaskGroup() as group:
        for batch in ring.gather(f"write_{table}", rows(count)):
            await gate.acquire()
            task = group.create_task(ring.write(batch, timeout_seconds=WRITE_SECONDS))
            task.add_done_callback(lambda _task: gate.release())


async def find(ring: RingClient, way: str, shard: int, price: int, terms: Sequence[str]) -> int:
    """Return how many of the next 25 rows were found in one of three ways."""
    key = (shard, price, 0)
    if way != "scan":
        values = (*key, *terms, FOUND_ROWS)
        found = await ring.execute(f"{way}_{len(terms)}", values, timeout_seconds=READ_SECONDS)
        return len(found)
    count, wanted = 0, set(terms)
    while count < FOUND_ROWS:
        values = (*key, SLICE_ROWS)
        slice_ = await ring.execute("scan", values, timeout_seconds=READ_SECONDS)
        count += sum(wanted.issubset(row[2] or ()) for row in slice_)
        if len(slice_) < SLICE_ROWS:
            break
        key = (shard, *slice_[-1][:2])
    return min(count, FOUND_ROWS)
