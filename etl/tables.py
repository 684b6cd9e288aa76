"""The legacy files that this load reads: their columns and what each column holds."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Holds(Enum):
    """What the fields of a column hold; how they are read stands in `sql/macros.sql`."""

    KEY = auto()
    """The primary key: 1 to 2^53-1."""
    PARENT = auto()
    """A foreign key: 0 to 2^53-1, where 0 names nothing."""
    TEXT = auto()
    NULLABLE_TEXT = auto()
    PRICE = auto()
    NULLABLE_PRICE = auto()
    QUANTITY = auto()
    COUNT = auto()
    """A whole number from 0 that fits 31 bits."""
    SESSION = auto()
    """A whole number from 0 to 2^53-1 that names nothing of ours."""
    BOOLEAN = auto()
    """Usually written 0 or 1."""
    WORD_BOOLEAN = auto()
    """Usually written true or false."""
    DATE = auto()
    """Milliseconds since 1970, read in any of the legacy forms."""
    RATING = auto()
    """1 to 5."""
    VALUE = auto()
    """1 to 5."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in the header, the name we use in SQL, what it holds."""

    header: str
    name: str
    holds: Holds


@dataclass(frozen=True, slots=True)
class Parent:
    """What a foreign key must name.

    Attributes:
        column: our name of the foreign key.
        ids: the view of those that exist, with `id` and the `product_id` that owns it.
        called: what the parent is called in a reject.
    """

    column: str
    ids: str
    called: str


@dataclass(frozen=True, slots=True)
class Table:
    """One legacy file.

    Attributes:
        name: its name in SQL.
        file: its name in the directory.
        columns: in the order of the legacy description, the primary key first.
        parents: foreign keys, in the order of their columns.
        owner: our name of the foreign key whose parent says which product a row belongs to; empty
            where the row names its product itself, or belongs to none.
        older_file: the name of the file in older sets.
        one_line_rows: whether a row never spans lines, so that a quote left open at the end of a
            line is a lost quote (photos.csv) and not a line break in a text.
    """

    name: str
    file: str
    columns: tuple[Column, ...]
    parents: tuple[Parent, ...] = ()
    owner: str = ""
    older_file: str = ""
    one_line_rows: bool = False

    def header_of(self, column: str) -> str:
        """The name in the header of one of our columns."""
        return next(one.header for one in self.columns if one.name == column)

    @property
    def prices(self) -> bool:
        """Whether a column holds prices, whose unquoted thousands separators split fields."""
        return any(column.holds in {Holds.PRICE, Holds.NULLABLE_PRICE} for column in self.columns)


_PRODUCT: Final = Parent("product_id", "product_ids", "product")
_STYLE: Final = Parent("style_id", "style_ids", "style")
_REVIEW: Final = Parent("review_id", "review_ids", "review")


def _same(**holds: Holds) -> tuple[Column, ...]:
    """Return a key and columns whose names in the header are ours."""
    return (
        Column("id", "id", Holds.KEY),
        *(Column(name, name, kind) for name, kind in holds.items()),
    )


