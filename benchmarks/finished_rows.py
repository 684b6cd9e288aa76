"""Finished rows: a product's id and its body of 650 bytes, as files and as they must be stored.

All loaders get the same rows in the order of their ids, each with the bytes spelt as it reads them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from benchmarks.load_files import words_macro
from etl.datasets import Dataset, Family
from ring import Consistency, Statement

TABLE: Final = "products_by_id"
COLUMNS: Final = ("product_id", "product")
BODY_BYTES: Final = 650

WRITE_FINISHED_ROW: Final = Statement(
    "write_finished_row",
    f"INSERT INTO {TABLE} ({', '.join(COLUMNS)}) VALUES (?, ?) USING TIMESTAMP ?",  # noqa: S608 -- names of our own
    Consistency.LOCAL_QUORUM,
    idempotent=True,
)
FINISHED: Final = Family(
    "finished",
    tables=(),
    slice_ids="",
    stages=(),
    datasets=(
        Dataset(
            TABLE,
            (("product_id", "bigint"), ("product", "blob")),
            counted="finished",
            write=WRITE_FINISHED_ROW,
            row_bytes=BODY_BYTES + 10,
            key_columns=1,
        ),
    ),
)
"""What our writers are given: one table, and no legacy file behind it."""

# The description takes what the other fields leave of the body's bytes.
_ROWS: Final = """
WITH heads AS (
    SELECT id,
        '{"id":' || id || ',"name":"' || words(id, 0, 3) || '","slogan":"' || words(id, 8, 6)
            || '","category":"Category ' || id % 40 || '","default_price":"' || 10 + id % 900
            || '.00","features":[{"feature":"Sole","value":"' || words(id, 40, 2)
            || '"}],"description":"' AS head
    FROM range(1, $rows + 1) AS products (id)
)
SELECT id AS product_id,
    head || left(words(id, 48, 120), $body_bytes - 2 - strlen(head)) || '"}' AS product
FROM heads
"""


@dataclass(frozen=True, slots=True)
class FinishedFiles:
    """The same rows as CSV with a header.

    Attributes:
        rows: ids 1 to this.
        text: bodies as text, for ours and for the plain driver.
        hexadecimal: bodies as `0x…`, the only blob that cqlsh reads.
        base64: the shorter one of the two that DSBulk reads.
        table: the rows in DuckDB, to check by.
    """

    rows: int
    text: Path
    hexadecimal: Path
    base64: Path
    table: Path

    def bodies(self, ids: Sequence[int]) -> dict[int, bytes]:
        """Return what must be stored under these ids."""
        with duckdb.connect(str(self.table), read_only=True) as database:
            found = database.execute(
                "SELECT product_id, encode(product) FROM finished WHERE product_id IN $ids",
                {"ids": list(ids)},
            ).fetchall()
        return dict(found)


def make_finished_files(directory: Path, rows: int) -> FinishedFiles:
    """Make the files, once."""
    files = FinishedFiles(
        rows,
        directory / "text.csv",
        directory / "hexadecimal.csv",
        directory / "base64.csv",
        directory / "rows.duckdb",
    )
    done = directory / "made"
    if done.exists():
        return files
    directory.mkdir(parents=True, exist_ok=True)
    files.table.unlink(missing_ok=True)
    with duckdb.connect(str(files.table), config={"memory_limit": "2GB"}) as database:
        database.execute(words_macro())
        values = {"rows": rows, "body_bytes": BODY_BYTES}
        database.execute(f"CREATE TABLE finished AS {_ROWS}", values)
        spellings = {
            files.text: "product",
            files.hexadecimal: "'0x' || lower(hex(encode(product))) AS product",
            files.base64: "to_base64(encode(product)) AS product",
        }
        for path, product in spellings.items():
            query = f"SELECT product_id, {product} FROM finished ORDER BY product_id"  # noqa: S608
            database.execute(f"COPY ({query}) TO '{path}' (FORMAT csv, HEADER true)")
    done.touch()
    return files
