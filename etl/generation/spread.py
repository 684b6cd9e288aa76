"""How many children a parent has: the weights behind the spread of the legacy set."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SPREAD: Final[Mapping[str, Mapping[int, int]]] = MappingProxyType(
    {
        # The mean of each stands in LEGACY_CSV's table as rows per row of the parent.
        "features": {0: 4, 1: 24, 2: 38, 3: 20, 4: 10, 5: 4},  # 2.20 a product
        "styles": {0: 1, 1: 53, 2: 24, 3: 9, 4: 4, 5: 3, 6: 6},  # 1.95 a product
        "related": {0: 1, 2: 9, 3: 19, 4: 24, 5: 22, 6: 15, 7: 7, 9: 3},  # 4.47 a product
        "cart": {0: 62, 1: 28, 2: 8, 3: 2},  # 0.50 a product; the real number is not known
        "reviews": {0: 6, 2: 10, 3: 12, 4: 14, 5: 14, 7: 18, 9: 14, 11: 8, 14: 4},  # 5.78
        "characteristics": {0: 1, 1: 6, 2: 9, 3: 24, 4: 60},  # 3.36 a product
        "questions": {0: 8, 1: 14, 2: 16, 3: 16, 4: 16, 5: 12, 7: 12, 10: 6},  # 3.62
        "photos": {0: 4, 1: 20, 2: 22, 3: 20, 4: 14, 5: 11, 6: 9},  # 2.89 a style
        "skus": {0: 3, 1: 3, 4: 6, 5: 20, 6: 44, 7: 14, 9: 10},  # 5.79 a style
        "reviews_photos": {0: 72, 1: 15, 2: 8, 3: 4, 4: 1},  # 0.47 a review
        "answers": {0: 18, 1: 26, 2: 26, 3: 14, 4: 8, 5: 8},  # 1.92 a question
        "answers_photos": {0: 82, 1: 9, 2: 6, 3: 3},  # 0.30 an answer
    },
)
"""Of a hundred parents, how many have that many children: {children: parents}."""


def mean_children(table: str) -> float:
    """Return the mean number of rows of this table per row of its parent."""
    weights = SPREAD[table]
    return sum(children * parents for children, parents in weights.items()) / sum(weights.values())


def spread_macros() -> str:
    """Return SQL that makes a macro `<table>_spread()` for each table: a list of 100 counts."""
    statements = []
    for table, weights in SPREAD.items():
        counts = [str(children) for children, parents in weights.items() for _ in range(parents)]
        statements.append(f"CREATE MACRO {table}_spread() AS [{', '.join(counts)}];")
    return "\n".join(statements)
