"""The product routes, served from rows in a real Cassandra."""

import gzip
from typing import Any

import msgpack  # type: ignore[import-untyped]
import orjson
import pytest

from catalog_api.settings import ApiSettings
from ring import RingClient, RingSettings
from schema.documents import Feature, Photo, Sku, Style
from schema.statements import LOAD_STATEMENTS
from schema.statements.load import WRITE_BLOCK_ROW, WRITE_PRODUCT
from tests.support.api import RunningApi, running_catalog
from tests.support.stored_catalog import READY_SECONDS, CatalogProduct, plain_product

INVALID = b"Error: invalid product id provided"
PHOTO = Photo("https://images.test/t?a=1&b=2", None)
STYLES = (
    Style(11, "Forest", 14000, None, is_default=True, photos=(PHOTO,), skus=(Sku(37, 8, "XS"),)),
    Style(12, "Träne", 14050, 10000, is_default=False),
)
CATALOG = (
    CatalogProduct(
        plain_product(1, features=(Feature("Fabric", "Canvas"), Feature("Buttons", None))),
        STYLES,
        (2, 3, 2, 1),
    ),
    CatalogProduct(plain_product(2, default_price_cents=4999, description="Ä" * 4096)),
    *(CatalogProduct(plain_product(number)) for number in (3, 999, 1000, 1001, 5003, 2_000_001)),
)
IDS = [entry.product.product_id for entry in CATALOG]


