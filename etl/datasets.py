"""What a load leaves: the rows of every table, rendered slice by slice from the merged files."""

from dataclasses import dataclass
from typing import Final

from etl.tables import CART, PRODUCT_TABLES, QUESTION_TABLES, REVIEW_TABLES, Table
from ring.statements import Statement
from schema.statements.load import (
    WRITE_ANSWER_OWNER,
    WRITE_BLOCK_ROW,
    WRITE_LEGACY_CART,
    WRITE_PRODUCT,
    WRITE_QUESTION,
    WRITE_QUESTION_OWNER,
    WRITE_REVIEW,
    WRITE_REVIEW_META,
    WRITE_REVIEW_OWNER,
)


@dataclass(frozen=True, slots=True)
class Dataset:
    """The rows of one table.

    Attributes:
        table: the table; `sql/rows_<table>.sql` selects its rows of a slice.
        cells: name and CQL type of what that selects, in the order of the statement's values; a
            blob is its UTF-8 text there.
        counted: the relation that has as many rows, for the progress.
        row_bytes: about how large a row is, rather more than less; the offline writer sorts as many
            rows at a time as fit into memory.
        write: the statement of the driver's writer; its last value is the timestamp.
        key_columns: how many of the columns, from the first, are the primary key; the first alone
            is the partition key.
        derived: whether rows are computed from those of several loads, so that they bear the time
            of computing: an older as-of must not hide what only it brought.
    """

    table: str
    cells: tuple[tuple[str, str], ...]
    counted: str
    row_bytes: int
    write: Statement
    key_columns: int = 2
    derived: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the cells."""
        return tuple(name for name, _ in self.cells)

    @property
    def stage(self) -> str:
        """The stem of its SQL file."""
        return f"rows_{self.table}"


@dataclass(frozen=True, slots=True)
class Family:
    """Datasets that are rendered together, by slices of one key.

    Attributes:
        tables: the legacy files that they come from; a load with none of them leaves them alone.
        slice_ids: a query of the keys to slice: product ids, or sessions.
        stages: what makes the temporary tables of a slice.
    """

    name: str
    tables: tuple[Table, ...]
    slice_ids: str
    stages: tuple[str, ...]
    datasets: tuple[Dataset, ...]


PRODUCTS: Final = Family(
    "products",
    PRODUCT_TABLES,
    "SELECT id FROM product_final",
    ("slice_products", "slice_styles"),
    (
        Dataset(
            "products_by_id",
            (
                ("product_id", "bigint"),
                ("product", "blob"),
                ("product_etag", "ascii"),
                ("related", "blob"),
                ("related_etag", "ascii"),
                ("source_rows", "blob"),
                ("styles", "blob"),
                ("styles_etag", "ascii"),
            ),
            "product_final",
            2_000,
            WRITE_PRODUCT,
            key_columns=1,
        ),
        Dataset(
            "products_by_block",
            (("block", "bigint"), ("product_id", "bigint"), ("product", "blob")),
            "product_final",
            600,
            WRITE_BLOCK_ROW,
        ),
    ),
)
REVIEWS: Final = Family(
    "reviews",
    REVIEW_TABLES,
    "SELECT product_id FROM reviews_final UNION SELECT product_id FROM characteristics_final"
    " UNION SELECT product_id FROM placed_reviews UNION SELECT product_id FROM stored_meta",
    ("slice_reviews",),
    (
        Dataset(
            "reviews_by_product",
            (
                ("product_id", "bigint"),
                ("section", "tinyint"),
                ("item", "bigint"),
                ("helpfulness", "int"),
                ("reported", "boolean"),
                ("review", "blob"),
                ("source", "blob"),
                ("written_at", "timestamp"),
            ),
            "reviews_final",
            600,
            WRITE_REVIEW,
            key_columns=3,
        ),
        Dataset(
            "reviews_by_id",
            (("block", "bigint"), ("review_id", "bigint"), ("product_id", "bigint")),
            "reviews_final",
            60,
            WRITE_REVIEW_OWNER,
        ),
        Dataset(
            "review_meta_by_product",
            (("product_id", "bigint"), ("delta", "bigint"), ("meta", "blob"), ("totals", "blob")),
            "(SELECT product_id FROM reviews_final"
            " UNION SELECT product_id FROM characteristics_final)",
            600,
            WRITE_REVIEW_META,
            derived=True,
        ),
    ),
)
QUESTIONS: Final = Family(
    "questions",
    QUESTION_TABLES,
    "SELECT product_id FROM questions_final UNION SELECT product_id FROM placed_questions",
    ("slice_questions",),
    (
        Dataset(
            "questions_by_product",
            (
                ("product_id", "bigint"),
                ("question_id", "bigint"),
                ("answer_id", "bigint"),
                ("body", "blob"),
                ("helpfulness", "int"),
                ("photos", "blob"),
                ("reported", "boolean"),
                ("source", "blob"),
            ),
            "(SELECT id FROM questions_final UNION ALL SELECT id FROM answers_final)",
            500,
            WRITE_QUESTION,
            key_columns=3,
        ),
        Dataset(
            "questions_by_id",
            (("block", "bigint"), ("question_id", "bigint"), ("product_id", "bigint")),
            "questions_final",
            60,
            WRITE_QUESTION_OWNER,
        ),
        Dataset(
            "answers_by_id",
            (
                ("block", "bigint"),
                ("answer_id", "bigint"),
                ("product_id", "bigint"),
                ("question_id", "bigint"),
            ),
            "answers_final",
            60,
            WRITE_ANSWER_OWNER,
        ),
    ),
)
CARTS: Final = Family(
    "carts",
    (CART,),
    "SELECT user_session FROM cart_final UNION SELECT user_session FROM placed_cart",
    (),
    (
        Dataset(
            "legacy_carts_by_session",
            (
                ("user_session", "bigint"),
                ("cart_id", "bigint"),
                ("active", "boolean"),
                ("product_id", "bigint"),
            ),
            "cart_final",
            60,
            WRITE_LEGACY_CART,
        ),
    ),
)

FAMILIES: Final = (PRODUCTS, REVIEWS, QUESTIONS, CARTS)
