"""The original's recorded answers: ours have the same keys in the same order and the same types."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from schema.documents import (
    Feature,
    Photo,
    Product,
    Sku,
    Style,
    render_list_row,
    render_product,
    render_styles,
)

# They are other people's: beside the repository where they may be read, never in it.
RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "legacy-responses"
NOT_SERVED = {"campus", "created_at", "updated_at"}

pytestmark = pytest.mark.skipif(
    not RECORDED.is_dir(), reason=f"the recorded answers are not at {RECORDED}"
)


def _recorded(name: str) -> Any:
    return orjson.loads((RECORDED / name).read_bytes())


def _product(recorded: dict[str, Any]) -> Product:
    return Product(
        recorded["id"],
        recorded["name"],
        recorded["slogan"],
        recorded["description"],
        recorded["category"],
        _cents(recorded["default_price"]) or 0,
        [Feature(row["feature"], row["value"]) for row in recorded.get("features", [])],
    )


def _style(recorded: dict[str, Any]) -> Style:
    return Style(
        recorded["style_id"],
        recorded["name"],
        _cents(recorded["original_price"]) or 0,
        _cents(recorded["sale_price"]),
        recorded["default?"],
        [Photo(row["thumbnail_url"], row["url"]) for row in recorded["photos"]],
        [Sku(int(key), row["quantity"], row["size"]) for key, row in recorded["skus"].items()],
    )


def _cents(price: str | None) -> int | None:
    return None if price is None else int(price.replace(".", ""))


def _served(recorded: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in recorded.items() if key not in NOT_SERVED}


def test_product_when_rendered_from_the_recorded_values_then_it_is_the_recorded_answer() -> None:
    """Equal text: keys, their order, types and values."""
    recorded = _recorded("exampleProductInfo.json")
    assert render_product(_product(recorded)) == orjson.dumps(_served(recorded))


def test_list_when_rendered_from_the_recorded_values_then_it_is_the_recorded_answer() -> None:
    """Equal text, for every row of the page."""
    for recorded in _recorded("exampleProducts.json"):
        assert render_list_row(_product(recorded)) == orjson.dumps(_served(recorded))


def test_styles_when_rendered_from_the_recorded_values_then_it_is_the_recorded_answer() -> None:
    """Equal text, down to photos and skus."""
    recorded = _recorded("exampleProductStyles.json")
    rendered = render_styles(recorded["product_id"], [_style(row) for row in recorded["results"]])
    assert rendered == orjson.dumps(recorded)
