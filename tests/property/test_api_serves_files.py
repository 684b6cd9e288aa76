"""For any catalog, what the API serves equals what the CSV files say.

Files are written from drawn rows, loaded by the real load into a real Cassandra and read over HTTP.
What is expected is worked out here from the rows alone, with nothing of the load or the schema.
"""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog_api.settings import ApiSettings
from ring import RingClient, RingSettings
from schema.statements import API_STATEMENTS
from tests.support.api import RunningApi, running_api
from tests.support.legacy_files import write_files
from tests.support.stored_catalog import READY_SECONDS
from tests.support.stored_tables import load_directory

Row = tuple[Any, ...]
Files = Mapping[str, Sequence[Row]]

TEXTS = st.text(st.sampled_from("aZ9 ,;'\"\\/<&{}[]:\t\nÄß€😀"), max_size=12) | st.just("null")
URLS = st.none() | st.text(st.sampled_from("abz019:/?&=.%-_"), min_size=1, max_size=20)
# As files have them: whole, or with two decimals.
PRICES = st.integers(0, 5_000_000).map(str) | st.from_regex(
    r"[1-9][0-9]{0,3}\.[0-9]{2}", fullmatch=True
)
# Each example has ids of its own: the tables of the one keyspace only ever grow.
IDS_OF_EXAMPLE = 1_000_000


@st.composite
def catalogs(draw: st.DrawFn) -> Files:
    """Draw the rows of six files, in any order of lines, orphans among them; ids from 1."""
    product_ids = draw(st.lists(st.integers(1, 9_999), min_size=1, max_size=5, unique=True))
    parents = st.sampled_from([*product_ids, 99_999])
    style_ids = range(1, 1 + draw(st.integers(0, 6)))
    styles_of = st.sampled_from([*style_ids, 88_888])

    def rows(most: int, *values: st.SearchStrategy[Any]) -> list[Row]:
        number = draw(st.integers(0, most))
        ids = draw(st.permutations(range(1, number + 1)))
        return [(row_id, *(draw(value) for value in values)) for row_id in ids]

    products = [
        (number, draw(TEXTS), draw(TEXTS), draw(TEXTS), draw(TEXTS), draw(PRICES))
        for number in product_ids
    ]
    styles = [
        (
            style_id,
            draw(parents),
            draw(TEXTS),
            draw(st.none() | PRICES),
            draw(PRICES),
            draw(st.sampled_from([0, 1])),
        )
        for style_id in draw(st.permutations(style_ids))
    ]
    return {
        "product": products,
        "features": rows(8, parents, TEXTS, st.none() | TEXTS),
        "styles": styles,
        "photos": rows(8, styles_of, URLS, URLS),
        "skus": rows(8, styles_of, st.sampled_from(["XS", "XL", "7.5"]), st.integers(0, 99)),
        "related": rows(8, parents, st.sampled_from([*product_ids, 0, 99_999])),
    }


def _shifted(files: Files, base: int) -> dict[str, list[Row]]:
    """Add `base` to every id and reference, but to a related id of 0."""
    references = {"product": 1, "features": 2, "styles": 2, "photos": 2, "skus": 2, "related": 3}
    return {
        name: [
            (*(base + value if value else value for value in row[:ids]), *row[ids:])
            for row in files[name]
        ]
        for name, ids in references.items()
    }


def _csv(rows: Sequence[Row], texts: set[int]) -> str:
    def field(column: int, value: Any) -> str:
        if value is None:
            return "null"
        return '"' + value.replace('"', '""') + '"' if column in texts else str(value)

    return "".join(
        ",".join(field(column, value) for column, value in enumerate(row)) + "\n" for row in rows
    )


def _money(price: str) -> str:
    return price if "." in price else f"{price}.00"


def _products(files: Files) -> dict[int, dict[str, Any]]:
    """Return what `GET /products/{id}` must answer."""
    keys = ("id", "name", "slogan", "description", "category")
    return {
        row[0]: dict(zip(keys, row, strict=False))
        | {"default_price": _money(row[5])}
        | {
            "features": [
                {"feature": feature, "value": value}
                for _, parent, feature, value in files["features"]
                if parent == row[0]
            ]
        }
        for row in files["product"]
    }


def _styles(files: Files, product_id: int) -> dict[str, Any]:
    results = []
    for style_id, parent, name, sale, original, default in files["styles"]:
        photos = [
            {"thumbnail_url": thumbnail, "url": url}
            for _, style, url, thumbnail in files["photos"]
            if style == style_id
        ]
        skus = {
            str(sku_id): {"quantity": quantity, "size": size}
            for sku_id, style, size, quantity in files["skus"]
            if style == style_id
        }
        if parent == product_id:
            results.append(
                {
                    "style_id": style_id,
                    "name": name,
                    "original_price": _money(original),
                    "sale_price": None if sale is None else _money(sale),
                    "default?": bool(default),
                    "photos": photos or [{"thumbnail_url": None, "url": None}],
                    "skus": skus or {"null": {"quantity": None, "size": None}},
                }
            )
    return {"product_id": str(product_id), "results": results}


def _related(files: Files, product_id: int) -> list[int]:
    known = {row[0] for row in files["product"]}
    return [
        other for _, parent, other in files["related"] if parent == product_id and other in known
    ]


@pytest.mark.timeout(400)
def test_api_when_any_catalog_is_loaded_then_it_serves_what_the_files_say(
    ring_settings: RingSettings,
) -> None:
    """Products, styles, related and every page, equal key by key and in the order of keys."""
    loaded: dict[int, dict[str, Any]] = {}
    bases = iter(range(0, 10**9, IDS_OF_EXAMPLE))

    @settings(
        max_examples=10,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(catalogs())
    def check(drawn: Files) -> None:
        files = _shifted(drawn, next(bases))
        loaded.update(_products(files))
        runner.run(_load_and_compare(ring_settings, files, loaded))

    with asyncio.Runner() as runner:
        check()


async def _load_and_compare(
    ring_settings: RingSettings, files: Files, loaded: Mapping[int, dict[str, Any]]
) -> None:
    texts = {
        "product": {1, 2, 3, 4},
        "features": {2, 3},
        "styles": {2},
        "photos": {2, 3},
        "skus": {2},
        "related": set[int](),
    }
    with tempfile.TemporaryDirectory() as name:
        contents = {file: _csv(rows, texts[file]) for file, rows in files.items()}
        await load_directory(write_files(Path(name), contents), ring_settings)
    ring = await RingClient.open(ring_settings, API_STATEMENTS)
    await ring.wait_ready(READY_SECONDS)
    async with running_api(ring, ApiSettings(directory_refresh_seconds=0.2)) as api:
        for product_id, product in _products(files).items():
            path = f"/products/{product_id}"
            assert await _body(api, path) == orjson.dumps(product)
            assert await _body(api, f"{path}/styles") == orjson.dumps(_styles(files, product_id))
            assert await _body(api, f"{path}/related") == orjson.dumps(_related(files, product_id))
        rows = [_list_row(loaded[product_id]) for product_id in sorted(loaded)]
        for page in range(len(rows) // 4 + 2):
            expected = orjson.dumps(rows[page * 4 : page * 4 + 4])
            assert await _body(api, f"/products?page={page + 1}&count=4") == expected


def _list_row(product: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in product.items() if key != "features"}


async def _body(api: RunningApi, path: str) -> bytes:
    async with api.client.get(path) as response:
        assert response.status == 200, path
        return await response.read()
