"""What a stored review, question or answer is: the encoders of the JSON in their rows.

Bodies are in the default (2021) profile, as in `schema/documents.py`. The load renders the same
bytes in SQL; a property test holds the two equal.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

ID_BLOCK_IDS: Final = 64
"""Consecutive ids in one partition of `reviews_by_id`, `questions_by_id` and `answers_by_id`."""
FEW_REVIEWS: Final = 64
"""Lists of products with at most as many reviews are made of all of them."""
FEW_META_DELTAS: Final = 32
"""Meta of products with fewer new reviews is made of all of them."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MEAN_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class IdentifiedPhoto:
    """One photo of a review or an answer."""

    photo_id: int
    url: str | None


@dataclass(frozen=True, slots=True)
class Rating:
    """One review's mark, 1 to 5, for one characteristic. `rating_id` is its row in the files."""

    rating_id: int | None
    characteristic_id: int
    value: int


@dataclass(frozen=True, slots=True)
class Review:
    """One review; the date is in milliseconds since 1970."""

    review_id: int
    rating: int
    written_at_ms: int
    summary: str | None
    body: str | None
    recommend: bool
    response: str | None
    reviewer_name: str | None
    reviewer_email: str | None
    helpfulness: int
    photos: Sequence[IdentifiedPhoto] = ()
    ratings: Sequence[Rating] = ()


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One characteristic of a product, in the order in which the files have them."""

    characteristic_id: int
    name: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """One question; the date is in milliseconds since 1970."""

    question_id: int
    body: str | None
    written_at_ms: int
    asker_name: str | None
    helpfulness: int


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; the date is in milliseconds since 1970."""

    answer_id: int
    body: str | None
    written_at_ms: int
    answerer_name: str | None
    helpfulness: int
    photos: Sequence[IdentifiedPhoto] = ()


def id_block_of(item_id: int) -> int:
    """Return the partition of `…_by_id` that tells whose this review, question or answer is."""
    return item_id // ID_BLOCK_IDS


def date_text(milliseconds: int) -> str:
    """Return a moment as served: `2020-07-30T03:41:21.467Z`."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def mean_text(total: int, rows: int) -> str | None:
    """Return `total / rows`, exactly rounded to 16 decimals; None of no rows."""
    if not rows:
        return None
    scale = 10**_MEAN_DIGITS
    units = (2 * total * scale + rows) // (2 * rows)
    return f"{units // scale}.{units % scale:0{_MEAN_DIGITS}d}"


def render_review(review: Review) -> bytes:
    """Return the review's object in `GET /reviews`: `reviews_by_product.review`."""
    return orjson.dumps(
        {
            "review_id": review.review_id,
            "rating": review.rating,
            "summary": review.summary,
            "recommend": review.recommend,
            "response": review.response,
            "body": review.body,
            "date": date_text(review.written_at_ms),
            "reviewer_name": review.reviewer_name,
            "helpfulness": review.helpfulness,
            "photos": _photo_objects(review.photos),
        }
    )


def render_review_source(review: Review) -> bytes:
    """Return `reviews_by_product.source`: what is not served."""
    ratings = [[one.rating_id, one.characteristic_id, one.value] for one in review.ratings]
    return orjson.dumps({"email": review.reviewer_email, "ratings": ratings})


def render_meta(
    product_id: int, reviews: Iterable[Review], characteristics: Sequence[Characteristic]
) -> tuple[bytes, bytes]:
    """Return the body of `GET /reviews/meta` and the totals: `review_meta_by_product`.

    Of several characteristics with one name the last is shown; one without a name never is.
    """
    listed = list(reviews)
    by_rating = Counter(review.rating for review in listed)
    by_recommendation = Counter(review.recommend for review in listed)
    ratings = [rating for review in listed for rating in review.ratings]
    counts = Counter(one.characteristic_id for one in ratings)
    sums: Counter[int] = Counter()
    for one in ratings:
        sums[one.characteristic_id] += one.value
    totals = {
        "ratings": {str(rating): by_rating[rating] for rating in sorted(by_rating)},
        "recommended": {
            _boolean(word): by_recommendation[word] for word in sorted(by_recommendation)
        },
        "characteristics": [
            {
                "id": one.characteristic_id,
                "name": one.name,
                "reviews": counts[one.characteristic_id],
                "sum": sums[one.characteristic_id],
            }
            for one in characteristics
        ],
    }
    return meta_of(product_id, totals), orjson.dumps(totals)


def meta_of(product_id: int, totals: Mapping[str, Any]) -> bytes:
    """Return the body of `GET /reviews/meta` from totals as `review_meta_by_product` has them."""
    characteristics = totals["characteristics"]
    last = {one["name"]: one["id"] for one in characteristics}
    return orjson.dumps(
        {
            "product_id": str(product_id),
            "ratings": {key: str(count) for key, count in totals["ratings"].items()},
            "recommended": {key: str(count) for key, count in totals["recommended"].items()},
            "characteristics": {
                one["name"]: {"id": one["id"], "value": mean_text(one["sum"], one["reviews"])}
                for one in characteristics
                if one["name"] is not None and last[one["name"]] == one["id"]
            },
        }
    )


