"""What the generator planted is what the load's account finds, kind by kind."""

import asyncio
import json
from pathlib import Path

import pytest

from etl.__main__ import main
from ring import RingSettings
from tests.support.stored_tables import load_directory, read_tables


@pytest.mark.parametrize("seed", [1, 2])
async def test_account_when_set_is_generated_then_equals_the_manifest(
    seed: int, tmp_path: Path, ring_settings: RingSettings
) -> None:
    """Rows, loaded, repaired, rejected and notes of every product-side file, and what is stored."""
    arguments = ["--products", "1500", "--seed", str(seed), "--dirty", "0.05"]
    assert await asyncio.to_thread(main, ["generate", str(tmp_path), *arguments]) == 0
    manifest = json.loads((tmp_path / "manifest.json").read_text())["files"]
    account = await load_directory(tmp_path, ring_settings, slice_products=500)
    for name, file in account.files.items():
        planted = manifest[name]
        assert (file.rows_in, file.loaded) == (planted["rows"], planted["loaded"]), name
        assert file.repaired == planted["repaired"], name
        assert file.rejected == planted["rejected"], name
        assert file.notes == planted["notes"], name
    stored = await read_tables(ring_settings)
    assert len(stored.product_ids()) == manifest["product.csv"]["stored"]
    assert stored.listed_ids() == stored.product_ids()
    assert sum(stored.counted().values()) == len(stored.product_ids())
