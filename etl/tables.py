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
    BOOLEAN = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in the header, the name we use in SQL, what it holds."""

    header: str
    name: str
    holds: Holds


@dataclass(frozen=True, slots=True)
class Table:
    """One legacy file.

    Attributes:
        name: its name in SQL, also the stem of its stage files.
        file: its name in the directory.
        columns: in the order of the legacy description, the primary key first.
        one_line_rows: whether a row never spans lines, so that a quote left open at the end of a
            line is a lost quote (photos.csv) and not a line break in a text.
    """

    name: str
    file: str
    columns: tuple[Column, ...]
    one_line_rows: bool = False

    @property
    def prices(self) -> bool:
        """Whether a column holds prices, whose unquoted thousands separators split fields."""
        return any(column.holds in {Holds.PRICE, Holds.NULLABLE_PRICE} for column in self.columns)


PRODUCT: Final = Table(
    "product",
    "product.csv",
    (
        Column("id", "id", Holds.KEY),
        Column("name", "name", Holds.TEXT),
        Column("slogan", "slogan", Holds.TEXT),
        Column("description", "description", Holds.TEXT),
        Column("category", "category", Holds.TEXT),
        Column("default_price", "default_price", Holds.PRICE),
    ),
)
FEATURES: Final = Table(
    "features",
    "features.csv",
    (
        Column("id", "id", Holds.KEY),
        Column("product_id", "product_id", Holds.PARENT),
        Column("feature", "feature", Holds.TEXT),
        Column("value", "value", Holds.NULLABLE_TEXT),
    ),
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
)
RELATED: Final = Table(
    "related",
    "related.csv",
    (
        Column("id", "id", Holds.KEY),
        Column("current_product_id", "product_id", Holds.PARENT),
        Column("related_product_id", "related_product_id", Holds.PARENT),
    ),
)

TABLES: Final = (PRODUCT, FEATURES, STYLES, PHOTOS, SKUS, RELATED)
"""In the order in which they are cleaned: parents before their children."""

FILES_NOT_READ: Final = (
    "cart.csv",
    "reviews.csv",
    "reviews_photos.csv",
    "characteristics.csv",
    "characteristic_reviews.csv",
    "characteristics_reviews.csv",
    "questions.csv",
    "answers.csv",
    "answers_photos.csv",
)
"""Legacy files that this version of the load does not read."""
