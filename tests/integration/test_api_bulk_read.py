"""Bulk reads over HTTP, from rows in a real Cassandra."""

import msgpack  # type: ignore[import-untyped]
import orjson

from catalog_api.settings import ApiSettings
from ring import RingSettings
from tests.support.api import running_catalog
from tests.support.catalog_documents import send, until
from tests.support.stored_catalog import CatalogProduct, plain_product

CATALOG = [CatalogProduct(plain_product(number)) for number in range(1, 601)]


async def test_products_when_read_in_bulk_then_in_the_order_asked_and_missing_ones_named(
    ring_settings: RingSettings,
) -> None:
    """Five hundred and more, duplicates once, each as it is served alone; also deleted ones."""
    async with running_catalog(ring_settings, CATALOG) as api:
        assert (await send(api, "DELETE", "/v1/products/5")).status == 204
        await until(api, "/products/5", None)
        ids = [*range(600, 0, -1), 7, 9_999, 2**53 - 1, 9_999]
        path = "/v1/products?ids=" + ",".join(map(str, ids))
        answer = await send(api, "GET", path)
        assert answer.status == 200
        assert list(answer.json) == ["products", "missing"]
        found = [product["id"] for product in answer.json["products"]]
        assert found == [one for one in range(600, 0, -1) if one != 5]
        assert answer.json["missing"] == [5, 9_999, 2**53 - 1]
        alone = await send(api, "GET", "/products/17")
        assert orjson.dumps(answer.json["products"][600 - 17]) == alone.body
        assert (await send(api, "GET", path, If_None_Match=answer.etag)).status == 304
        packed = await send(api, "GET", path, Accept="application/msgpack")
        assert msgpack.unpackb(packed.body) == answer.json
        changed = await send(api, "PATCH", "/v1/products/17", {"name": "other"})
        assert changed.status == 200
        await until(api, "/products/17", alone.json | {"name": "other"})
        again = await send(api, "GET", path, If_None_Match=answer.etag)
        assert again.status == 200
        assert again.json["products"][600 - 17]["name"] == "other"


async def test_ids_when_they_cannot_be_read_then_400_says_why(ring_settings: RingSettings) -> None:
    """None, too many, or something else."""
    settings = ApiSettings(max_bulk_ids=3)
    async with running_catalog(ring_settings, CATALOG[:1], settings) as api:
        for query in (
            "",
            "?ids=",
            "?ids=1,,2",
            "?ids=1,x",
            "?ids=-1",
            "?ids=9007199254740992",
            "?ids=1,2,3,4",
            "?ids=1,2&ids=3,4",
            "?ids=1&ids=",
        ):
            answer = await send(api, "GET", f"/v1/products{query}")
            assert answer.status == 400, query
            assert "ids" in answer.json["detail"]
        for query in ("ids=1,2,1", "ids=1&ids=2&ids=1"):
            answer = await send(api, "GET", f"/v1/products?{query}")
            assert [one["id"] for one in answer.json["products"]] == [1]
            assert answer.json["missing"] == [2]
