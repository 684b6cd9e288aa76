"""The original's recorded answers: ours have the same keys in the same order and the same types."""

import orjson

from schema.documents import render_list_row, render_product, render_styles
from schema.reviews import render_answer, render_meta, render_question, render_review
from tests.support.recorded_answers import (
    answer_of,
    needs_recorded_answers,
    product_of,
    question_of,
    recorded,
    review_of,
    reviews_behind,
    served,
    style_of,
)

pytestmark = needs_recorded_answers


def test_product_when_rendered_from_the_recorded_values_then_it_is_the_recorded_answer() -> None:
    """Equal text: keys, their order, types and values."""
    row = recorded("exampleProductInfo.json")
    assert render_product(product_of(row)) == orjson.dumps(served(row))


def test_list_when_rendered_from_the_recorded_values_then_it_is_the_recorded_answer() -> None:
    """Equal text, for every row of the page."""
    for row in recorded("exampleProducts.json"):
        assert render_list_row(product_of(row)) == orjson.dumps(served(row))


def test_styles_when_rendered_from_the_recorded_values_then_it_is_the_recorded_answer() -> None:
    """Equal text, down to photos and skus."""
    body = recorded("exampleProductStyles.json")
    rendered = render_styles(body["product_id"], [style_of(row) for row in body["results"]])
    assert rendered == orjson.dumps(body)


def test_reviews_when_rendered_from_the_recorded_values_then_they_are_as_recorded() -> None:
    """Equal text, down to photos."""
    for row in recorded("exampleReviews.json")["results"]:
        assert render_review(review_of(row)) == orjson.dumps(row)


def test_meta_when_computed_from_reviews_of_the_recorded_sums_then_it_is_as_recorded() -> None:
    """Equal text, down to the sixteenth decimal of a mean."""
    body = recorded("exampleMeta.json")
    rendered, _ = render_meta(body["product_id"], *reviews_behind(body))
    assert rendered == orjson.dumps(body)


def test_questions_when_rendered_from_the_recorded_values_then_they_are_as_recorded() -> None:
    """Equal text of the questions and of each of their answers."""
    for row in recorded("exampleQuestionCall.json")["results"]:
        own = {key: value for key, value in row.items() if key != "answers"}
        assert render_question(question_of(row)) == orjson.dumps(own)
        for answer in row["answers"].values():
            assert render_answer(answer_of(answer))[0] == orjson.dumps(answer)
