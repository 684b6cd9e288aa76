"""Ids of what is created here: which kinds there are, and where they begin."""

from typing import Final

FIRST_NEW_ID: Final = 1_000_000_000_000
"""Above every id of legacy files; up to JSON's largest safe integer there are 9 * 10^15 more."""

FILE_OF_KIND: Final = {
    "products": "product",
    "styles": "styles",
    "skus": "skus",
    "features": "features",
    "photos": "photos",
    "related": "related",
    "reviews": "reviews",
    "review_photos": "reviews_photos",
    "characteristic_reviews": "characteristic_reviews",
    "questions": "questions",
    "answers": "answers",
    "answer_photos": "answers_photos",
}
"""The kinds of `id_blocks`, and the legacy file that may bring ids of each."""
