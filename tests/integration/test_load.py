"""Loads into a real Cassandra: what is stored, stored again, and merged."""

import asyncio
import time
from pathlib import Path

import pytest

from etl.account import Outcome
from etl.errors import TooManyRejectsError, UsageError
from etl.thresholds import RejectsAllowed
from ring import RingClient, RingSettings
from ring.operation_lock import (
    LOCK_STATEMENTS,
    RING_LOCK,
    OperationLockedError,
    hold_operation_lock,
)
from schema.documents import MAX_ID, count_live_ids
from schema.statements import LOAD_STATEMENTS
from schema.statements.load import WRITE_PRODUCT
from tests.support.legacy_files import clean_files, read_rejects, write_files
from tests.support.stored_tables import READY_SECONDS, load_directory, read_tables

_PRODUCT_IDS = [1, 2, 7, 999, 1000, 2_500_000, MAX_ID]
CATALOG = {
    "product": "".join(
        f'{number},"n{number}","s","d","c",{number % 100}\n' for number in _PRODUCT_IDS
    ),
    "features": '1,1,"Fabric","Canvas"\n2,1,"UV",null\n3,7,"Fit","null"\n4,9,"x","y"\n',
    "styles": '1,1,"Green",null,140,1\n2,1,"Tan",49.99,140,0\n5,2,"Red",null,9,0\n',
    "photos": '1,1,"u1","t1"\n2,1,"u2","t2\n3,2,null,"t3"\n4,5,"u4","t4"\n',
    "skus": '1,1,"XS",8\n2,1,"XS",0\n3,5,"M",4\n4,77,"M",4\n',
    "related": "1,1,2\n2,1,7\n3,1,2\n4,2,2\n5,7,0\n",
    "reviews": '1,1,5,1596080481467,"s","b",true,false,"n","e",null,8\n'
    '2,2,3,"2019-01-01","s2","b2",0,1,"n2","e2","r2",0\n'
    '3,2,4,0,"s3","b3",1,0,"n3",null,null,2\n',
    "reviews_photos": '1,1,"p1"\n2,2,"p2"\n3,1,"p3"\n',
    "characteristics": '1,1,"Fit"\n2,2,"Fit"\n3,999,"Size"\n',
    "characteristic_reviews": "1,1,1,4\n2,2,2,3\n3,2,3,5\n",
    "questions": '1,1,"q","2020-01-01","n","e",0,1\n2,2,"q2",0,"n2","e2",1,0\n',
    "answers": '1,1,"a","2020-01-01","n","e",0,1\n2,2,"a2",0,"n2","e2",0,0\n'
    '3,2,"a3",0,"n3","e3",1,7\n',
    "answers_photos": '1,1,"p1"\n2,2,"p2"\n',
    "cart": "1,70,1,1\n2,71,2,0\n",
}