PRODUCT: Final = Table(
    "product",
    "product.csv",
    _same(
        name=Holds.TEXT,
        slogan=Holds.TEXT,
        description=Holds.TEXT,
        category=Holds.TEXT,
        default_price=Holds.PRICE,
    ),
)
FEATURES: Final = Table(
    "features",
    "features.csv",
    _same(product_id=Holds.PARENT, feature=Holds.TEXT, value=Holds.NULLABLE_TEXT),
    (_PRODUCT,),
)
STYLES: Final = Table(
    "styles",
    "styles.csv",
    (
        Column("id", "id", Holds.KEY),
        Column("productId", "product_id", Holds.PARENT),
        Column("name", "name", Holds.TEXT),
        Column("sale_price", "sale_price", Holds.NULLABLE_PRICE),
        Column("original_price", "original_price", Holds.PRICE),
        Column("default_style", "default_style", Holds.BOOLEAN),
    ),
    (_PRODUCT,),
)
PHOTOS: Final = Table(
    "photos",
    "photos.csv",
    (
        Column("id", "id", Holds.KEY),
        Column("styleId", "style_id", Holds.PARENT),
        Column("url", "url", Holds.NULLABLE_TEXT),
        Column("thumbnail_url", "thumbnail_url", Holds.NULLABLE_TEXT),
    ),
    (_STYLE,),
    owner="style_id",
    one_line_rows=True,
)
SKUS: Final = Table(
    "skus",
    "skus.csv",
    (
        Column("id", "id", Holds.KEY),
        Column("styleId", "style_id", Holds.PARENT),
        Column("size", "size", Holds.TEXT),
        Column("quantity", "quantity", Holds.QUANTITY),
    ),
    (_STYLE,),
    owner="style_id",
)
RELATED: Final = Table(
    "related",
    "related.csv",
    (
        Column("id", "id", Holds.KEY),
        Column("current_product_id", "product_id", Holds.PARENT),
        Column("related_product_id", "related_product_id", Holds.PARENT),
    ),
    (_PRODUCT, Parent("related_product_id", "product_ids", "product")),
)
REVIEWS: Final = Table(
    "reviews",
    "reviews.csv",
    _same(
        product_id=Holds.PARENT,
        rating=Holds.RATING,
        date=Holds.DATE,
        summary=Holds.TEXT,
        body=Holds.TEXT,
        recommend=Holds.WORD_BOOLEAN,
        reported=Holds.WORD_BOOLEAN,
        reviewer_name=Holds.TEXT,
        reviewer_email=Holds.TEXT,
        response=Holds.NULLABLE_TEXT,
        helpfulness=Holds.COUNT,
    ),
    (_PRODUCT,),
)
REVIEWS_PHOTOS: Final = Table(
    "reviews_photos",
    "reviews_photos.csv",
    _same(review_id=Holds.PARENT, url=Holds.TEXT),
    (_REVIEW,),
    owner="review_id",
)
CHARACTERISTICS: Final = Table(
    "characteristics",
    "characteristics.csv",
    _same(product_id=Holds.PARENT, name=Holds.TEXT),
    (_PRODUCT,),
)
CHARACTERISTIC_REVIEWS: Final = Table(
    "characteristic_reviews",
    "characteristic_reviews.csv",
    _same(characteristic_id=Holds.PARENT, review_id=Holds.PARENT, value=Holds.VALUE),
    (Parent("characteristic_id", "characteristic_ids", "characteristic"), _REVIEW),
    owner="review_id",
    older_file="characteristics_reviews.csv",
)
QUESTIONS: Final = Table(
    "questions",
    "questions.csv",
    _same(
        product_id=Holds.PARENT,
        body=Holds.TEXT,
        date_written=Holds.DATE,
        asker_name=Holds.TEXT,
        asker_email=Holds.TEXT,
        reported=Holds.BOOLEAN,
        helpful=Holds.COUNT,
    ),
    (_PRODUCT,),
)
ANSWERS: Final = Table(
    "answers",
    "answers.csv",
    _same(
        question_id=Holds.PARENT,
        body=Holds.TEXT,
        date_written=Holds.DATE,
        answerer_name=Holds.TEXT,
        answerer_email=Holds.TEXT,
        reported=Holds.BOOLEAN,
        helpful=Holds.COUNT,
    ),
    (Parent("question_id", "question_ids", "question"),),
    owner="question_id",
)
ANSWERS_PHOTOS: Final = Table(
    "answers_photos",
    "answers_photos.csv",
    _same(answer_id=Holds.PARENT, url=Holds.TEXT),
    (Parent("answer_id", "answer_ids", "answer"),),
    owner="answer_id",
)
CART: Final = Table(
    "cart",
    "cart.csv",
    _same(user_session=Holds.SESSION, product_id=Holds.PARENT, active=Holds.BOOLEAN),
    (_PRODUCT,),
)

PRODUCT_TABLES: Final = (PRODUCT, FEATURES, STYLES, PHOTOS, SKUS, RELATED)
REVIEW_TABLES: Final = (REVIEWS, REVIEWS_PHOTOS, CHARACTERISTICS, CHARACTERISTIC_REVIEWS)
QUESTION_TABLES: Final = (QUESTIONS, ANSWERS, ANSWERS_PHOTOS)
TABLES: Final = (*PRODUCT_TABLES, *REVIEW_TABLES, *QUESTION_TABLES, CART)
"""In the order in which they are cleaned: parents before their children."""
