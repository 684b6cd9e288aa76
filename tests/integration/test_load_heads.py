"""The heads of the real files, where they lie beside the repository."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from ring import RingSettings
from ring.nodes.settings import REPOSITORY
from schema.documents import to_2020_product, to_2020_styles
from tests.support.stored_tables import load_directory, read_tables

HEADS = REPOSITORY.parent / "shared" / "data" / "legacy-csv"
PRODUCT_IDS = (1, 2, 7, 10)

pytestmark = pytest.mark.skipif(
    not HEADS.is_dir(), reason="the heads of the real files are not on this machine"
)


def _lines(name: str) -> list[dict[str, str]]:
    with (HEADS / f"{name}.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _price(text: str, *, whole: bool) -> str:
    """The heads have whole prices only."""
    return text if whole else f"{text}.00"


def _null(text: str) -> str | None:
    return None if text == "null" else text


def _expected_product(product_id: int, *, whole: bool) -> dict[str, Any]:
    row = next(row for row in _lines("product") if row["id"] == str(product_id))
    features = (row for row in _lines("features") if row["product_id"] == str(product_id))
    return {
        "id": product_id,
        **{name: row[name] for name in ("name", "slogan", "description", "category")},
        "default_price": _price(row["default_price"], whole=whole),
        "features": [{"feature": row["feature"], "value": _null(row["value"])} for row in features],
    }


def _expected_style(row: Mapping[str, str], *, whole: bool) -> dict[str, Any]:
    sale = _null(row["sale_price"])
    default = row["default_style"] == "1"
    no_sale = "0" if whole else None
    return {
        "style_id": int(row["id"]),
        "name": row["name"],
        "original_price": _price(row["original_price"], whole=whole),
        "sale_price": no_sale if sale is None else _price(sale, whole=whole),
        "default?": int(default) if whole else default,
        "photos": [
            {"thumbnail_url": _null(photo["thumbnail_url"]), "url": _null(photo["url"])}
            for photo in _lines("photos")
            if photo["styleId"] == row["id"]
        ]
        or [{"thumbnail_url": None, "url": None}],
        "skus": {
            sku["id"]: {"quantity": int(sku["quantity"]), "size": sku["size"]}
            for sku in _lines("skus")
            if sku["styleId"] == row["id"]
        }
        or {"null": {"quantity": None, "size": None}},
    }


def _same(left: Any, right: Any) -> bool:
    """Equal in values, types and the order of keys."""
    return bool(orjson.dumps(left) == orjson.dumps(right))


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    """Links to the heads, in a directory that may be written to."""
    for file in HEADS.glob("*.csv"):
        (tmp_path / file.name).symlink_to(file)
    return tmp_path


async def test_heads_when_loaded_then_every_row_accounted_and_bodies_exact(
    heads: Path, ring_settings: RingSettings
) -> None:
    """Rows in equal rows loaded and rejected; four products read as the files say."""
    account = await load_directory(heads, ring_settings)
    for name, file in account.files.items():
        lines = len(_lines(name.removesuffix(".csv")))
        assert file.rows_in == file.loaded + file.rejected_rows == lines, name
    assert account.rejected_rows == 0
    stored = await read_tables(ring_settings)
    for product_id in PRODUCT_IDS:
        product = stored.body(product_id, "product")
        styles = stored.body(product_id, "styles")
        rows = [row for row in _lines("styles") if row["productId"] == str(product_id)]
        for whole, convert_product, convert_styles in (
            (False, dict, dict),
            (True, to_2020_product, to_2020_styles),
        ):
            assert _same(convert_product(product), _expected_product(product_id, whole=whole))
            assert _same(
                convert_styles(styles),
                {
                    "product_id": str(product_id),
                    "results": [_expected_style(row, whole=whole) for row in rows],
                },
            )
        assert stored.body(product_id, "related") == [
            int(row["related_product_id"])
            for row in _lines("related")
            if row["current_product_id"] == str(product_id)
        ]
