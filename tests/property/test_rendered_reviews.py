"""Reviews, questions and carts as SQL renders them are what `schema/reviews.py` renders."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schema.reviews import (
    Answer,
    Characteristic,
    IdentifiedPhoto,
    Question,
    Rating,
    Review,
    id_block_of,
    render_answer,
    render_email,
    render_meta,
    render_question,
    render_review,
    render_review_source,
)
from tests.support.legacy_files import clean_files, write_files

_TEXTS = st.text(
    st.one_of(
        st.sampled_from('"\\,\n\r\t\x1e\x1f\x7fé😀'),
        st.characters(min_codepoint=1, exclude_categories=["Cs"]),
    ),
    max_size=12,
) | st.sampled_from(["null", "", " ", '"', "1,2"])
_NULLABLE = st.none() | _TEXTS
_DATES = st.integers(10**10, 253402300799999) | st.just(0)
_COUNTS = st.integers(0, 2**31 - 1)
_NAMES = st.none() | st.sampled_from(["Fit", "Size", "", 'a"b'])


@dataclass
class Files:
    """Lines of the files, and the rows that must come of them."""

    lines: dict[str, list[str]] = field(default_factory=dict)
    tables: dict[str, list[tuple[object, ...]]] = field(default_factory=dict)

    def line(self, name: str, *fields: str | int) -> int:
        """Add a line; its id is the number of the line."""
        lines = self.lines.setdefault(name, [])
        lines.append(",".join(map(str, (len(lines) + 1, *fields))))
        return len(lines)

    def row(self, table: str, *cells: object) -> None:
        """Add a row that must be stored."""
        self.tables.setdefault(table, []).append(cells)


def _quoted(text: str | None) -> str:
    return "null" if text is None else '"' + text.replace('"', '""') + '"'


def _boolean(draw: st.DrawFn, *, word: bool) -> str:
    return draw(st.sampled_from(["true", "T", "1"] if word else ["false", "F", "0"]))


@st.composite
def photo_texts(draw: st.DrawFn) -> Sequence[str | None]:
    """Draw the addresses of up to two photos."""
    return draw(st.lists(_NULLABLE, max_size=2))


def _add_reviews(draw: st.DrawFn, files: Files, product_id: int) -> None:
    names = draw(st.lists(_NAMES, max_size=3))
    characteristics = [
        Characteristic(files.line("characteristics", product_id, _quoted(name)), name)
        for name in names
    ]
    reviews = [
        _add_review(draw, files, product_id, characteristics)
        for _ in range(draw(st.integers(0, 3)))
    ]
    if reviews or characteristics:
        meta, totals = render_meta(product_id, reviews, characteristics)
        files.row("review_meta_by_product", product_id, 0, meta, totals)


def _add_review(
    draw: st.DrawFn, files: Files, product_id: int, characteristics: Sequence[Characteristic]
) -> Review:
    recommend, reported = draw(st.booleans()), draw(st.booleans())
    rating, date, helpfulness = draw(st.integers(1, 5)), draw(_DATES), draw(_COUNTS)
    summary, body, name, email = (draw(_NULLABLE) for _ in range(4))
    response = draw(st.none() | _TEXTS)
    review_id = files.line(
        "reviews",
        product_id,
        rating,
        date,
        _quoted(summary),
        _quoted(body),
        _boolean(draw, word=recommend),
        _boolean(draw, word=reported),
        _quoted(name),
        _quoted(email),
        _quoted(response),
        helpfulness,
    )
    photos = [
        IdentifiedPhoto(files.line("reviews_photos", review_id, _quoted(url)), url)
        for url in draw(photo_texts())
    ]
    ratings = []
    for one in characteristics:
        for value in draw(st.lists(st.integers(1, 5), max_size=2)):
            number = one.characteristic_id
            line = files.line("characteristic_reviews", number, review_id, value)
            ratings.append(Rating(line, number, value))
    review = Review(
        review_id, rating, date, summary, body, recommend, response, name, email, helpfulness,
        photos, ratings,
    )  # fmt: skip
    files.row(
        "reviews_by_product",
        product_id,
        0,
        review_id,
        helpfulness,
        reported,
        render_review(review),
        render_review_source(review),
        date,
    )
    files.row("reviews_by_id", id_block_of(review_id), review_id, product_id)
    return review


def _add_question(draw: st.DrawFn, files: Files, product_id: int) -> None:
    date, helpful, reported = draw(_DATES), draw(_COUNTS), draw(st.booleans())
    body, name, email = (draw(_NULLABLE) for _ in range(3))
    question_id = files.line(
        "questions",
        product_id,
        _quoted(body),
        date,
        _quoted(name),
        _quoted(email),
        int(reported),
        helpful,
    )
    rendered = render_question(Question(question_id, body, date, name, helpful))
    files.row(
        "questions_by_product",
        product_id, question_id, 0, rendered, helpful, b"[]", reported, render_email(email),
    )  # fmt: skip
    files.row("questions_by_id", id_block_of(question_id), question_id, product_id)
    for _ in range(draw(st.integers(0, 2))):
        _add_answer(draw, files, product_id, question_id)


def _add_answer(draw: st.DrawFn, files: Files, product_id: int, question_id: int) -> None:
    date, helpful, reported = draw(_DATES), draw(_COUNTS), draw(st.booleans())
    body, name, email = (draw(_NULLABLE) for _ in range(3))
    answer_id = files.line(
        "answers",
        question_id,
        _quoted(body),
        date,
        _quoted(name),
        _quoted(email),
        int(reported),
        helpful,
    )
    photos = [
        IdentifiedPhoto(files.line("answers_photos", answer_id, _quoted(url)), url)
        for url in draw(photo_texts())
    ]
    rendered, objects = render_answer(Answer(answer_id, body, date, name, helpful, photos))
    files.row(
        "questions_by_product",
        product_id, question_id, answer_id, rendered, helpful, objects, reported,
        render_email(email),
    )  # fmt: skip
    files.row("answers_by_id", id_block_of(answer_id), answer_id, product_id, question_id)


@st.composite
def all_files(draw: st.DrawFn) -> Files:
    """Draw up to three products with reviews, questions and carts."""
    files = Files()
    for _ in range(draw(st.integers(1, 3))):
        product_id = files.line("product", '"n"', '"s"', '"d"', '"c"', 1)
        _add_reviews(draw, files, product_id)
        for _ in range(draw(st.integers(0, 2))):
            _add_question(draw, files, product_id)
        session, active = draw(st.integers(0, 2**53 - 1)), draw(st.booleans())
        cart_id = files.line("cart", session, product_id, _boolean(draw, word=active))
        files.row("legacy_carts_by_session", session, cart_id, active, product_id)
    return files


@pytest.mark.timeout(300)  # each example is a whole load; a busy machine takes seconds for it
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files=all_files())
def test_rows_when_loaded_from_files_then_the_encoders(files: Files) -> None:
    """Nothing is lost or changed on the way from the lines to the stored cells."""
    rows = {name: "".join(f"{line}\n" for line in lines) for name, lines in files.lines.items()}
    with tempfile.TemporaryDirectory() as name:
        cleaned = clean_files(write_files(Path(name), rows))
    assert cleaned.account.rejected_rows == 0
    for table, stored in cleaned.tables.items():
        if not table.startswith("products_"):
            assert stored == sorted(files.tables.get(table, [])), table
