"""The original's recorded answers, and the rows that they were made of."""

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from schema.documents import Feature, Photo, Product, Sku, Style
from schema.reviews import Answer, Characteristic, IdentifiedPhoto, Question, Rating, Review

# They are other people's: beside the repository where they may be read, never in it.
RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "legacy-responses"
NOT_SERVED = {"campus", "created_at", "updated_at"}

needs_recorded_answers = pytest.mark.skipif(
    not RECORDED.is_dir(), reason=f"the recorded answers are not at {RECORDED}"
)


def recorded(name: str) -> Any:
    """Return one of them, decoded."""
    return orjson.loads((RECORDED / name).read_bytes())


def served(row: dict[str, Any]) -> dict[str, Any]:
    """Return a product without what is not served here."""
    return {key: value for key, value in row.items() if key not in NOT_SERVED}


def product_of(row: dict[str, Any]) -> Product:
    """Return the product that was shown so."""
    return Product(
        row["id"],
        row["name"],
        row["slogan"],
        row["description"],
        row["category"],
        _cents(row["default_price"]) or 0,
        [Feature(one["feature"], one["value"]) for one in row.get("features", [])],
    )


def style_of(row: dict[str, Any]) -> Style:
    """Return the style that was shown so."""
    return Style(
        row["style_id"],
        row["name"],
        _cents(row["original_price"]) or 0,
        _cents(row["sale_price"]),
        row["default?"],
        [Photo(one["thumbnail_url"], one["url"]) for one in row["photos"]],
        [Sku(int(key), one["quantity"], one["size"]) for key, one in row["skus"].items()],
    )


def review_of(row: dict[str, Any]) -> Review:
    """Return the review that was shown so."""
    return Review(
        row["review_id"],
        row["rating"],
        _milliseconds(row["date"]),
        row["summary"],
        row["body"],
        row["recommend"],
        row["response"],
        row["reviewer_name"],
        "r@example.org",
        row["helpfulness"],
        [IdentifiedPhoto(one["id"], one["url"]) for one in row["photos"]],
    )


def question_of(row: dict[str, Any]) -> Question:
    """Return the question that was shown so."""
    return Question(
        row["question_id"],
        row["question_body"],
        _milliseconds(row["question_date"]),
        row["asker_name"],
        row["question_helpfulness"],
    )


def answer_of(row: dict[str, Any]) -> Answer:
    """Return the answer that was shown so, in either of the two lists."""
    photos = [
        IdentifiedPhoto(one["id"], one["url"])
        if isinstance(one, dict)
        else IdentifiedPhoto(place + 1, one)
        for place, one in enumerate(row["photos"])
    ]
    return Answer(
        row["id"] if "id" in row else row["answer_id"],
        row["body"],
        _milliseconds(row["date"]),
        row["answerer_name"],
        row["helpfulness"],
        photos,
    )


def reviews_behind(meta: dict[str, Any]) -> tuple[list[Review], list[Characteristic]]:
    """Return reviews that come to this meta."""
    marks = [int(key) for key, count in meta["ratings"].items() for _ in range(int(count))]
    recommended = int(meta["recommended"]["true"])
    shown = meta["characteristics"]
    characteristics = [Characteristic(one["id"], name) for name, one in shown.items()]
    reviews = []
    for place, mark in enumerate(marks):
        ratings = [
            Rating(None, one["id"], value)
            for one in shown.values()
            if (value := _mark(one["value"], place, len(marks))) is not None
        ]
        reviews.append(
            Review(
                *(place + 1, mark, 0, "", "", place < recommended, None, "", None, 0),
                ratings=ratings,
            )
        )
    return reviews, characteristics


def _mark(mean: str, place: int, reviews: int) -> int | None:
    """Of as many marks as make the mean a fraction: how many there were is not recorded."""
    for count in range(reviews, 0, -1):
        total = round(float(mean) * count)
        if abs(total / count - float(mean)) < 1e-15:
            if place >= count:
                return None
            return total // count + (1 if place < total % count else 0)
    raise AssertionError(f"no {reviews} marks have the mean {mean}")


def _milliseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _cents(price: str | None) -> int | None:
    return None if price is None else int(price.replace(".", ""))
