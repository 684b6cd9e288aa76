"""Writes reviews, questions and answers as the load would leave them, for tests that read."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ring import RingClient, RingSettings
from schema.reviews import (
    Answer,
    Characteristic,
    Question,
    Review,
    id_block_of,
    render_answer,
    render_email,
    render_meta,
    render_question,
    render_review,
    render_review_source,
)
from schema.statements import LOAD_STATEMENTS
from schema.statements.load import (
    WRITE_ANSWER_OWNER,
    WRITE_QUESTION,
    WRITE_QUESTION_OWNER,
    WRITE_REVIEW,
    WRITE_REVIEW_META,
    WRITE_REVIEW_OWNER,
)
from tests.support.stored_catalog import READY_SECONDS


@dataclass(frozen=True, slots=True)
class Feedback:
    """What people said about one product; `answers` by question id."""

    product_id: int
    reviews: Sequence[Review] = ()
    characteristics: Sequence[Characteristic] = ()
    questions: Sequence[Question] = ()
    answers: Mapping[int, Sequence[Answer]] = field(default_factory=dict)
    reported: frozenset[int] = frozenset()


async def write_feedback(settings: RingSettings, *written: Feedback) -> None:
    """Write everything at one timestamp, a second ago."""
    writer = await RingClient.open(settings, LOAD_STATEMENTS)
    try:
        await writer.wait_ready(READY_SECONDS)
        for one in written:
            await _write_reviews(writer, one)
            await _write_questions(writer, one)
    finally:
        await writer.aclose()


async def _write_reviews(writer: RingClient, one: Feedback) -> None:
    product_id, written_at = one.product_id, time.time_ns() // 1000 - 1_000_000
    for review in one.reviews:
        review_id = review.review_id
        await writer.execute(
            WRITE_REVIEW.name,
            (
                *(product_id, 0, review_id, review.helpfulness, review_id in one.reported),
                *(render_review(review), render_review_source(review)),
                *(review.written_at_ms, written_at),
            ),
        )
        owner = (id_block_of(review_id), review_id, product_id, written_at)
        await writer.execute(WRITE_REVIEW_OWNER.name, owner)
    meta = render_meta(product_id, one.reviews, one.characteristics)
    await writer.execute(WRITE_REVIEW_META.name, (product_id, 0, *meta, written_at))


async def _write_questions(writer: RingClient, one: Feedback) -> None:
    product_id, written_at = one.product_id, time.time_ns() // 1000 - 1_000_000
    for question in one.questions:
        question_id = question.question_id
        await writer.execute(
            WRITE_QUESTION.name,
            (
                *(product_id, question_id, 0, render_question(question), question.helpfulness),
                *(b"[]", question_id in one.reported, render_email("q@example.org"), written_at),
            ),
        )
        owner = (id_block_of(question_id), question_id, product_id, written_at)
        await writer.execute(WRITE_QUESTION_OWNER.name, owner)
        for answer in one.answers.get(question_id, ()):
            body, photos = render_answer(answer)
            answer_id = answer.answer_id
            await writer.execute(
                WRITE_QUESTION.name,
                (
                    *(product_id, question_id, answer_id, body, answer.helpfulness),
                    *(photos, answer_id in one.reported, render_email("a@example.org")),
                    written_at,
                ),
            )
            owner_row = (id_block_of(answer_id), answer_id, product_id, question_id, written_at)
            await writer.execute(WRITE_ANSWER_OWNER.name, owner_row)
