"""What the generator planted is what the load's account finds, and both writers leave the same."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from etl.__main__ import main
from etl.account import Account
from etl.kinds import Reject, Repair
from etl.writers.choice import Via
from ring import RingSettings
from tests.support.legacy_files import clean_files
from tests.support.stored_tables import load_directory, read_tables
from tests.support.table_digests import LOADED, first_difference, read_digests


async def _generate(directory: Path, products: int, seed: int) -> dict[str, Any]:
    """Make a dirty set; return what its manifest says of the files."""
    arguments = ["--products", str(products), "--seed", str(seed), "--dirty", "0.01"]
    assert await asyncio.to_thread(main, ["generate", str(directory), *arguments]) == 0
    files: dict[str, Any] = json.loads((directory / "manifest.json").read_text())["files"]
    for section, kinds in (("rejected", Reject), ("repaired", Repair)):
        assert {kind for planted in files.values() for kind in planted[section]} == set(kinds)
    return files


def _require_manifest(account: Account, files: dict[str, Any]) -> None:
    assert account.files.keys() == files.keys()
    for name, file in account.files.items():
        planted = files[name]
        assert (file.rows_in, file.loaded) == (planted["rows"], planted["loaded"]), name
        assert file.repaired == planted["repaired"], name
        assert file.rejected == planted["rejected"], name
        assert file.notes == planted["notes"], name


async def _load_by_each_writer(
    directory: Path,
    files: dict[str, Any],
    by_driver: RingSettings,
    by_sstable: RingSettings,
    **more: Any,
) -> Account:
    """Load twice; both accounts are the manifest, and all cells and their times are the same."""
    as_of = time.time_ns() // 1_000 - 1_000_000
    accounts = []
    for via, settings in ((Via.SSTABLE, by_sstable), (Via.DRIVER, by_driver)):
        account = await load_directory(
            directory, settings, as_of_microseconds=as_of, via=via, **more
        )
        _require_manifest(account, files)
        accounts.append(account)
    wanted, found = await read_digests(by_driver), await read_digests(by_sstable)
    for name, table in wanted.items():
        assert bool(table.rows) == (name in LOADED), name
        if found[name] != table:
            told = await first_difference(by_driver, by_sstable, table, found[name])
            pytest.fail(f"{name}: only by the driver {told[0]}, only as SSTables {told[1]}")
    assert accounts[0].files == accounts[1].files
    assert accounts[0].rows_written == accounts[1].rows_written
    return accounts[0]


@pytest.mark.timeout(300)  # two loads of all files; a busy machine takes a minute for each
async def test_writers_when_set_is_generated_then_accounts_and_tables_are_the_same(
    tmp_path: Path, ring_settings: RingSettings, second_ring_settings: RingSettings
) -> None:
    """Rows, loaded, repaired, rejected and notes of every file, and what is stored of them."""
    files = await _generate(tmp_path, 1_000, seed=1)
    account = await _load_by_each_writer(
        tmp_path, files, ring_settings, second_ring_settings, slice_products=500
    )
    stored = await read_tables(ring_settings)
    cleaned = await asyncio.to_thread(clean_files, tmp_path, slice_members=500)
    assert stored.rendered() == cleaned.tables
    assert account.rows_written == sum(map(len, cleaned.tables.values()))
    assert len(stored.product_ids()) == files["product.csv"]["stored"]
    assert stored.listed_ids() == stored.product_ids()
    assert sum(stored.counted().values()) == len(stored.product_ids())


@pytest.mark.faults
@pytest.mark.timeout(7200)
async def test_writers_when_set_has_100_000_products_then_accounts_and_tables_are_the_same(
    tmp_path: Path, ring_settings: RingSettings, second_ring_settings: RingSettings
) -> None:
    """Some seven million rows in."""
    files = await _generate(tmp_path, 100_000, seed=2)
    await _load_by_each_writer(
        tmp_path,
        files,
        ring_settings,
        second_ring_settings,
        slice_products=20_000,
        load_concurrency=128,
    )
