"""Loads into tables that the API wrote to: what people did is neither lost nor counted twice."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import orjson

from ring import RingSettings
from ring.nodes.settings import REPOSITORY
from schema.ids import FIRST_NEW_ID
from tests.support.api import RunningApi, running_catalog

FILES = {
    "product": "id,name,slogan,description,category,default_price\n1,a,b,c,d,10\n",
    "characteristics": "id,product_id,name\n14,1,Fit\n",
    "reviews": (
        "id,product_id,rating,date,summary,body,recommend,reported,reviewer_name,reviewer_email,"
        "response,helpfulness\n"
        '5,1,3,1600000000000,"s","b",true,false,"n","e","null",2\n'
    ),
    "characteristic_reviews": "id,characteristic_id,review_id,value\n1,14,5,2\n",
}
LATER_ROW = '6,1,1,1600000000000,"s","b",true,false,"n","e","null",0\n'


def _write(folder: Path, **later: str) -> Path:
    folder.mkdir()
    for name, text in (FILES | later).items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


async def _load(folder: Path, settings: RingSettings, as_of: str) -> None:
    environ = os.environ | {
        "CATALOG_CONTACT_POINTS": ",".join(settings.contact_points),
        "CATALOG_KEYSPACE": settings.keyspace,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "etl", "load", str(folder), "--via", "driver", "--as-of", as_of),
        cwd=REPOSITORY,
        env=environ,
    )
    assert await process.wait() == 0


async def _fetch(api: RunningApi, path: str) -> Any:
    async with api.client.get(path) as response:
        assert response.status == 200
        return orjson.loads(await response.read())


async def _post_review(api: RunningApi) -> None:
    body = {
        "product_id": 1, "rating": 5, "summary": "s", "body": "b", "recommend": False,
        "name": "n", "email": "e", "characteristics": {"14": 4},
    }  # fmt: skip
    async with api.client.post("/reviews", json=body) as response:
        assert response.status == 201


async def test_reviews_when_posted_between_loads_then_each_counts_once(
    ring_settings: RingSettings, tmp_path: Path
) -> None:
    """A later export, with one more review, leaves posts, votes and reports as they are."""
    await _load(_write(tmp_path / "1"), ring_settings, "2024-01-01T00:00:00Z")
    async with running_catalog(ring_settings, []) as api:
        await _post_review(api)
        async with api.client.put("/reviews/5/helpful") as response:
            assert response.status == 204
        later = _write(tmp_path / "2", reviews=FILES["reviews"] + LATER_ROW)
        await _load(later, ring_settings, "2025-01-01T00:00:00Z")
        listed = (await _fetch(api, "/reviews?product_id=1"))["results"]
        assert [one["helpfulness"] for one in listed] == [3, 0, 0]
        assert [one["review_id"] for one in listed[:2]] == [5, 6]
        meta = await _fetch(api, "/reviews/meta?product_id=1")
        assert meta["ratings"] == {"1": "1", "3": "1", "5": "1"}
        assert meta["recommended"] == {"false": "1", "true": "2"}
        assert meta["characteristics"]["Fit"]["value"] == "3.0000000000000000"


async def test_ids_when_files_bring_those_that_the_api_gives_then_new_ones_lie_above(
    ring_settings: RingSettings, tmp_path: Path
) -> None:
    """Rows that were exported from here and are loaded into an empty ring keep their ids."""
    exported = FIRST_NEW_ID + 77_000
    reviews = FILES["reviews"] + LATER_ROW.replace("6", str(exported), 1)
    files = _write(tmp_path / "1", reviews=reviews)
    await _load(files, ring_settings, "2024-01-01T00:00:00Z")
    async with running_catalog(ring_settings, []) as api:
        await _post_review(api)
        listed = (await _fetch(api, "/reviews?product_id=1"))["results"]
        assert max(one["review_id"] for one in listed) == exported + 1
