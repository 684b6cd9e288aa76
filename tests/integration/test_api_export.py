"""Exports over HTTP, from rows in a real Cassandra: all that is stored, one export at once."""

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from catalog_api.domain.errors import InvalidExportError
from catalog_api.domain.export import TABLES, read_export
from catalog_api.services.export import Export
from catalog_api.settings import ApiSettings
from ring import RingSettings
from schema.documents import Feature, Photo, Sku, Style
from tests.support.api import RunningApi, running_catalog
from tests.support.legacy_files import write_files
from tests.support.stored_catalog import CatalogProduct, plain_product
from tests.support.stored_tables import load_directory, read_tables

EXPORT = "/v1/products/export"
WHOLE_TIME = ApiSettings(export_share=1.0)
CATALOG = [
    CatalogProduct(
        plain_product(number, features=[Feature("Size", str(number))]),
        [Style(number, "s", 100, None, True, [Photo("t", "u")], [Sku(number, 1, "M")])],
        [1],
    )
    for number in range(1, 161)
]
FILES = {
    "product": '1,"a ""b"", c","s\'","two\nlines","Ω",140\n2,null,"","d","c",49.99\n'
    '3,"n","s","d",null,0\n',
    "features": '1,1,"Fabric","Canvas"\n2,1,"UV",null\n4,2,"Fit","null"\n',
    "styles": '1,1,"Green",null,140,1\n2,1,"Tan",49.99,140,0\n5,2,"Red",0,9,0\n',
    "photos": '1,1,"u1","t1"\n2,1,"u2","t2"\n3,2,null,"t3"\n4,5,"u4",null\n',
    "skus": '1,1,"XS",8\n2,1,"XS",0\n3,5,"M",4\n',
    "related": "1,1,2\n2,1,3\n3,1,2\n4,2,2\n",
}


async def export(api: RunningApi, **query: str) -> bytes:
    """Return a whole export."""
    async with api.client.get(EXPORT, params=query) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Transfer-Encoding"] == "chunked"
        return await answer.read()


async def test_export_when_ndjson_then_every_product_is_the_document_that_is_read(
    ring_settings: RingSettings,
) -> None:
    """All that live, each once, as /v1/products/{id} has it; a deleted one is not among them."""
    async with running_catalog(ring_settings, CATALOG, WHOLE_TIME) as api:
        changed = {"name": "Hat", "default_price": "1.50", "properties": {"sizes": ["S", "L"]}}
        async with api.client.post("/v1/products", json=changed) as answer:
            assert answer.status == 201
            created = (await answer.json())["id"]
        async with api.client.delete("/v1/products/7") as answer:
            assert answer.status == 204
        lines = (await export(api)).splitlines()
        documents = {one["id"]: one for one in map(orjson.loads, lines)}
        assert len(lines) == len(documents)
        assert documents.keys() == {*range(1, 161), created} - {7}
        for product_id in (1, 99, created):
            async with api.client.get(f"/v1/products/{product_id}") as answer:
                assert documents[product_id] == await answer.json()
        parts = [await export(api, part=str(part), parts="3") for part in (1, 2, 3)]
        assert b"".join(parts).splitlines() == lines
        rest = await export(api, after=str(orjson.loads(lines[70])["id"]))
        assert rest.splitlines() == lines[71:]


async def test_export_when_csv_then_a_load_of_it_stores_the_same_tables(
    tmp_path: Path, ring_settings: RingSettings, second_ring_settings: RingSettings
) -> None:
    """The six files of products, with quotes, line breaks, NULLs and cents."""
    await load_directory(write_files(tmp_path, FILES), ring_settings)
    before = await read_tables(ring_settings)
    again = tmp_path / "again"
    again.mkdir()
    async with running_catalog(ring_settings, [], WHOLE_TIME) as api:
        for table in TABLES:
            body = await export(api, format="csv", table=table)
            (again / f"{table}.csv").write_bytes(body)
        assert await export(api, format="csv") == (again / "product.csv").read_bytes()
        ids = [line.split(b",")[0] for line in body.splitlines()]
        assert ids[0] == b"id"
        async with api.client.head(EXPORT, params={"format": "csv", "table": "skus"}) as answer:
            assert answer.content_type == "text/csv"
            assert answer.headers["Content-Disposition"] == 'attachment; filename="skus.csv"'
    await load_directory(again, second_ring_settings)
    assert (await read_tables(second_ring_settings)).rendered() == before.rendered()


async def test_export_when_another_is_under_way_then_503_until_it_ends_or_its_caller_leaves(
    ring_settings: RingSettings,
) -> None:
    """One at a time, and nobody who has gone counts."""
    settings = ApiSettings(export_share=0.02)
    async with running_catalog(ring_settings, CATALOG, settings) as api:
        async with api.client.get(EXPORT) as first:
            assert await first.content.readline()
            async with api.client.get(EXPORT) as second:
                assert second.status == 503
                assert second.content_type == "application/problem+json"
                assert int(second.headers["Retry-After"]) > 0
            first.close()
        deadline_at = time.monotonic() + 10
        while time.monotonic() < deadline_at:
            async with api.client.get(EXPORT) as third:
                if third.status == 200:
                    return
            await asyncio.sleep(0.05)
        pytest.fail("the slot of a caller who has gone was never free again")


async def test_export_when_the_caller_is_old_then_the_body_ends_with_the_connection(
    ring_settings: RingSettings,
) -> None:
    """HTTP/1.0 knows no chunks."""
    async with running_catalog(ring_settings, CATALOG[:3], WHOLE_TIME) as api:
        whole = await api.exchange(f"GET {EXPORT} HTTP/1.0\r\n\r\n".encode())
        head, _, body = whole.partition(b"\r\n\r\n")
        assert b"Connection: close" in head
        assert b"Transfer-Encoding" not in head
        assert body == await export(api)


async def test_export_when_it_fails_on_the_way_then_the_connection_is_cut(
    ring_settings: RingSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody takes a part for the whole."""
    async with running_catalog(ring_settings, CATALOG, WHOLE_TIME) as api:

        async def fail(self: Any) -> bytes:
            raise RuntimeError(f"{self} broke")

        async with api.client.get(EXPORT) as answer:
            monkeypatch.setattr(Export, "__anext__", fail)
            with pytest.raises(Exception, match=r"payload|reset|closed"):
                await answer.read()


async def test_export_when_others_read_then_all_of_them_are_answered(
    ring_settings: RingSettings,
) -> None:
    """Reads go on beside exports, and the export rests for the share of its time that it must."""
    settings = replace(WHOLE_TIME, export_share=0.2)
    async with running_catalog(ring_settings, CATALOG, settings) as api:
        exporting = asyncio.create_task(export(api))
        reads = 0
        while not exporting.done():
            async with api.client.get(f"/products/{reads % 160 + 1}") as answer:
                assert answer.status == 200
                await answer.read()
            reads += 1
        assert len((await exporting).splitlines()) == 160
        assert reads > 20


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"fromat": "csv"}, "fromat"),
        ({"format": "xml"}, "format"),
        ({"table": "styles"}, "table"),
        ({"format": "csv", "table": "reviews"}, "table"),
        ({"part": "2"}, "part"),
        ({"parts": "0"}, "parts"),
        ({"after": "x"}, "after"),
    ],
)
def test_export_when_it_cannot_be_then_the_detail_names_why(
    query: dict[str, str], word: str
) -> None:
    """Every parameter is checked before anything is read."""
    with pytest.raises(InvalidExportError, match=word):
        read_export(query.items())
