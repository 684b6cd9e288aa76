"""`catalog-etl verify` against a real Cassandra: what it finds, and what it must not overlook."""

import time
from pathlib import Path

import pytest

from etl.inputs import find_inputs
from etl.progress import Progress
from etl.settings import EtlSettings
from etl.verify import Verdict, verify
from ring import RingSettings
from tests.integration.test_load import CATALOG
from tests.support.cql_tables import run_cql
from tests.support.legacy_files import write_files
from tests.support.stored_tables import load_directory

_REPORT = """
UPDATE reviews_by_product USING TIMESTAMP {now} SET reported = true
WHERE product_id = 1 AND section = 0 AND item = 1
"""


async def _verify(
    directory: Path, settings: RingSettings, *, sample_rows: int | None = None
) -> Verdict:
    return await verify(
        find_inputs([str(directory)]),
        time.time_ns() // 1_000,
        EtlSettings(load_slice_products=3),
        settings,
        Progress(),
        sample_rows=sample_rows,
    )


async def test_tables_when_just_loaded_then_as_the_files_say(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """Every row of every table is compared, and none is wrong."""
    account = await load_directory(write_files(tmp_path, CATALOG), ring_settings)
    verdict = await _verify(tmp_path, ring_settings)
    assert verdict.is_well, verdict.text()
    assert sum(table.compared for table in verdict.tables) == account.rows_written
    assert all(table.stored == table.expected for table in verdict.tables)
    sampled = await _verify(tmp_path, ring_settings, sample_rows=1)
    assert sampled.is_well
    assert sum(table.compared for table in sampled.tables) < account.rows_written


@pytest.mark.parametrize(
    ("cql", "table", "found"),
    [
        ("DELETE FROM products_by_id WHERE product_id = 7", "products_by_id", (1, 0)),
        (
            _REPORT,
            "reviews_by_product",
            (0, 1),
        ),
        ("DELETE FROM answers_by_id WHERE block = 0 AND answer_id = 2", "answers_by_id", (1, 0)),
        ("DELETE FROM legacy_carts_by_session WHERE user_session = 70",
         "legacy_carts_by_session", (1, 0)),
    ],
)  # fmt: skip
async def test_row_when_lost_or_changed_then_named(
    cql: str, table: str, found: tuple[int, int], tmp_path: Path, ring_settings: RingSettings
) -> None:
    """One wrong cell in one table is enough."""
    await load_directory(write_files(tmp_path, CATALOG), ring_settings)
    await run_cql(ring_settings, cql.format(now=time.time_ns() // 1_000 - 1_000))
    verdict = await _verify(tmp_path, ring_settings)
    assert not verdict.is_well
    (wrong,) = [one for one in verdict.tables if not one.is_well]
    assert (wrong.table, wrong.missing, wrong.different) == (table, *found)
    assert len(wrong.examples) == 1
    assert "NOT as the files say" in verdict.text()


async def test_list_when_it_lacks_a_product_then_its_block_is_named(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """A row that no list shows is not served as the files say."""
    await load_directory(write_files(tmp_path, CATALOG), ring_settings)
    emptied = "UPDATE products_by_block USING TIMESTAMP {now} SET live_ids = 0x WHERE block = 1"
    await run_cql(ring_settings, emptied.format(now=time.time_ns() // 1_000))
    verdict = await _verify(tmp_path, ring_settings)
    assert list(verdict.unlisted_blocks) == [1]
    assert not verdict.is_well
