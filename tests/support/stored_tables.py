"""Everything that a load leaves in the tables, for tests that compare whole loads."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from etl.account import Account
from etl.datasets import FAMILIES
from etl.inputs import find_inputs
from etl.progress import Progress
from etl.settings import EtlSettings
from etl.workflow import LoadOptions, load
from ring import Consistency, RingClient, RingSettings, Statement
from schema.documents import unpack_live_ids, unpack_segment

_COLUMNS = {
    dataset.table: ", ".join(
        "toUnixTimestamp(written_at)" if name == "written_at" else name for name in dataset.columns
    )
    for family in FAMILIES
    for dataset in family.datasets
}
_SELECTS = {
    **{table: f"SELECT {columns} FROM {table}" for table, columns in _COLUMNS.items()},  # noqa: S608
    "live_ids": "SELECT DISTINCT block, live_ids FROM products_by_block",
    "product_directory": "SELECT segment, live_rows FROM product_directory",
}
_STATEMENTS = tuple(
    Statement(name, cql, Consistency.LOCAL_QUORUM, idempotent=True)
    for name, cql in _SELECTS.items()
)
READY_SECONDS = 30.0


@dataclass(frozen=True)
class StoredTables:
    """All rows of all tables, sorted."""

    tables: Mapping[str, list[tuple[Any, ...]]]

    def product_ids(self) -> list[int]:
        """Ids of the rows of `products_by_id`."""
        return [row[0] for row in self.tables["products_by_id"]]

    def rendered(self) -> dict[str, list[tuple[Any, ...]]]:
        """The tables whose rows are rendered from the files; see `Cleaned.tables`.

        Without the empty rows that stand where something has moved away.
        """
        return {
            name: [row for row in rows if not _is_vacated(name, row)]
            for name, rows in self.tables.items()
            if name in _COLUMNS
        }

    def body(self, product_id: int, column: str) -> Any:
        """The decoded `product`, `related` or `styles` of one product."""
        place = {"product": 1, "related": 3, "styles": 6}[column]
        rows = (row for row in self.tables["products_by_id"] if row[0] == product_id)
        return orjson.loads(next(rows)[place])

    def listed_ids(self) -> list[int]:
        """Ids whose bits are set in the bitmaps."""
        bitmaps = self.tables["live_ids"]
        return sorted(one for block, bits in bitmaps for one in unpack_live_ids(block, bits or b""))

    def counted(self) -> dict[int, int]:
        """Live rows by block, as the directory has them; blocks without are left out."""
        return {
            segment * 1000 + place: rows
            for segment, packed in self.tables["product_directory"]
            for place, rows in enumerate(unpack_segment(packed))
            if rows
        }


def _is_vacated(table: str, row: tuple[Any, ...]) -> bool:
    if table == "legacy_carts_by_session":
        return not row[3]
    place = {"reviews_by_product": 5, "questions_by_product": 3}.get(table)
    return place is not None and not row[place]


async def read_tables(settings: RingSettings) -> StoredTables:
    """Read all tables."""
    ring = await RingClient.open(settings, _STATEMENTS)
    try:
        await ring.wait_ready(READY_SECONDS)
        return StoredTables(
            {name: sorted(await ring.execute(name, timeout_seconds=20.0)) for name in _SELECTS}
        )
    finally:
        await ring.aclose()


async def load_directory(
    directory: Path,
    settings: RingSettings,
    *,
    as_of_microseconds: int | None = None,
    slice_products: int = 3,
    load_concurrency: int = 16,
    rows_per_second: int = 0,
    **more: Any,
) -> Account:
    """Load as the command does, into the test's own keyspace.

    Slices are small, so that even a handful of products is rendered in several; `rows_per_second`
    keeps a load going for as long as a test wants to disturb it.
    """
    options = LoadOptions(
        inputs=find_inputs([str(directory)]),
        as_of_microseconds=as_of_microseconds or time.time_ns() // 1_000,
        rejects=directory / "rejects",
        **more,
    )
    work = directory / ".work"
    work.mkdir(exist_ok=True)
    etl_settings = EtlSettings(
        load_slice_products=slice_products,
        load_concurrency=load_concurrency,
        load_rows_per_second=rows_per_second,
        load_temp_directory=str(work),
    )
    return await load(options, etl_settings, settings, Progress(), lambda _account: None)
