"""The heads of the real files, where they lie beside the repository, read by Python alone."""

import csv
from functools import cache

from ring.nodes.settings import REPOSITORY

HEADS = REPOSITORY.parent / "shared" / "data" / "legacy-csv"

PARENTS = {
    # Foreign keys by file, and whose ids they are.
    "styles": (("productId", "product"),),
    "features": (("product_id", "product"),),
    "photos": (("styleId", "styles"),),
    "skus": (("styleId", "styles"),),
    "related": (("current_product_id", "product"), ("related_product_id", "product")),
    "cart": (("product_id", "product"),),
    "reviews": (("product_id", "product"),),
    "reviews_photos": (("review_id", "reviews"),),
    "characteristics": (("product_id", "product"),),
    "characteristic_reviews": (("characteristic_id", "characteristics"), ("review_id", "reviews")),
    "questions": (("product_id", "product"),),
    "answers": (("question_id", "questions"),),
    "answers_photos": (("answer_id", "answers"),),
}


@cache
def read_lines(name: str) -> list[dict[str, str]]:
    """The rows as Python's own parser reads them."""
    with (HEADS / f"{name}.csv").open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


@cache
def kept_lines(name: str) -> list[dict[str, str]]:
    """The rows whose parents are kept. The heads have no other dirt, so all of them are loaded."""
    parents = [
        (column, {row["id"] for row in kept_lines(file)}) for column, file in PARENTS.get(name, ())
    ]
    return [row for row in read_lines(name) if all(row[column] in ids for column, ids in parents)]
