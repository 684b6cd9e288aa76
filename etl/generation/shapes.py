"""The fourteen legacy files as they are written: columns, usual quoting, usual line ends."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final


class Holds(Enum):
    """What the fields of a column hold, which decides how they are written and can be broken."""

    KEY = auto()
    PARENT = auto()
    INTEGER = auto()
    QUANTITY = auto()
    TEXT = auto()
    LONG_TEXT = auto()
    """A text of several sentences: the only texts in which line breaks occur."""
    NULLABLE_TEXT = auto()
    PRICE = auto()
    NULLABLE_PRICE = auto()
    DIGIT_BOOLEAN = auto()
    """Usually written 0 or 1."""
    WORD_BOOLEAN = auto()
    """Usually written true or false."""
    DATE = auto()
    """Usually epoch milliseconds of 13 digits."""
    RATING = auto()
    VALUE = auto()


TEXTS: Final = frozenset({Holds.TEXT, Holds.LONG_TEXT, Holds.NULLABLE_TEXT})
PRICES: Final = frozenset({Holds.PRICE, Holds.NULLABLE_PRICE})
NULLABLE: Final = frozenset({Holds.NULLABLE_TEXT, Holds.NULLABLE_PRICE})
BOOLEANS: Final = frozenset({Holds.DIGIT_BOOLEAN, Holds.WORD_BOOLEAN})


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in header and SQL, and what it holds."""

    name: str
    holds: Holds


@dataclass(frozen=True, slots=True)
class Shape:
    """One legacy file.

    Attributes:
        name: the stem of its SQL file and of its tables while generating.
        columns: in the order of the legacy description, the key first.
        spreadsheet: whether the file usually comes from a spreadsheet: byte-order mark, CRLF, and
            quotes only where a comma or a quote in the text needs them.
        one_line_rows: photos.csv, whose quotes get lost and whose lines get joined.
        cut_column: the text in which a line can be cut so that the cut shows: it is not the last
            column, where a cut would be the same as a lost closing quote.
    """

    name: str
    columns: tuple[Column, ...]
    spreadsheet: bool = False
    one_line_rows: bool = False
    cut_column: str | None = None

    @property
    def file(self) -> str:
        """The name of the file in the directory."""
        return f"{self.name}.csv"

    def holding(self, *kinds: Holds) -> tuple[Column, ...]:
        """Return the columns that hold one of these, in order."""
        return tuple(column for column in self.columns if column.holds in kinds)


def _columns(**holds: Holds) -> tuple[Column, ...]:
    """Return the columns so named; the key, which every file has first, is added."""
    return (
        Column("id", Holds.KEY),
        *(Column(name, kind) for name, kind in holds.items()),
    )


PRODUCT: Final = Shape(
    "product",
    _columns(
        name=Holds.TEXT,
        slogan=Holds.TEXT,
        description=Holds.LONG_TEXT,
        category=Holds.TEXT,
        default_price=Holds.PRICE,
    ),
    cut_column="description",
)
FEATURES: Final = Shape(
    "features",
    _columns(product_id=Holds.PARENT, feature=Holds.TEXT, value=Holds.NULLABLE_TEXT),
    cut_column="feature",
)
STYLES: Final = Shape(
    "styles",
    _columns(
        productId=Holds.PARENT,
        name=Holds.TEXT,
        sale_price=Holds.NULLABLE_PRICE,
        original_price=Holds.PRICE,
        default_style=Holds.DIGIT_BOOLEAN,
    ),
    cut_column="name",
)
PHOTOS: Final = Shape(
    "photos",
    _columns(styleId=Holds.PARENT, url=Holds.NULLABLE_TEXT, thumbnail_url=Holds.NULLABLE_TEXT),
    one_line_rows=True,
    cut_column="url",
)
SKUS: Final = Shape(
    "skus",
    _columns(styleId=Holds.PARENT, size=Holds.TEXT, quantity=Holds.QUANTITY),
    cut_column="size",
)
RELATED: Final = Shape(
    "related",
    _columns(current_product_id=Holds.PARENT, related_product_id=Holds.PARENT),
)
CART: Final = Shape(
    "cart",
    _columns(user_session=Holds.INTEGER, product_id=Holds.PARENT, active=Holds.DIGIT_BOOLEAN),
)
REVIEWS: Final = Shape(
    "reviews",
    _columns(
        product_id=Holds.PARENT,
        rating=Holds.RATING,
        date=Holds.DATE,
        summary=Holds.TEXT,
        body=Holds.LONG_TEXT,
        recommend=Holds.WORD_BOOLEAN,
        reported=Holds.WORD_BOOLEAN,
        reviewer_name=Holds.TEXT,
        reviewer_email=Holds.TEXT,
        response=Holds.NULLABLE_TEXT,
        helpfulness=Holds.INTEGER,
    ),
    cut_column="body",
)
REVIEWS_PHOTOS: Final = Shape(
    "reviews_photos",
    _columns(review_id=Holds.PARENT, url=Holds.TEXT),
)
CHARACTERISTICS: Final = Shape(
    "characteristics",
    _columns(product_id=Holds.PARENT, name=Holds.TEXT),
)
CHARACTERISTIC_REVIEWS: Final = Shape(
    "characteristic_reviews",
    _columns(characteristic_id=Holds.PARENT, review_id=Holds.PARENT, value=Holds.VALUE),
)
QUESTIONS: Final = Shape(
    "questions",
    _columns(
        product_id=Holds.PARENT,
        body=Holds.LONG_TEXT,
        date_written=Holds.DATE,
        asker_name=Holds.TEXT,
        asker_email=Holds.TEXT,
        reported=Holds.DIGIT_BOOLEAN,
        helpful=Holds.INTEGER,
    ),
    spreadsheet=True,
    cut_column="body",
)
ANSWERS: Final = Shape(
    "answers",
    _columns(
        question_id=Holds.PARENT,
        body=Holds.LONG_TEXT,
        date_written=Holds.DATE,
        answerer_name=Holds.TEXT,
        answerer_email=Holds.TEXT,
        reported=Holds.DIGIT_BOOLEAN,
        helpful=Holds.INTEGER,
    ),
    spreadsheet=True,
    cut_column="body",
)
ANSWERS_PHOTOS: Final = Shape(
    "answers_photos",
    _columns(answer_id=Holds.PARENT, url=Holds.TEXT),
    spreadsheet=True,
)

SHAPES: Final = (
    PRODUCT,
    FEATURES,
    STYLES,
    PHOTOS,
    SKUS,
    RELATED,
    CART,
    REVIEWS,
    REVIEWS_PHOTOS,
    CHARACTERISTICS,
    CHARACTERISTIC_REVIEWS,
    QUESTIONS,
    ANSWERS,
    ANSWERS_PHOTOS,
)
"""In the order in which they are made: parents before their children."""
