"""Loads into a real Cassandra: what is stored, stored again, and merged."""

import asyncio
import time
from pathlib import Path

import pytest

from etl.account import Outcome
from etl.errors import TooManyRejectsError
from etl.thresholds import RejectsAllowed
from ring import RingClient, RingSettings
from schema.documents import MAX_ID, block_of, count_live_ids
from schema.statements import LOAD_STATEMENTS, WRITE_PRODUCT
from tests.support.legacy_files import clean_files, write_files
from tests.support.stored_tables import READY_SECONDS, load_directory, read_tables

_PRODUCT_IDS = [1, 2, 7, 999, 1000, 2_500_000, MAX_ID]
_CATALOG = {
    "product": "".join(
        f'{number},"n{number}","s","d","c",{number % 100}\n' for number in _PRODUCT_IDS
    ),
    "features": '1,1,"Fabric","Canvas"\n2,1,"UV",null\n3,7,"Fit","null"\n4,9,"x","y"\n',
    "styles": '1,1,"Green",null,140,1\n2,1,"Tan",49.99,140,0\n5,2,"Red",null,9,0\n',
    "photos": '1,1,"u1","t1"\n2,1,"u2","t2\n3,2,null,"t3"\n4,5,"u4","t4"\n',
    "skus": '1,1,"XS",8\n2,1,"XS",0\n3,5,"M",4\n4,77,"M",4\n',
    "related": "1,1,2\n2,1,7\n3,1,2\n4,2,2\n5,7,0\n",
}


