"""Legacy files for tests, and what the load makes of them before any Cassandra is asked."""

import asyncio
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from etl.account import Account, FileAccount, Outcome, read_account
from etl.extract import extract_all
from etl.inputs import find_inputs
from etl.rejects import write_rejects
from etl.render import RenderedRow, rendered_batches
from etl.sources import SourceSet, open_sources
from etl.stages import Stages
from etl.tables import TABLES

HEADERS = {
    "product": "id,name,slogan,description,category,default_price",
    "features": "id,product_id,feature,value",
    "styles": "id,productId,name,sale_price,original_price,default_style",
    "photos": "id,styleId,url,thumbnail_url",
    "skus": "id,styleId,size,quantity",
    "related": "id,current_product_id,related_product_id",
}
PRODUCT_1 = '1,"Camo","Blend","So","Jackets",140\n'
STYLE_1 = '1,1,"Green",null,140,1\n'


@dataclass(frozen=True)
class Cleaned:
    """The account, the rejects as their file tells them, and the rows that would be written."""

    account: Account
    rejects: list[dict[str, Any]]
    rows: dict[int, RenderedRow]

    def file(self, name: str) -> FileAccount:
        """The account of one file, by its name or its stem."""
        files = self.account.files
        return files[name] if name in files else files[f"{name}.csv"]

    def product(self, product_id: int) -> Any:
        """The product's decoded body."""
        return json.loads(self.rows[product_id].product)

    def styles(self, product_id: int) -> Any:
        """The decoded list of the product's styles."""
        return json.loads(self.rows[product_id].styles)["results"]

    def related(self, product_id: int) -> Any:
        """The decoded related body."""
        return json.loads(self.rows[product_id].related)


def write_files(directory: Path, rows: Mapping[str, str | bytes]) -> Path:
    """Write `<name>.csv` for each name: its legacy header, then these rows as they are."""
    for name, body in rows.items():
        raw = body if isinstance(body, bytes) else body.encode()
        (directory / f"{name}.csv").write_bytes(HEADERS[name].encode() + b"\n" + raw)
    return directory


def clean_files(*inputs: Path | str) -> Cleaned:
    """Run every stage up to rendering, as a load of these inputs into empty tables would."""
    with tempfile.TemporaryDirectory() as name, duckdb.connect(config={"threads": 1}) as database:
        scratch = Path(name)
        found = open_files(*inputs, scratch=scratch)
        stages = Stages(database)
        extract_all(found, stages, lambda _text: None)
        stages.relate(tuple(table for table in TABLES if found.of(table)))
        stages.merge(slice_products=3)
        account = replace(read_account(database, found, 1), outcome=Outcome.DRY_RUN)
        write_rejects(database, found.sources, scratch / "rejects.jsonl")
        found.require_unchanged()
        lines = (scratch / "rejects.jsonl").read_text(encoding="utf-8").splitlines()
        rows = asyncio.run(_collect(stages))
    return Cleaned(account, [json.loads(line) for line in lines], rows)


def open_files(*inputs: Path | str, scratch: Path) -> SourceSet:
    """Find and open inputs as a load does."""
    return open_sources(find_inputs([str(one) for one in inputs]), scratch)


async def _collect(stages: Stages) -> dict[int, RenderedRow]:
    return {row.product_id: row async for batch in rendered_batches(stages) for row in batch}
