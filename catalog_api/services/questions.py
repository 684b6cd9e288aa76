"""Questions and answers: lists, new ones, votes and reports."""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter

from catalog_api.domain.errors import MissingItemError
from catalog_api.domain.page import Page
from catalog_api.domain.submissions import NewAnswer, NewQuestion, photo_urls
from catalog_api.repositories.ids import IdAllocator
from catalog_api.repositories.products import ProductsRepository
from catalog_api.repositories.questions import QuestionsRepository, StoredAnswer, StoredQuestion
from catalog_api.repositories.votes import VotedItem
from catalog_api.services.votes import VoteCounter
from schema.reviews import (
    Answer,
    IdentifiedPhoto,
    Question,
    answer_with_photos,
    question_with_answers,
    question_with_votes,
    with_votes,
)


@dataclass(frozen=True, slots=True)
class QuestionIds:
    """Where new ids come from."""

    questions: IdAllocator
    answers: IdAllocator
    photos: IdAllocator


class QuestionsService:
    """What can be done with questions and answers.

    Args:
        questions: where they are stored.
        products: to know which products there are.
        votes: counts helpful votes.
        ids: of what is new.
    """

    def __init__(
        self,
        questions: QuestionsRepository,
        products: ProductsRepository,
        *,
        votes: VoteCounter,
        ids: QuestionIds,
    ) -> None:
        self._questions = questions
        self._products = products
        self._votes = votes
        self._ids = ids

    async def fetch_questions(self, product_id: int, page: Page) -> list[bytes]:
        """Return a page of questions with all their answers, as JSON objects. One round trip.

        Consistency: LOCAL_QUORUM. By helpfulness descending, then id; answers by id.

        Raises:
            RingError: too few replicas answered in time.
        """
        return _list_questions(await self._questions.fetch_of_product(product_id), page)

    async def fetch_answers(self, question_id: int, page: Page) -> list[bytes]:
        """Return a page of answers to a question, as JSON objects. Two round trips.

        Consistency: LOCAL_QUORUM. By helpfulness descending, then id; none for an unknown id.

        Raises:
            RingError: too few replicas answered in time.
        """
        try:
            product_id = await self._questions.fetch_question_owner(question_id)
        except MissingItemError:
            return []
        return _list_answers(await self._questions.fetch_answers(product_id, question_id), page)

    async def ask(self, new: NewQuestion) -> int:
        """Store a new question; returns its id. Consistency: LOCAL_QUORUM.

        Raises:
            MissingItemError: there is no such product.
            RingError: it is stored in part or not at all.
        """
        await self._products.require(new.product_id)
        (question_id,) = await self._ids.questions.take()
        question = Question(question_id, new.body, _now_ms(), new.name, helpfulness=0)
        await self._questions.write_question(new.product_id, question, new.email)
        return question_id

    async def answer(self, question_id: int, new: NewAnswer) -> int:
        """Store a new answer; returns its id. Consistency: LOCAL_QUORUM.

        Raises:
            MissingItemError: there is no such question.
            RingError: it is stored in part or not at all.
        """
        product_id = await self._questions.fetch_question_owner(question_id)
        (answer_id,) = await self._ids.answers.take()
        urls = photo_urls(new.photos)
        photo_ids = await self._ids.photos.take(len(urls))
        answer = Answer(
            answer_id,
            new.body,
            _now_ms(),
            new.name,
            helpfulness=0,
            photos=[IdentifiedPhoto(*pair) for pair in zip(photo_ids, urls, strict=True)],
        )
        await self._questions.write_answer(product_id, question_id, answer, new.email)
        return answer_id

    async def vote_question(self, question_id: int) -> None:
        """Count one helpful vote, exactly once.

        Raises:
            MissingItemError: there is no such question.
            RingError: it was counted once or not at all.
        """
        product_id = await self._questions.fetch_question_owner(question_id)
        await self._votes.add(VotedItem(product_id, question_id=question_id))

    async def vote_answer(self, answer_id: int) -> None:
        """Count one helpful vote, exactly once.

        Raises:
            MissingItemError: there is no such answer.
            RingError: it was counted once or not at all.
        """
        product_id, question_id = await self._questions.fetch_answer_owner(answer_id)
        item = VotedItem(product_id, question_id=question_id, answer_id=answer_id)
        await self._votes.add(item)

    async def report_question(self, question_id: int) -> None:
        """Hide a question from lists. Idempotent.

        Raises:
            MissingItemError: there is no such question.
            RingError: too few replicas answered in time.
        """
        product_id = await self._questions.fetch_question_owner(question_id)
        await self._questions.report(product_id, question_id)

    async def report_answer(self, answer_id: int) -> None:
        """Hide an answer from lists. Idempotent.

        Raises:
            MissingItemError: there is no such answer.
            RingError: too few replicas answered in time.
        """
        product_id, question_id = await self._questions.fetch_answer_owner(answer_id)
        await self._questions.report(product_id, question_id, answer_id)


def _list_questions(rows: Iterable[StoredQuestion], page: Page) -> list[bytes]:
    questions: list[tuple[int, int, bytes]] = []
    answers: defaultdict[int, list[bytes]] = defaultdict(list)
    for question_id, answer_id, helpfulness, reported, body, votes in rows:
        if reported or not body:
            continue
        # Most have no votes made here: a call less for each row of a hot read.
        if answer_id:
            voted = with_votes(body, helpfulness or 0, votes) if votes else body
            answers[question_id].append(b'"%d":%b' % (answer_id, voted))
        else:
            voted = question_with_votes(body, helpfulness or 0, votes) if votes else body
            questions.append((-(helpfulness or 0) - (votes or 0), question_id, voted))
    questions.sort(key=itemgetter(0, 1))
    return [
        question_with_answers(body, answers.get(question_id, ()))
        for _, question_id, body in questions[page.offset : page.offset + page.rows]
    ]


def _list_answers(rows: Iterable[StoredAnswer], page: Page) -> list[bytes]:
    shown = [row for row in rows if row.body and not row.reported]
    shown.sort(key=lambda row: (-(row.helpfulness or 0) - (row.votes or 0), row.answer_id))
    return [
        answer_with_photos(
            with_votes(row.body or b"", row.helpfulness or 0, row.votes), row.photos or b"[]"
        )
        for row in shown[page.offset : page.offset + page.rows]
    ]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
