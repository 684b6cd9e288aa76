"""Questions and answers: lists, new ones, votes and reports."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiohttp import web

from catalog_api.answers import Answer
from catalog_api.bodies import read_body
from catalog_api.domain.errors import InvalidBodyError, InvalidIdError, MissingItemError
from catalog_api.domain.feedback_shapes import AnswerPage, QuestionPage, QuestionPage2020
from catalog_api.domain.item_id import read_path_id, read_query_id
from catalog_api.domain.page import read_page
from catalog_api.domain.submissions import NewAnswer, NewQuestion
from catalog_api.endpoints import Endpoint, said
from catalog_api.guards import Guard
from catalog_api.handlers.legacy import (
    CREATED,
    LEGACY_BODY_TYPES,
    PAGE_PARAMETERS,
    PRODUCT_ID,
    READ_PARAMETERS,
    LegacyForms,
    change_endpoint,
    changing,
    id_parameter,
    read_replies,
    refusal,
)
from catalog_api.handlers.reviews import INVALID_PRODUCT
from catalog_api.lane import Headers, LaneRead, Query
from catalog_api.openapi import examples
from catalog_api.services.questions import QuestionsService
from schema.profiles import to_2020_questions, unchanged

INVALID_QUESTION: Final = "Error: Question body contains invalid entries"
INVALID_ANSWER: Final = "Error: Answer body contains invalid entries"
INVALID_QUESTION_ID: Final = "Error: invalid question id provided"
INVALID_ANSWER_ID: Final = "Error: invalid answer id provided"
_GROUP: Final = "questions"
_QUESTION_REPLIES: Final = read_replies(
    "The questions; none when there are no more.",
    QuestionPage,
    examples.QUESTIONS,
    kind_2020=QuestionPage2020,
    convert=to_2020_questions,
)
_ANSWER_REPLIES: Final = read_replies(
    "The answers; none when there are no more.", AnswerPage, examples.ANSWERS
)


class QuestionsHandler:
    """Answers for questions and answers.

    Args:
        questions: what can be done with them.
        forms: makes the forms that callers ask for.
        guard: limits what callers write.
        max_page_rows: most rows of one page.
        body_seconds: longest that a caller may take to send a body.
    """

    def __init__(
        self,
        questions: QuestionsService,
        forms: LegacyForms,
        guard: Guard,
        *,
        max_page_rows: int,
        body_seconds: float,
    ) -> None:
        self._questions = questions
        self._forms = forms
        self._guard = guard
        self._max_page_rows = max_page_rows
        self._body_seconds = body_seconds

    async def answer_questions(self, _id: int, query: Query, headers: Headers) -> Answer:
        """Return a page of a product's questions, or the legacy 422.

        Raises:
            BadRequestError: a page or a profile that is not served.
            RingError: too few replicas answered in time.
        """
        try:
            product_id = read_query_id(query.get("product_id"))
        except InvalidIdError:
            return refusal(422, INVALID_PRODUCT)
        page = read_page(query.get("page"), query.get("count"), max_rows=self._max_page_rows)
        form = self._forms.choose(headers)
        questions = await self._questions.fetch_questions(product_id, page)
        body = b'{"product_id":"%d","results":[%b]}' % (product_id, b",".join(questions))
        return await self._forms.fresh(body, form, headers, to_2020_questions)

    async def answer_answers(self, question_id: int, query: Query, headers: Headers) -> Answer:
        """Return a page of the answers to a question.

        What the query gave for `page` and `count` comes back as text, what it did not as numbers.

        Raises:
            BadRequestError: a page or a profile that is not served.
            RingError: too few replicas answered in time.
        """
        asked_page, asked_count = query.get("page"), query.get("count")
        page = read_page(asked_page, asked_count, max_rows=self._max_page_rows)
        form = self._forms.choose(headers)
        answers = await self._questions.fetch_answers(question_id, page)
        body = b'{"question":"%d","page":%b,"count":%b,"results":[%b]}' % (
            question_id,
            _echo(asked_page, page.number),
            _echo(asked_count, page.count),
            b",".join(answers),
        )
        return await self._forms.fresh(body, form, headers, unchanged)

    def lane_reads(self) -> tuple[LaneRead, ...]:
        """Return what the fast lane may take."""
        return (
            LaneRead("/qa/questions", self.answer_questions),
            LaneRead("/qa/questions/{id}/answers", self.answer_answers),
        )

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoints of questions and answers."""
        questions, one = self._questions, "/qa/questions/{id}"
        answer = "/qa/answers/{id}"
        return [
            Endpoint(
                "GET",
                "/qa/questions",
                self._list,
                "A page of a product's questions with all their answers",
                _GROUP,
                parameters=(PRODUCT_ID, *PAGE_PARAMETERS, *READ_PARAMETERS),
                replies={**_QUESTION_REPLIES, 422: said(INVALID_PRODUCT)},
                description="The most helpful first; reported ones are left out.",
            ),
            Endpoint(
                "GET",
                f"{one}/answers",
                self._list_answers,
                "A page of the answers to a question",
                _GROUP,
                parameters=(id_parameter("question"), *PAGE_PARAMETERS, *READ_PARAMETERS),
                replies={**_ANSWER_REPLIES, 404: said(INVALID_QUESTION_ID)},
                description="The most helpful first; reported ones are left out. `page` and `count`"
                " come back as text when they were given. A question that is not there has none.",
            ),
            Endpoint(
                "POST",
                "/qa/questions",
                self._guard.posts(self._ask),
                "Ask",
                _GROUP,
                body=NewQuestion,
                body_example=examples.NEW_QUESTION,
                body_types=LEGACY_BODY_TYPES,
                replies={201: said("Created"), 422: said(INVALID_QUESTION)},
                limited=True,
            ),
            Endpoint(
                "POST",
                f"{one}/answers",
                self._guard.posts(self._answer),
                "Answer",
                _GROUP,
                parameters=(id_parameter("question"),),
                body=NewAnswer,
                body_example=examples.NEW_ANSWER,
                body_types=LEGACY_BODY_TYPES,
                replies={201: said("Created"), 422: said(INVALID_ANSWER)},
                limited=True,
            ),
            self._change(f"{one}/helpful", questions.vote_question, "Find a question helpful"),
            self._change(f"{one}/report", questions.report_question, "Hide a question from lists"),
            self._change(f"{answer}/helpful", questions.vote_answer, "Find an answer helpful"),
            self._change(f"{answer}/report", questions.report_answer, "Hide an answer from lists"),
        ]

    def _change(
        self, path: str, change: Callable[[int], Awaitable[None]], summary: str
    ) -> Endpoint:
        of, refused = (
            ("answer", INVALID_ANSWER_ID)
            if path.startswith("/qa/answers")
            else ("question", INVALID_QUESTION_ID)
        )
        handle = self._guard.votes(changing(change, refused, body_seconds=self._body_seconds))
        return change_endpoint(path, handle, summary, _GROUP, of=of, refused=refused)

    async def _list(self, request: web.Request) -> Answer:
        return await self.answer_questions(0, request.query, request.headers)

    async def _list_answers(self, request: web.Request) -> Answer:
        try:
            question_id = read_path_id(request.match_info["id"])
        except InvalidIdError:
            return refusal(404, INVALID_QUESTION_ID)
        return await self.answer_answers(question_id, request.query, request.headers)

    async def _ask(self, request: web.Request) -> Answer:
        try:
            await self._questions.ask(
                await read_body(
                    request, NewQuestion, timeout_seconds=self._body_seconds, lenient=True
                )
            )
        except (InvalidBodyError, MissingItemError):
            return refusal(422, INVALID_QUESTION)
        return CREATED

    async def _answer(self, request: web.Request) -> Answer:
        try:
            new = await read_body(
                request, NewAnswer, timeout_seconds=self._body_seconds, lenient=True
            )
            await self._questions.answer(read_path_id(request.match_info["id"]), new)
        except (InvalidBodyError, InvalidIdError, MissingItemError):
            return refusal(422, INVALID_ANSWER)
        return CREATED


def _echo(asked: str | None, number: int) -> bytes:
    # Only digits get here: anything else was refused with the page.
    return b"%d" % number if asked is None else b'"%b"' % asked.encode()
