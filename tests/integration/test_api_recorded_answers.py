"""The original's recorded answers, served over HTTP from rows that hold the same values."""

from typing import Any

import orjson

from ring import RingSettings
from tests.support.api import RunningApi, running_catalog
from tests.support.recorded_answers import (
    answer_of,
    needs_recorded_answers,
    question_of,
    recorded,
    review_of,
    reviews_behind,
)
from tests.support.stored_feedback import Feedback, write_feedback

pytestmark = needs_recorded_answers


async def _fetch(api: RunningApi, path: str) -> Any:
    async with api.client.get(path) as response:
        assert response.status == 200
        return orjson.loads(await response.read())


def _same(ours: Any, theirs: Any) -> None:
    """Assert equal keys in an equal order, equal types and values."""
    assert orjson.dumps(ours) == orjson.dumps(theirs)


async def test_reviews_when_served_then_the_answer_is_the_recorded_one(
    ring_settings: RingSettings,
) -> None:
    """Head and rows; ties of the recorded order are broken by id here."""
    body = recorded("exampleReviews.json")
    rows = [review_of(row) for row in body["results"]]
    await write_feedback(ring_settings, Feedback(int(body["product"]), reviews=rows))
    async with running_catalog(ring_settings, []) as api:
        ours = await _fetch(api, f"/reviews?product_id={body['product']}&count={body['count']}")
        body["results"].sort(key=lambda row: (-row["helpfulness"], row["review_id"]))
        _same(ours, body)


async def test_meta_when_served_then_the_answer_is_the_recorded_one(
    ring_settings: RingSettings,
) -> None:
    """From reviews that come to the recorded sums."""
    body = recorded("exampleMeta.json")
    reviews, characteristics = reviews_behind(body)
    product_id = int(body["product_id"])
    await write_feedback(
        ring_settings, Feedback(product_id, reviews=reviews, characteristics=characteristics)
    )
    async with running_catalog(ring_settings, []) as api:
        _same(await _fetch(api, f"/reviews/meta?product_id={product_id}"), body)


async def test_questions_when_served_then_the_answer_is_the_recorded_one(
    ring_settings: RingSettings,
) -> None:
    """Questions with all their answers; answers by id, ties by id."""
    body = recorded("exampleQuestionCall.json")
    product_id, rows = int(body["product_id"]), body["results"]
    feedback = Feedback(
        product_id,
        questions=[question_of(row) for row in rows],
        answers={
            row["question_id"]: [answer_of(answer) for answer in row["answers"].values()]
            for row in rows
        },
    )
    await write_feedback(ring_settings, feedback)
    rows.sort(key=lambda row: (-row["question_helpfulness"], row["question_id"]))
    for row in rows:
        row["answers"] = dict(sorted(row["answers"].items(), key=lambda pair: int(pair[0])))
    async with running_catalog(ring_settings, []) as api:
        _same(await _fetch(api, f"/qa/questions?product_id={product_id}&count=100"), body)


async def test_answers_when_served_then_the_answer_is_the_recorded_one(
    ring_settings: RingSettings,
) -> None:
    """The passed count comes back as text, the page that was not passed as a number."""
    body = recorded("exampleAnswer329062.json")
    question_id, rows = int(body["question"]), body["results"]
    question = {
        "question_id": question_id,
        "question_body": "?",
        "question_date": "2020-01-01T00:00:00.000Z",
        "asker_name": "a",
        "question_helpfulness": 0,
    }
    feedback = Feedback(
        1,
        questions=[question_of(question)],
        answers={question_id: [answer_of(row) for row in rows]},
    )
    await write_feedback(ring_settings, feedback)
    rows.sort(key=lambda row: (-row["helpfulness"], row["answer_id"]))
    async with running_catalog(ring_settings, []) as api:
        _same(await _fetch(api, f"/qa/questions/{question_id}/answers?count=100"), body)
