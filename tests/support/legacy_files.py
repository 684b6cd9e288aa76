"""Legacy files for tests, and what the load makes of them before any Cassandra is asked."""

import asyncio
import csv
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb

from etl.account import Account, FileAccount, Outcome, read_account
from etl.datasets import FAMILIES
from etl.extract import extract_all
from etl.inputs import find_inputs
from etl.progress import Progress
from etl.rejects import rejects_files, write_rejects
from etl.relations import relate
from etl.render import list_slices, rendered_batches
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
    "reviews": "id,product_id,rating,date,summary,body,recommend,reported,reviewer_name,"
    "reviewer_email,response,helpfulness",
    "reviews_photos": "id,review_id,url",
    "characteristics": "id,product_id,name",
    "characteristic_reviews": "id,characteristic_id,review_id,value",
    "questions": "id,product_id,body,date_written,asker_name,asker_email,reported,helpful",
    "answers": "id,question_id,body,date_written,answerer_name,answerer_email,reported,helpful",
    "answers_photos": "id,answer_id,url",
    "cart": "id,user_session,product_id,active",
}
_WHOLE = frozenset({"line", "lines", "part", "byte_offset"})
PRODUCT_1 = '1,"Camo","Blend","So","Jackets",140\n'
STYLE_1 = '1,1,"Green",null,140,1\n'


@dataclass(frozen=True)
class Cleaned:
    """The account, the rejects as their file tells them, and the rows that would be written.

    Rows are by table, sorted, in the order of `etl.datasets.Dataset.columns`.
    """

    account: Account
    rejects: list[dict[str, Any]]
    tables: dict[str, list[tuple[Any, ...]]]

    @property
    def rows(self) -> dict[int, tuple[Any, ...]]:
        """The rows of `products_by_id` by product id."""
        return {row[0]: row for row in self.tables["products_by_id"]}

    def file(self, name: str) -> FileAccount:
        """The account of one file, by its name or its stem."""
        files = self.account.files
        return files[name] if name in files else files[f"{name}.csv"]

    def product(self, product_id: int) -> Any:
        """The product's decoded body."""
        return json.loads(self.rows[product_id][1])

    def styles(self, product_id: int) -> Any:
        """The decoded list of the product's styles."""
        return json.loads(self.rows[product_id][6])["results"]

    def related(self, product_id: int) -> Any:
        """The decoded related body."""
        return json.loads(self.rows[product_id][3])


def write_files(directory: Path, rows: Mapping[str, str | bytes]) -> Path:
    """Write `<name>.csv` for each name: its legacy header, then these rows as they are."""
    for name, body in rows.items():
        raw = body if isinstance(body, bytes) else body.encode()
        (directory / f"{name}.csv").write_bytes(HEADERS[name].encode() + b"\n" + raw)
    return directory


def clean_files(*inputs: Path | str, slice_members: int = 3) -> Cleaned:
    """Run every stage up to rendering, as a load of these inputs into empty tables would."""
    with tempfile.TemporaryDirectory() as name, duckdb.connect(config={"threads": 1}) as database:
        scratch = Path(name)
        found = open_files(*inputs, scratch=scratch)
        stages = Stages(database)
        extract_all(found, stages, Progress(StringIO()))
        relate(stages, tuple(table for table in TABLES if found.of(table)))
        for family in FAMILIES:
            stages.cut(family, slice_members)
        account = replace(read_account(database, found, 1), outcome=Outcome.DRY_RUN)
        files = rejects_files(scratch / "rejects")
        write_rejects(database, found.sources, files)
        found.require_unchanged()
        rejects = read_rejects(files.csv)
        tables = asyncio.run(_collect(stages))
    return Cleaned(account, rejects, tables)


def read_rejects(file: Path) -> list[dict[str, Any]]:
    """Read the CSV of the rejects with a parser that is not the one that wrote it."""
    csv.field_size_limit(2**31 - 1)
    with file.open(encoding="utf-8", newline="") as stream:
        return [
            {
                # A row of a Parquet file has no place in bytes.
                name: (int(value) if value else None) if name in _WHOLE else value
                for name, value in row.items()
            }
            for row in csv.DictReader(stream, strict=True)
        ]


def open_files(*inputs: Path | str, scratch: Path) -> SourceSet:
    """Find and open inputs as a load does."""
    return open_sources(find_inputs([str(one) for one in inputs]), scratch)


async def _collect(stages: Stages) -> dict[str, list[tuple[Any, ...]]]:
    tables: dict[str, list[tuple[Any, ...]]] = {
        dataset.table: [] for family in FAMILIES for dataset in family.datasets
    }
    async for batch in rendered_batches(stages, list_slices(stages, FAMILIES)):
        tables[batch.dataset.table].extend(batch.rows)
    return {name: sorted(rows) for name, rows in tables.items()}
