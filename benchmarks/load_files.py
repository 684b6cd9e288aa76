"""The files of whole loads: products with their features and related ones, or all fourteen."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import duckdb

from benchmarks.paths import REPOSITORY

_WORDS: Final = (
    "['light', 'warm', 'woven', 'plain', 'soft', 'sturdy', 'folded', 'bright', 'narrow', 'quiet',"
    " 'even', 'rough', 'deep', 'clear', 'mild', 'broad']"
)
# A text of so many words, drawn by the row's id and the files' edition; a product's body comes to
# about 650 bytes.
_MACRO: Final = f"""
CREATE MACRO words(id, first, many) AS array_to_string(
    list_transform(
        range(many),
        lambda n: {_WORDS}[
            1 + (hash((id + {{edition}} * 1000000000000) * 64 + first + n) % 16)::INTEGER
        ]
    ),
    ' '
)
"""
_FILES: Final = {
    "product.csv": """
        SELECT id, words(id, 0, 3) AS name, words(id, 8, 6) AS slogan,
            words(id, 16, 60) AS description, 'Category ' || (id % 40) AS category,
            10 + id % 900 AS default_price
        FROM range(1, {products} + 1) AS products (id)
    """,
    "features.csv": """
        SELECT row_number() OVER () AS id, product_id, 'Feature ' || n AS feature,
            words(product_id, 40 + n, 2) AS value
        FROM (
            SELECT id AS product_id, unnest(range(1 + (hash(id) % 4)::INTEGER)) AS n
            FROM range(1, {products} + 1) AS products (id)
        )
    """,
    "related.csv": """
        SELECT row_number() OVER () AS id, product_id AS current_product_id,
            1 + (hash(product_id * 8 + n) % {products})::BIGINT AS related_product_id
        FROM (
            SELECT id AS product_id, unnest(range(2 + (hash(id + 7) % 6)::INTEGER)) AS n
            FROM range(1, {products} + 1) AS products (id)
        )
    """,
}
_DONE: Final = "made"


def words_macro(edition: int = 0) -> str:
    """Return the statement that makes the macro `words(id, first, many)`."""
    return _MACRO.format(edition=edition)


def make_product_files(directory: Path, products: int, *, edition: int = 0) -> Path:
    """Make products with features (2.5 each) and related ones (4.5 each); once.

    Files of another edition have other texts for the same ids.
    """
    if (directory / _DONE).exists():
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(config={"memory_limit": "2GB"}) as database:
        database.execute(words_macro(edition))
        for name, query in _FILES.items():
            text = query.format(products=products)
            database.execute(f"COPY ({text}) TO '{directory / name}' (FORMAT csv, HEADER true)")
    (directory / _DONE).touch()
    return directory


def make_all_files(directory: Path, products: int) -> Path:
    """Make all fourteen files as `catalog-etl generate` does; once."""
    if not (directory / "manifest.json").exists():
        command = [sys.executable, "-m", "etl", "generate", str(directory), "--force"]
        command += ["--products", str(products), "--seed", "7"]
        subprocess.run(command, cwd=REPOSITORY, check=True, timeout=3600)
    return directory
