"""Questions and answers as they are stored, and whose they are.

Consistency: LOCAL_QUORUM throughout: what one app server acknowledged is what all read next.
"""

from typing import Final, NamedTuple

from catalog_api.domain.errors import MissingItemError
from catalog_api.repositories.repository import Repository
from schema.reviews import (
    Answer,
    Question,
    id_block_of,
    render_answer,
    render_email,
    render_question,
)
from schema.statements.questions import (
    REPORT_QUESTION,
    SELECT_ANSWER_OWNER,
    SELECT_ANSWERS,
    SELECT_QUESTION_OWNER,
    SELECT_QUESTIONS,
    WRITE_NEW_ANSWER,
    WRITE_NEW_QUESTION,
)

_NO_PHOTOS: Final = b"[]"


StoredQuestion = tuple[int, int, int | None, bool | None, bytes | None, int | None]
"""A row of `questions_by_product`: ids of question and answer (0: it is the question itself),
helpfulness, whether it was reported, body, votes made here."""


class StoredAnswer(NamedTuple):
    """An answer's row; `photos` are its photos with their ids, as JSON."""

    answer_id: int
    body: bytes | None
    photos: bytes | None
    helpfulness: int | None
    votes: int | None
    reported: bool | None


class QuestionsRepository(Repository):
    """Reads and writes questions and answers through the ring client."""

    async def fetch_of_product(self, product_id: int) -> list[StoredQuestion]:
        """Return a product's questions, each before its answers; ids ascend. One round trip.

        Raises:
            RingError: too few replicas answered in time.
        """
        return await self._execute(SELECT_QUESTIONS, (product_id,))

    async def fetch_answers(self, product_id: int, question_id: int) -> list[StoredAnswer]:
        """Return the answers to a question, ids ascending. One round trip.

        Raises:
            RingError: too few replicas answered in time.
        """
        rows = await self._execute(SELECT_ANSWERS, (product_id, question_id))
        return [StoredAnswer(*row) for row in rows]

    async def fetch_question_owner(self, question_id: int) -> int:
        """Return the product that a question is about. One round trip.

        Raises:
            MissingItemError: there is no such question.
            RingError: too few replicas answered in time.
        """
        key = (id_block_of(question_id), question_id)
        rows = await self._execute(SELECT_QUESTION_OWNER, key)
        # A question that was taken away is about product 0 or none.
        if not rows or not rows[0][0]:
            raise MissingItemError(f"question {question_id}")
        return int(rows[0][0])

    async def fetch_answer_owner(self, answer_id: int) -> tuple[int, int]:
        """Return the product and the question that an answer belongs to. One round trip.

        Raises:
            MissingItemError: there is no such answer.
            RingError: too few replicas answered in time.
        """
        rows = await self._execute(SELECT_ANSWER_OWNER, (id_block_of(answer_id), answer_id))
        if not rows or not rows[0][0]:
            raise MissingItemError(f"answer {answer_id}")
        product_id, question_id = rows[0]
        return product_id, question_id

    async def write_question(self, product_id: int, question: Question, email: str) -> None:
        """Store a new question. Idempotent; two partitions, one round trip.

        Raises:
            RingError: it is stored in part or not at all.
        """
        question_id = question.question_id
        row = (product_id, question_id, 0, render_question(question), _NO_PHOTOS)
        owner = (id_block_of(question_id), question_id, product_id)
        await self._execute(WRITE_NEW_QUESTION, (*row, render_email(email), *owner))

    async def write_answer(
        self, product_id: int, question_id: int, answer: Answer, email: str
    ) -> None:
        """Store a new answer. Idempotent; two partitions, one round trip.

        Raises:
            RingError: it is stored in part or not at all.
        """
        answer_id = answer.answer_id
        row = (product_id, question_id, answer_id, *render_answer(answer), render_email(email))
        owner = (id_block_of(answer_id), answer_id, product_id, question_id)
        await self._execute(WRITE_NEW_ANSWER, (*row, *owner))

    async def report(self, product_id: int, question_id: int, answer_id: int = 0) -> None:
        """Hide a question, or one of its answers, from lists. Idempotent.

        Raises:
            RingError: it may or may not be hidden.
        """
        await self._execute(REPORT_QUESTION, (product_id, question_id, answer_id))