async def test_load_when_done_then_tables_hold_what_the_files_say(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """Rows, blocks, bitmaps and directory agree with each other and with the cleaned files."""
    account = await load_directory(write_files(tmp_path, _CATALOG), ring_settings)
    stored = await read_tables(ring_settings)
    cleaned = await asyncio.to_thread(clean_files, tmp_path)
    assert account.outcome is Outcome.WRITTEN
    assert account.products_written == 7
    assert stored.tables["products_by_id"] == sorted(row[:-1] for row in cleaned.rows.values())
    assert stored.tables["products_by_block"] == sorted(
        (block_of(row.product_id), row.product_id, row.list_row) for row in cleaned.rows.values()
    )
    assert stored.listed_ids() == stored.product_ids() == _PRODUCT_IDS
    assert stored.counted() == {0: 4, 1: 1, 2500: 1, MAX_ID // 1000: 1}


async def test_load_when_repeated_then_the_same_tables(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """Case 24."""
    write_files(tmp_path, _CATALOG)
    first = await load_directory(tmp_path, ring_settings)
    once = await read_tables(ring_settings)
    second = await load_directory(tmp_path, ring_settings)
    assert await read_tables(ring_settings) == once
    assert second.files == first.files


@pytest.mark.parametrize(
    "halves",
    [
        (("product", "styles"), ("features", "photos", "skus", "related")),
        (("product", "features", "styles", "photos"), ("skus", "related")),
        (("product", "features"), ("styles",), ("photos", "related"), ("skus",)),
    ],
)
async def test_load_when_in_halves_by_file_then_as_whole(
    halves: tuple[tuple[str, ...], ...], tmp_path: Path, ring_settings: RingSettings
) -> None:
    """Absent files are kept from the tables, so parts add up."""
    for number, names in enumerate(halves):
        part = tmp_path / str(number)
        part.mkdir()
        await load_directory(
            write_files(part, {name: _CATALOG[name] for name in names}), ring_settings
        )
    whole = tmp_path / "whole"
    whole.mkdir()
    cleaned = await asyncio.to_thread(clean_files, write_files(whole, _CATALOG))
    stored = await read_tables(ring_settings)
    assert stored.tables["products_by_id"] == sorted(row[:-1] for row in cleaned.rows.values())
    assert stored.counted() == {0: 4, 1: 1, 2500: 1, MAX_ID // 1000: 1}


async def test_load_when_rows_are_split_then_as_the_files_one_after_the_other(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """Two loads leave what one of the joined files leaves, moved and replaced rows too."""
    later = {
        "product": '3,"new","s","d","c",3\n2,"n2 again","s","d","c",5\n',
        # Feature 1 moves from product 1 to 7, style 5 from product 2 to 3, photo 1 to style 5.
        "features": '1,7,"Fabric","Wool"\n9,2,"Fit","Slim"\n',
        "styles": '5,3,"Red",8,9,1\n',
        "photos": '1,5,"u1","t1"\n',
        "skus": '9,1,"XL",1\n2,1,"S",6\n',
        "related": "2,7,1\n8,999,3\n",
    }
    first, second, both = (tmp_path / name for name in ("first", "second", "both"))
    for directory in (first, second, both):
        directory.mkdir()
    await load_directory(write_files(first, _CATALOG), ring_settings)
    await load_directory(write_files(second, later), ring_settings)
    joined = {name: _CATALOG[name].rstrip("\n") + "\n" + later[name] for name in _CATALOG}
    cleaned = await asyncio.to_thread(clean_files, write_files(both, joined))
    stored = await read_tables(ring_settings)
    assert stored.tables["products_by_id"] == sorted(row[:-1] for row in cleaned.rows.values())
    assert [one["feature"] for one in stored.body(1, "product")["features"]] == ["UV"]
    assert stored.counted() == {0: 5, 1: 1, 2500: 1, MAX_ID // 1000: 1}


async def test_load_when_children_only_then_stored_parents_count(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """A stored product or style is a parent; one that is neither stored nor loaded is none."""
    await load_directory(write_files(tmp_path, _CATALOG), ring_settings)
    more = tmp_path / "more"
    more.mkdir()
    write_files(more, {"skus": '50,5,"L",1\n51,6,"L",1\n', "related": "50,999,1000\n51,999,5\n"})
    account = await load_directory(more, ring_settings)
    stored = await read_tables(ring_settings)
    assert account.files["skus.csv"].rejected == {"orphan": 1}
    assert account.files["related.csv"].rejected == {"orphan": 1}
    assert list(stored.body(2, "styles")["results"][0]["skus"]) == ["3", "50"]
    assert stored.body(999, "related") == [1000]


async def test_load_when_too_many_rejects_then_nothing_is_written(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """The threshold is judged before the first write; the rejects are kept all the same."""
    write_files(tmp_path, _CATALOG)
    with pytest.raises(TooManyRejectsError, match="3 of 27 rows"):
        await load_directory(tmp_path, ring_settings, rejects_allowed=RejectsAllowed(rows=2))
    assert not (await read_tables(ring_settings)).product_ids()
    assert len((tmp_path / "rejects.jsonl").read_text().splitlines()) == 3


async def test_load_when_as_of_is_older_then_later_rows_stay(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """What is newer wins, yet products that only the older load has are stored and listed."""
    now = time.time_ns() // 1_000
    newer, older = tmp_path / "newer", tmp_path / "older"
    newer.mkdir()
    older.mkdir()
    await load_directory(
        write_files(newer, {"product": '1,"newer","s","d","c",1\n'}),
        ring_settings,
        as_of_microseconds=now,
    )
    await load_directory(
        write_files(older, {"product": '1,"older","s","d","c",1\n2,"added","s","d","c",1\n'}),
        ring_settings,
        as_of_microseconds=now - 1_000_000,
    )
    stored = await read_tables(ring_settings)
    assert stored.body(1, "product")["name"] == "newer"
    assert stored.listed_ids() == [1, 2]
    assert stored.counted() == {0: 2}


@pytest.mark.parametrize(("deleted_later", "listed"), [(True, [2]), (False, [1, 2])])
async def test_load_when_a_product_was_deleted_then_the_later_of_both_wins(
    tmp_path: Path, ring_settings: RingSettings, *, deleted_later: bool, listed: list[int]
) -> None:
    """A deletion is a live row with empty bodies; a late load does not bring the product back."""
    as_of = time.time_ns() // 1_000 - 10_000_000
    deleted_at = as_of + (1_000_000 if deleted_later else -1_000_000)
    ring = await RingClient.open(ring_settings, LOAD_STATEMENTS)
    await ring.wait_ready(READY_SECONDS)
    await ring.execute(WRITE_PRODUCT.name, (1, b"", "", b"", "", b"", b"", "", deleted_at))
    await ring.aclose()
    write_files(tmp_path, {"product": '1,"a","s","d","c",1\n2,"b","s","d","c",1\n'})
    await load_directory(tmp_path, ring_settings, as_of_microseconds=as_of)
    stored = await read_tables(ring_settings)
    assert stored.listed_ids() == listed
    assert stored.counted() == {0: len(listed)}
    assert sum(count_live_ids(bits) for _block, bits in stored.tables["live_ids"]) == len(listed)


async def test_children_when_their_product_was_deleted_then_orphans(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """A deleted product exists for nobody."""
    ring = await RingClient.open(ring_settings, LOAD_STATEMENTS)
    await ring.wait_ready(READY_SECONDS)
    await ring.execute(WRITE_PRODUCT.name, (1, b"", "", b"", "", b"", b"", "", 1_000))
    await ring.aclose()
    write_files(tmp_path, {"features": '1,1,"a","b"\n'})
    account = await load_directory(tmp_path, ring_settings)
    assert account.files["features.csv"].rejected == {"orphan": 1}
