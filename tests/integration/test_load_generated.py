"""What the generator planted is what the load's account finds, kind by kind."""

import asyncio
import json
from pathlib import Path

import pytest

from etl.__main__ import main
from etl.writers.choice import Via
from ring import RingSettings
from tests.support.legacy_files import clean_files
from tests.support.stored_tables import load_directory, read_tables


@pytest.mark.parametrize(("seed", "via"), [(1, Via.DRIVER), (2, Via.SSTABLE)])
async def test_account_when_set_is_generated_then_equals_the_manifest(
    seed: int, via: Via, tmp_path: Path, ring_settings: RingSettings
) -> None:
    """Rows, loaded, repaired, rejected and notes of every file, and what is stored of them."""
    arguments = ["--products", "1500", "--seed", str(seed), "--dirty", "0.05"]
    assert await asyncio.to_thread(main, ["generate", str(tmp_path), *arguments]) == 0
    manifest = json.loads((tmp_path / "manifest.json").read_text())["files"]
    account = await load_directory(tmp_path, ring_settings, slice_products=500, via=via)
    for name, file in account.files.items():
        planted = manifest[name]
        assert (file.rows_in, file.loaded) == (planted["rows"], planted["loaded"]), name
        assert file.repaired == planted["repaired"], name
        assert file.rejected == planted["rejected"], name
        assert file.notes == planted["notes"], name
    stored = await read_tables(ring_settings)
    cleaned = await asyncio.to_thread(clean_files, tmp_path, slice_members=500)
    assert stored.rendered() == cleaned.tables
    assert account.rows_written == sum(map(len, cleaned.tables.values()))
    assert len(stored.product_ids()) == manifest["product.csv"]["stored"]
    assert stored.listed_ids() == stored.product_ids()
    assert sum(stored.counted().values()) == len(stored.product_ids())