def render_meta_delta(review: Review) -> bytes:
    """Return what one review adds to the meta of its product: `totals` of a delta's row."""
    return orjson.dumps(
        {
            "review": review.review_id,
            "rating": review.rating,
            "recommend": review.recommend,
            "characteristics": [[one.characteristic_id, one.value] for one in review.ratings],
        }
    )


def review_of_delta(delta: bytes) -> int:
    """Return the id of the review that a delta speaks of."""
    return int(orjson.loads(delta)["review"])


class MetaSums:
    """What posted reviews add to the meta of their product.

    Marks are kept for every characteristic: only the base knows which are the product's own.
    """

    __slots__ = ("_marks", "_ratings", "_recommended")

    def __init__(self) -> None:
        self._ratings: Counter[str] = Counter()
        self._recommended: Counter[str] = Counter()
        self._marks: dict[int, tuple[int, int]] = {}

    def copy(self) -> "MetaSums":
        """Return sums that can be added to apart."""
        other = MetaSums()
        other._ratings.update(self._ratings)
        other._recommended.update(self._recommended)
        other._marks.update(self._marks)
        return other

    def add(self, delta: bytes) -> None:
        """Add one review, as `render_meta_delta` wrote it."""
        one = orjson.loads(delta)
        self._ratings[str(one["rating"])] += 1
        self._recommended[_boolean(one["recommend"])] += 1
        for characteristic_id, value in one["characteristics"]:
            reviews, total = self._marks.get(characteristic_id, (0, 0))
            self._marks[characteristic_id] = (reviews + 1, total + value)

    def onto(self, totals: Mapping[str, Any]) -> dict[str, Any]:
        """Return a base's totals with these added."""
        ratings = Counter(totals["ratings"]) + self._ratings
        recommended = Counter(totals["recommended"]) + self._recommended
        characteristics = []
        for one in totals["characteristics"]:
            reviews, total = self._marks.get(one["id"], (0, 0))
            added = {"reviews": one["reviews"] + reviews, "sum": one["sum"] + total}
            characteristics.append(one | added)
        return {
            "ratings": {key: ratings[key] for key in sorted(ratings)},
            "recommended": {key: recommended[key] for key in sorted(recommended)},
            "characteristics": characteristics,
        }


NO_TOTALS: Final[Mapping[str, Any]] = {"ratings": {}, "recommended": {}, "characteristics": []}
"""Of a product without reviews and characteristics."""


def with_votes(body: bytes, helpfulness: int, votes: int | None) -> bytes:
    """Return a review's or an answer's stored JSON with the votes made here added.

    The key cannot be found within a text: there its quotes would be escaped.
    """
    if not votes:
        return body
    return body.replace(
        b',"helpfulness":%d,' % helpfulness, b',"helpfulness":%d,' % (helpfulness + votes), 1
    )


def question_with_votes(body: bytes, helpfulness: int, votes: int | None) -> bytes:
    """Return a question's stored JSON with the votes made here added."""
    if not votes:
        return body
    return body.replace(
        b',"question_helpfulness":%d,' % helpfulness,
        b',"question_helpfulness":%d,' % (helpfulness + votes),
        1,
    )


def question_with_answers(body: bytes, answers: Iterable[bytes]) -> bytes:
    """Return a question's JSON with its answers, each given as `"id":{…}`."""
    return b'%b,"answers":{%b}}' % (body[:-1], b",".join(answers))


def answer_with_photos(body: bytes, photos: bytes) -> bytes:
    """Return an answer's stored JSON as `GET /qa/questions/{id}/answers` shows it.

    The id's key is `answer_id` there, and photos are objects. No key can be found within a text:
    there its quotes would be escaped.
    """
    end = body.rindex(b',"photos":')
    return b'{"answer_id":%b,"photos":%b}' % (body[len(b'{"id":') : end], photos)


def render_question(question: Question) -> bytes:
    """Return the question's object in `GET /qa/questions` without its answers.

    This is `questions_by_product.body` of the row with answer_id 0.
    """
    return orjson.dumps(
        {
            "question_id": question.question_id,
            "question_body": question.body,
            "question_date": date_text(question.written_at_ms),
            "asker_name": question.asker_name,
            "question_helpfulness": question.helpfulness,
            "reported": False,
        }
    )


def render_answer(answer: Answer) -> tuple[bytes, bytes]:
    """Return the answer's object in `GET /qa/questions`, and its photos with their ids."""
    body = {
        "id": answer.answer_id,
        "body": answer.body,
        "date": date_text(answer.written_at_ms),
        "answerer_name": answer.answerer_name,
        "helpfulness": answer.helpfulness,
        "photos": [photo.url for photo in answer.photos],
    }
    return orjson.dumps(body), orjson.dumps(_photo_objects(answer.photos))


def render_email(email: str | None) -> bytes:
    """Return `questions_by_product.source`: what is not served."""
    return orjson.dumps({"email": email})


def _photo_objects(photos: Sequence[IdentifiedPhoto]) -> list[dict[str, object]]:
    return [{"id": photo.photo_id, "url": photo.url} for photo in photos]


def _boolean(word: bool) -> str:  # noqa: FBT001, a key of JSON
    return "true" if word else "false"