async def test_load_when_done_then_tables_hold_what_the_files_say(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """Rows, blocks, bitmaps and directory agree with each other and with the cleaned files."""
    account = await load_directory(write_files(tmp_path, CATALOG), ring_settings)
    stored = await read_tables(ring_settings)
    cleaned = await asyncio.to_thread(clean_files, tmp_path)
    assert account.outcome is Outcome.WRITTEN
    assert account.rows_written == sum(map(len, cleaned.tables.values()))
    assert stored.rendered() == cleaned.tables
    assert stored.listed_ids() == stored.product_ids() == _PRODUCT_IDS
    assert stored.counted() == {0: 4, 1: 1, 2500: 1, MAX_ID // 1000: 1}


async def test_load_when_repeated_then_the_same_tables(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """Case 24."""
    write_files(tmp_path, CATALOG)
    first = await load_directory(tmp_path, ring_settings)
    once = await read_tables(ring_settings)
    second = await load_directory(tmp_path, ring_settings)
    assert await read_tables(ring_settings) == once
    assert second.files == first.files


@pytest.mark.parametrize(
    "parts",
    [
        (
            "product styles reviews characteristics questions cart",
            "features photos skus related answers answers_photos",
            "reviews_photos characteristic_reviews",
        ),
        (
            "product features styles photos reviews reviews_photos questions answers",
            "skus related characteristics characteristic_reviews answers_photos cart",
        ),
        (
            "product features",
            "styles reviews questions",
            "photos related characteristics answers",
            "skus reviews_photos characteristic_reviews answers_photos cart",
        ),
    ],
)
async def test_load_when_in_parts_by_file_then_as_whole(
    parts: tuple[str, ...], tmp_path: Path, ring_settings: RingSettings
) -> None:
    """Absent files are kept from the tables, so parts add up."""
    for number, names in enumerate(parts):
        part = tmp_path / str(number)
        part.mkdir()
        await load_directory(
            write_files(part, {name: CATALOG[name] for name in names.split()}), ring_settings
        )
    whole = tmp_path / "whole"
    whole.mkdir()
    cleaned = await asyncio.to_thread(clean_files, write_files(whole, CATALOG))
    stored = await read_tables(ring_settings)
    assert stored.rendered() == cleaned.tables
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
        # Review 2 moves from product 2 to 7, photo 1 to it, characteristic 2 to product 7.
        "reviews": '2,7,1,"2019-01-01","s2","b2",1,0,"n2","e2",null,3\n',
        "reviews_photos": '1,2,"p1"\n4,3,"p4"\n',
        "characteristics": '2,7,"Fit"\n4,1,"Fit"\n',
        "characteristic_reviews": "1,4,1,2\n9,2,2,2\n",
        # Question 2 moves from product 2 to 1 with its answers, answer 1 from question 1 to 2.
        "questions": '2,1,"q2",0,"n2","e2",0,4\n',
        "answers": '1,2,"a","2020-01-01","n","e",0,1\n',
        "answers_photos": '2,3,"p2"\n',
        "cart": "1,72,1,1\n",
    }
    first, second, both = (tmp_path / name for name in ("first", "second", "both"))
    for directory in (first, second, both):
        directory.mkdir()
    await load_directory(write_files(first, CATALOG), ring_settings)
    await load_directory(write_files(second, later), ring_settings)
    joined = {name: CATALOG[name].rstrip("\n") + "\n" + later[name] for name in CATALOG}
    cleaned = await asyncio.to_thread(clean_files, write_files(both, joined))
    stored = await read_tables(ring_settings)
    assert stored.rendered() == cleaned.tables
    assert [one["feature"] for one in stored.body(1, "product")["features"]] == ["UV"]
    assert stored.counted() == {0: 5, 1: 1, 2500: 1, MAX_ID // 1000: 1}


async def test_load_when_children_only_then_stored_parents_count(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """A stored product or style is a parent; one that is neither stored nor loaded is none."""
    await load_directory(write_files(tmp_path, CATALOG), ring_settings)
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
    write_files(tmp_path, CATALOG)
    with pytest.raises(TooManyRejectsError, match="3 of 48 rows"):
        await load_directory(tmp_path, ring_settings, rejects_allowed=RejectsAllowed(rows=2))
    assert not (await read_tables(ring_settings)).product_ids()
    assert len(read_rejects(tmp_path / "rejects.csv")) == 3


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


async def test_load_when_other_content_has_the_same_as_of_then_refused(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """A tie of timestamps would mix the cells of both; the same files again are no tie."""
    as_of = time.time_ns() // 1_000 - 1_000_000
    first, other = tmp_path / "first", tmp_path / "other"
    first.mkdir()
    other.mkdir()
    write_files(first, {"product": '1,"a","s","d","c",1\n'})
    write_files(other, {"product": '1,"b","s","d","c",1\n'})
    for _ in range(2):
        await load_directory(first, ring_settings, as_of_microseconds=as_of)
    with pytest.raises(UsageError, match="other files were loaded as of"):
        await load_directory(other, ring_settings, as_of_microseconds=as_of)
    assert (await read_tables(ring_settings)).body(1, "product")["name"] == "a"
    await load_directory(other, ring_settings, as_of_microseconds=as_of + 1)
    assert (await read_tables(ring_settings)).body(1, "product")["name"] == "b"


async def test_load_when_another_runs_then_refused_and_told_by_whom(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """Two loads at once would each merge with what the other has not written yet."""
    write_files(tmp_path, CATALOG)
    client = await RingClient.open(ring_settings, LOCK_STATEMENTS)
    await client.wait_ready(READY_SECONDS)
    async with hold_operation_lock(client, RING_LOCK, owner="host-9", purpose="a bulk load"):
        with pytest.raises(OperationLockedError, match=r"a bulk load \(host-9"):
            await load_directory(tmp_path, ring_settings)
    await client.aclose()
    assert not (await read_tables(ring_settings)).product_ids()
    await load_directory(tmp_path, ring_settings)
