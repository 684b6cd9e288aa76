"""What reviews, their meta, questions and answers look like in answers; see `shapes.py`."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from catalog_api.domain.shapes import Id, IdText, ZeroOrOne

_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"
Count = Annotated[int, Meta(ge=0)]
CountText = Annotated[str, Meta(pattern="^[0-9]+$")]
Zero = Annotated[int, Meta(ge=0, le=0)]
Date = Annotated[str, Meta(pattern=_DATE, description="UTC, with milliseconds")]
Mark = Annotated[int, Meta(ge=1, le=5)]
MarkText = Annotated[str, Meta(pattern="^[1-5]$")]
IdKey = Annotated[str, Meta(pattern="^[0-9]{1,16}$")]
Truth = Annotated[str, Meta(pattern="^(false|true)$")]
Truth2020 = Annotated[str, Meta(pattern="^[01]$")]
Mean = Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]{16}$")]
Mean2020 = Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]{4}$")]
NeverTrue = Annotated[bool, Meta(extra_json_schema={"const": False})]


class ItemPhoto(Struct, forbid_unknown_fields=True):
    """A photo of a review or an answer."""

    id: Id
    url: str | None


class Review(Struct, forbid_unknown_fields=True):
    """A review. Who wrote it is told by name only, never by e-mail address."""

    review_id: Id
    rating: Mark
    summary: str | None
    recommend: bool
    response: str | None
    body: str | None
    date: Date
    reviewer_name: str | None
    helpfulness: Count
    photos: list[ItemPhoto]


class Review2020(Struct, forbid_unknown_fields=True):
    """The same; no response is an empty one."""

    review_id: Id
    rating: Mark
    summary: str | None
    recommend: ZeroOrOne
    response: str
    body: str | None
    date: Date
    reviewer_name: str | None
    helpfulness: Count
    photos: list[ItemPhoto]


class ReviewPage(Struct, forbid_unknown_fields=True):
    """A page of reviews; `page` is the offset `(page - 1) * count`, `count` what was asked for."""

    product: IdText
    page: Annotated[int, Meta(ge=0)]
    count: Annotated[int, Meta(ge=1)]
    results: list[Review]


class ReviewPage2020(Struct, forbid_unknown_fields=True):
    """A page of reviews; `page` is the offset `(page - 1) * count`, `count` what was asked for."""

    product: IdText
    page: Annotated[int, Meta(ge=0)]
    count: Annotated[int, Meta(ge=1)]
    results: list[Review2020]


class CharacteristicMean(Struct, forbid_unknown_fields=True):
    """What reviewers gave a characteristic on average; null without reviews."""

    id: Id
    value: Mean | None


class CharacteristicMean2020(Struct, forbid_unknown_fields=True):
    """The same with four decimals."""

    id: Id
    value: Mean2020 | None


class ReviewMeta(Struct, forbid_unknown_fields=True):
    """What a product's reviews come to; numbers of reviews by mark and by recommendation."""

    product_id: IdText
    ratings: dict[MarkText, CountText]
    recommended: dict[Truth, CountText]
    characteristics: dict[str, CharacteristicMean]


class ReviewMeta2020(Struct, forbid_unknown_fields=True):
    """The same with numbers as numbers."""

    product_id: IdText
    ratings: dict[MarkText, Count]
    recommended: dict[Truth2020, Count]
    characteristics: dict[str, CharacteristicMean2020]


class NestedAnswer(Struct, forbid_unknown_fields=True):
    """An answer within its question; here photos are plain URLs."""

    id: Id
    body: str | None
    date: Date
    answerer_name: str | None
    helpfulness: Count
    photos: list[str | None]


class Question(Struct, forbid_unknown_fields=True):
    """A question with all its answers, keyed by their ids, ids ascending."""

    question_id: Id
    question_body: str | None
    question_date: Date
    asker_name: str | None
    question_helpfulness: Count
    reported: NeverTrue
    answers: dict[IdKey, NestedAnswer]


class Question2020(Struct, forbid_unknown_fields=True):
    """The same with a number for `reported`."""

    question_id: Id
    question_body: str | None
    question_date: Date
    asker_name: str | None
    question_helpfulness: Count
    reported: Zero
    answers: dict[IdKey, NestedAnswer]


class QuestionPage(Struct, forbid_unknown_fields=True):
    """A page of questions."""

    product_id: IdText
    results: list[Question]


class QuestionPage2020(Struct, forbid_unknown_fields=True):
    """A page of questions."""

    product_id: IdText
    results: list[Question2020]


class Answer(Struct, forbid_unknown_fields=True):
    """An answer."""

    answer_id: Id
    body: str | None
    date: Date
    answerer_name: str | None
    helpfulness: Count
    photos: list[ItemPhoto]


class AnswerPage(Struct, forbid_unknown_fields=True):
    """A page of answers; `page` and `count` are text when they were given."""

    question: IdText
    page: Annotated[int, Meta(ge=1)] | CountText
    count: Annotated[int, Meta(ge=1)] | CountText
    results: list[Answer]
