"""Slices are rendered side by side, each whole, with children in the order of the files."""

import asyncio
import json
import random
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import duckdb

from etl.datasets import PRODUCTS
from etl.extract import extract_all
from etl.progress import Progress
from etl.relations import relate
from etl.render import Slice, list_slices, renderings
from etl.stages import Stages
from etl.tables import FEATURES, PRODUCT
from tests.support.legacy_files import open_files, write_files

_PRODUCTS = 40
_FEATURES = 300_000
"""More than two row groups, so that DuckDB would read them with several threads."""


def _files(directory: Path) -> tuple[Path, dict[int, list[str]]]:
    """Write products and features in no order; return the values of each product in theirs."""
    chosen = random.Random(7)  # noqa: S311 - a repeatable order, no secret
    values: dict[int, list[str]] = {product: [] for product in range(1, _PRODUCTS + 1)}
    lines: list[str] = []
    for feature in range(1, _FEATURES + 1):
        product = chosen.randint(1, _PRODUCTS)
        values[product].append(f"v{feature}")
        lines.append(f"{feature},{product},f,v{feature}\n")
    products = "".join(f"{product},a,b,c,d,1\n" for product in values)
    written = write_files(directory, {"product": products, "features": "".join(lines)})
    return written, values


async def _render(stages: Stages, slices: Iterator[Slice]) -> list[tuple[int, list[str]]]:
    """Take slices until none is left; return the values of the features of each product in them."""
    found: list[tuple[int, list[str]]] = []
    async for rendering in renderings(stages, slices):
        if rendering.dataset.table == "products_by_id":
            rows = await asyncio.to_thread(rendering.database.execute, rendering.select)
            for product_id, body, *_ in rows.fetchall():
                features = json.loads(body)["features"]
                found.append((product_id, [one["value"] for one in features]))
    return found


def test_slices_when_rendered_side_by_side_then_each_once_and_in_order(tmp_path: Path) -> None:
    """Whatever the threads, no product is lost or doubled, and its children keep their order."""
    directory, values = _files(tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    async def both(stages: Stages) -> list[tuple[int, list[str]]]:
        slices = iter(list_slices(stages, [PRODUCTS]))
        lanes = await asyncio.gather(_render(stages, slices), _render(stages, slices))
        return [product for lane in lanes for product in lane]

    with duckdb.connect(config={"threads": 4}) as database:
        stages = Stages(database)
        extract_all(open_files(directory, scratch=scratch), stages, Progress(StringIO()))
        relate(stages, (PRODUCT, FEATURES))
        stages.cut(PRODUCTS, 9)
        found = asyncio.run(both(stages))
    assert sorted(product_id for product_id, _ in found) == sorted(values)
    assert dict(found) == values