async def _json(api: RunningApi, path: str, **headers: str) -> Any:
    async with api.client.get(path, headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "application/json; charset=utf-8"
        return orjson.loads(await response.read())


async def test_reads_by_id_when_served_then_both_profiles_are_the_contracts(
    ring_settings: RingSettings,
) -> None:
    """One product, its styles and its related ones, in each profile's value types."""
    async with running_catalog(ring_settings, CATALOG) as api:
        product = await _json(api, "/products/1")
        assert list(product) == [
            *("id", "name", "slogan", "description", "category", "default_price", "features"),
        ]
        assert product["default_price"] == "140.00"
        assert product["features"] == [
            {"feature": "Fabric", "value": "Canvas"},
            {"feature": "Buttons", "value": None},
        ]
        assert await _json(api, "/products/1/related") == [2, 3, 2, 1]
        assert await _json(api, "/products/2/styles") == {"product_id": "2", "results": []}
        assert await _json(api, "/products/2/related") == []
        styles = await _json(api, "/products/1/styles/")
        assert styles["product_id"] == "1"
        assert [style["sale_price"] for style in styles["results"]] == [None, "100.00"]
        assert [style["default?"] for style in styles["results"]] == [True, False]
        assert styles["results"][1]["skus"] == {"null": {"quantity": None, "size": None}}
        assert styles["results"][1]["photos"] == [{"thumbnail_url": None, "url": None}]

        old = {"X-Legacy-Profile": "2020"}
        assert (await _json(api, "/products/1", **old))["default_price"] == "140"
        assert (await _json(api, "/products/2", **old))["default_price"] == "49.99"
        assert (await _json(api, "/products?count=1", **old))[0]["default_price"] == "140"
        styles = await _json(api, "/products/1/styles", **old)
        assert [style["sale_price"] for style in styles["results"]] == ["0", "100"]
        assert [style["original_price"] for style in styles["results"]] == ["140", "140.50"]
        assert [style["default?"] for style in styles["results"]] == [1, 0]


async def test_profile_when_set_for_the_deployment_then_the_header_overrides_it(
    ring_settings: RingSettings,
) -> None:
    """`CATALOG_PROFILE` is the default, `X-Legacy-Profile` wins, another value is a 400."""
    async with running_catalog(ring_settings, CATALOG, ApiSettings(profile="2020")) as api:
        assert (await _json(api, "/products/1"))["default_price"] == "140"
        new = await _json(api, "/products/1", **{"X-Legacy-Profile": "2021"})
        assert new["default_price"] == "140.00"
        for path in ("/products/1", "/products/%31", "/products", "/products/1/styles"):
            async with api.client.get(path, headers={"X-Legacy-Profile": "2019"}) as response:
                assert response.status == 400
                assert response.headers["Content-Type"] == "application/problem+json"


async def test_pages_when_ids_have_gaps_then_rows_are_counted(ring_settings: RingSettings) -> None:
    """Pages are ordered by id, count rows, cross blocks, and end in an empty one."""
    async with running_catalog(ring_settings, CATALOG, ApiSettings(max_page_rows=7)) as api:
        first = await _json(api, "/products")
        assert [row["id"] for row in first] == IDS[:5]
        assert list(first[0]) == [
            "id",
            "name",
            "slogan",
            "description",
            "category",
            "default_price",
        ]
        assert [row["id"] for row in await _json(api, "/products/?page=2&count=3&x=y")] == IDS[3:6]
        assert await _json(api, "/products?page=3&count=5") == []
        assert await _json(api, f"/products?page={'9' * 5000}") == []
        # More than the cap is the cap, and the next page goes on where it ended.
        everything = [
            row["id"]
            for page in (1, 2)
            for row in await _json(api, f"/products?page={page}&count=1000000000")
        ]
        assert everything == IDS


async def test_pages_when_rows_were_deleted_since_then_the_next_ones_fill_up(
    ring_settings: RingSettings,
) -> None:
    """A deleted product is a 404 by id and missing in pages, which stay full nonetheless."""
    async with running_catalog(ring_settings, CATALOG) as api:
        writer = await RingClient.open(ring_settings, LOAD_STATEMENTS)
        await writer.wait_ready(READY_SECONDS)
        now = 2**62
        for gone in (2, 999):
            await writer.execute(WRITE_BLOCK_ROW.name, (gone // 1000, gone, b"", now))
            row = (gone, b"", "", b"", "", b"", b"", "", now)
            await writer.execute(WRITE_PRODUCT.name, row)
        await writer.aclose()
        rows = await _json(api, "/products?count=4")
        assert [row["id"] for row in rows] == [1, 3, 1000, 1001]
        for tail in ("", "/styles", "/related"):
            async with api.client.get(f"/products/2{tail}") as response:
                assert (response.status, await response.read()) == (404, INVALID)


FORMS = [
    {},
    {"X-Legacy-Profile": "2020"},
    {"X-Legacy-Profile": "nonsense"},
    {"Accept": "application/msgpack"},
    {"Accept": "application/msgpack;;q=\xff,"},
    {"Accept-Encoding": "gzip"},
    {"Accept-Encoding": "gzip", "Accept": "application/msgpack", "X-Legacy-Profile": "2020"},
    {"If-None-Match": "*"},
    {"If-None-Match": '"nothing", W/"like" , "this"'},
    {"If-None-Match": '"broken'},
    {"Origin": "https://shop.test", "Authorization": "token"},
    {"Range": "bytes=0-10"},
]


@pytest.mark.parametrize("origins", ["*", "https://shop.test"])
async def test_fast_lane_when_compared_with_the_application_then_answers_are_equal(
    ring_settings: RingSettings, origins: str
) -> None:
    """A percent-encoded id takes aiohttp's way, a plain one the lane's: header by header equal."""
    async with running_catalog(ring_settings, CATALOG, ApiSettings(cors_origins=origins)) as api:

        async def answer(method: str, path: str, headers: dict[str, str]) -> tuple[Any, ...]:
            fixed = {"X-Request-Id": "same", "Date": "any"}
            async with api.client.request(method, path, headers=headers | fixed) as response:
                told = [(k, v) for k, v in response.headers.items() if k != "Date"]
                return response.status, told, await response.read()

        for method in ("GET", "HEAD"):
            for tail in ("", "/styles", "/related", "/styles/", "?x=y"):
                for headers in FORMS:
                    for plain, odd in (
                        ("2", "%32"),
                        ("77", "%377"),
                        ("1undefined", "%31undefined"),
                    ):
                        assert await answer(method, f"/products/{plain}{tail}", headers) == (
                            await answer(method, f"/products/{odd}{tail}", headers)
                        ), (method, tail, headers, plain)


async def test_forms_when_asked_for_then_each_is_right_and_has_its_own_tag(
    ring_settings: RingSettings,
) -> None:
    """GET, HEAD and 304 agree on each form's entity tag; Vary names what chose it."""
    async with running_catalog(ring_settings, CATALOG) as api:
        stored = await _json(api, "/products/2")
        tags = set()
        for headers in ({}, {"Accept-Encoding": "gzip"}, {"Accept": "application/msgpack"}):
            async with api.client.get("/products/2", headers=headers) as response:
                body = await response.read()
                tag = response.headers["ETag"]
                assert response.headers["Vary"] == "Accept, Accept-Encoding, X-Legacy-Profile"
                assert response.headers["Cache-Control"] == "public, no-cache"
            if "Accept-Encoding" in headers:
                assert response.headers["Content-Encoding"] == "gzip"
                body = gzip.decompress(body)
            packed = response.headers["Content-Type"] == "application/msgpack"
            assert (msgpack.unpackb(body) if packed else orjson.loads(body)) == stored
            async with api.client.head("/products/2", headers=headers) as response:
                assert (response.headers["ETag"], await response.read()) == (tag, b"")
                assert int(response.headers["Content-Length"]) > 0
            known = headers | {"If-None-Match": f'"x", W/{tag}'}
            async with api.client.get("/products/2", headers=known) as response:
                assert (response.status, response.headers["ETag"]) == (304, tag)
                assert "Content-Length" not in response.headers
                assert await response.read() == b""
            tags.add(tag)
        assert len(tags) == 3


async def test_mount_when_a_client_keeps_the_prefix_then_any_campus_is_served(
    ring_settings: RingSettings,
) -> None:
    """The same answers stand under `<mount>/<campus>`, in the lane and out of it."""
    async with running_catalog(ring_settings, CATALOG, ApiSettings(mount="/shop")) as api:
        expected = await _json(api, "/products/1/related")
        for path in ("/shop/hr-rfp/products/1/related", "/shop/x/products/%31/related/"):
            assert await _json(api, path) == expected
        assert len(await _json(api, "/shop/hr-lax/products/?count=3")) == 3
        for path in ("/shop/products/1", "/api/fec2/hr-rfp/products/1", "/shop//products/1"):
            async with api.client.get(path) as response:
                assert response.status == 404
                assert response.headers["Content-Type"] == "application/problem+json"
