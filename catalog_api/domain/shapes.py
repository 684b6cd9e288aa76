"""What answers hold: the definitions that are published, and that tests hold real answers to.

Keys stand in the contract's order. A name that ends in 2020 is the shape in the 2020 profile of
value types, where it differs. Texts may be null: the files that a catalog was loaded from had gaps.
"""

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field

from catalog_api.domain.item_id import MAX_ID

_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"

Id = Annotated[int, Meta(ge=0, le=MAX_ID)]
IdText = Annotated[str, Meta(pattern="^[0-9]{1,16}$", description="The id that was asked for")]
Price = Annotated[str, Meta(pattern=r"^-?[0-9]+\.[0-9]{2}$")]
Price2020 = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]{2})?$")]
Count = Annotated[int, Meta(ge=0)]
CountText = Annotated[str, Meta(pattern="^[0-9]+$")]
Zero = Annotated[int, Meta(ge=0, le=0)]
ZeroOrOne = Annotated[int, Meta(ge=0, le=1)]
Date = Annotated[str, Meta(pattern=_DATE, description="UTC, with milliseconds")]
Mark = Annotated[int, Meta(ge=1, le=5)]
MarkText = Annotated[str, Meta(pattern="^[1-5]$")]
IdKey = Annotated[str, Meta(pattern="^[0-9]{1,16}$")]
SkuKey = Annotated[str, Meta(pattern="^([0-9]+|null)$")]
Truth = Annotated[str, Meta(pattern="^(false|true)$")]
Truth2020 = Annotated[str, Meta(pattern="^[01]$")]
Mean = Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]{16}$")]
Mean2020 = Annotated[str, Meta(pattern=r"^[0-9]+\.[0-9]{4}$")]


class Problem(Struct):
    """What went wrong, as RFC 9457 has it; some carry further members."""

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str


class Alive(Struct, forbid_unknown_fields=True):
    """The process answers."""

    status: Literal["alive"]


class Ready(Struct, forbid_unknown_fields=True):
    """Cassandra can be read."""

    status: Literal["ready"]


class Feature(Struct, forbid_unknown_fields=True):
    """A feature of a product."""

    feature: str | None
    value: str | None


class ListedProduct(Struct, forbid_unknown_fields=True):
    """A product as lists have it."""

    id: Id
    name: str | None
    slogan: str | None
    description: str | None
    category: str | None
    default_price: Price


class ListedProduct2020(Struct, forbid_unknown_fields=True):
    """The same; whole prices have no decimals."""

    id: Id
    name: str | None
    slogan: str | None
    description: str | None
    category: str | None
    default_price: Price2020


class ProductWithFeatures(ListedProduct, forbid_unknown_fields=True):
    """A product."""

    features: list[Feature]


class ProductWithFeatures2020(ListedProduct2020, forbid_unknown_fields=True):
    """The same; whole prices have no decimals."""

    features: list[Feature]


class StylePhoto(Struct, forbid_unknown_fields=True):
    """A photo of a style; both are null in the one that stands for none."""

    thumbnail_url: str | None
    url: str | None


class StyleSku(Struct, forbid_unknown_fields=True):
    """A size with the pieces in stock; both are null in the one that stands for none."""

    quantity: int | None
    size: str | None


class Style(Struct, forbid_unknown_fields=True):
    """A style of a product; its skus are keyed by their ids, or by `null` when there are none."""

    style_id: Id
    name: str | None
    original_price: Price
    sale_price: Price | None
    is_default: bool = field(name="default?")
    photos: Annotated[list[StylePhoto], Meta(min_length=1)]
    skus: Annotated[dict[SkuKey, StyleSku], Meta(min_length=1)]


class Style2020(Struct, forbid_unknown_fields=True):
    """The same; a sale price of 0 stands for none."""

    style_id: Id
    name: str | None
    original_price: Price2020
    sale_price: Price2020
    is_default: ZeroOrOne = field(name="default?")
    photos: Annotated[list[StylePhoto], Meta(min_length=1)]
    skus: Annotated[dict[SkuKey, StyleSku], Meta(min_length=1)]


class Styles(Struct, forbid_unknown_fields=True):
    """The styles of a product."""

    product_id: IdText
    results: list[Style]


class Styles2020(Struct, forbid_unknown_fields=True):
    """The styles of a product."""

    product_id: IdText
    results: list[Style2020]


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
    reported: Literal[False]
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


Document = dict[str, Any]
"""An OpenAPI document."""
