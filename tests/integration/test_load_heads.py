"""The heads of the real files, where they lie beside the repository."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path
from typing import Any

import orjson
import pytest

from ring import RingSettings
from schema.profiles import (
    to_2020_product,
    to_2020_styles,
)
from tests.support.legacy_heads import HEADS, PARENTS, kept_lines, read_lines
from tests.support.stored_tables import StoredTables, load_directory, read_tables

pytestmark = pytest.mark.skipif(
    not HEADS.is_dir(), reason="the heads of the real files are not on this machine"
)

Tables = Mapping[str, list[tuple[Any, ...]]]


def _moment(text: str) -> str:
    """The heads have milliseconds since 1970 only."""
    moment = datetime.fromtimestamp(int(text) // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{int(text) % 1000:03d}Z"


def _photos(name: str, column: str, number: str) -> list[dict[str, Any]]:
    rows = (row for row in read_lines(name) if row[column] == number)
    return [{"id": int(row["id"]), "url": row["url"]} for row in rows]


def _price(text: str, *, whole: bool) -> str:
    """The heads have whole prices only."""
    return text if whole else f"{text}.00"


def _null(text: str) -> str | None:
    return None if text == "null" else text


def _expected_product(product_id: int, *, whole: bool) -> dict[str, Any]:
    row = next(row for row in read_lines("product") if row["id"] == str(product_id))
    features = (row for row in read_lines("features") if row["product_id"] == str(product_id))
    return {
        "id": product_id,
        **{name: row[name] for name in ("name", "slogan", "description", "category")},
        "default_price": _price(row["default_price"], whole=whole),
        "features": [{"feature": row["feature"], "value": _null(row["value"])} for row in features],
    }


def _expected_style(row: Mapping[str, str], *, whole: bool) -> dict[str, Any]:
    sale = _null(row["sale_price"])
    default = row["default_style"] == "1"
    no_sale = "0" if whole else None
    return {
        "style_id": int(row["id"]),
        "name": row["name"],
        "original_price": _price(row["original_price"], whole=whole),
        "sale_price": no_sale if sale is None else _price(sale, whole=whole),
        "default?": int(default) if whole else default,
        "photos": [
            {"thumbnail_url": _null(photo["thumbnail_url"]), "url": _null(photo["url"])}
            for photo in read_lines("photos")
            if photo["styleId"] == row["id"]
        ]
        or [{"thumbnail_url": None, "url": None}],
        "skus": {
            sku["id"]: {"quantity": int(sku["quantity"]), "size": sku["size"]}
            for sku in read_lines("skus")
            if sku["styleId"] == row["id"]
        }
        or {"null": {"quantity": None, "size": None}},
    }


def _same(left: Any, right: Any) -> bool:
    """Equal in values, types and the order of keys."""
    return bool(orjson.dumps(left) == orjson.dumps(right))


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    """Links to the heads, in a directory that may be written to."""
    for file in HEADS.glob("*.csv"):
        (tmp_path / file.name).symlink_to(file)
    return tmp_path


async def test_heads_when_loaded_then_every_row_is_accounted_for_and_found(
    heads: Path, ring_settings: RingSettings
) -> None:
    """Each line of the fourteen files is an orphan, or stands in the tables as it says."""
    account = await load_directory(heads, ring_settings)
    assert len(account.files) == len(PARENTS) + 1
    for name, file in account.files.items():
        lines = read_lines(name.removesuffix(".csv"))
        assert file.rows_in == file.loaded + file.rejected_rows == len(lines) > 0, name
        orphans = len(lines) - len(kept_lines(name.removesuffix(".csv")))
        assert file.rejected == ({"orphan": orphans} if orphans else {}), name
    assert account.files["questions.csv"].rejected == {"orphan": 46}
    stored = await read_tables(ring_settings)
    _check_products(stored)
    _check_reviews(stored.tables)
    _check_meta(stored.tables)
    _check_questions_and_answers(stored.tables)
    _check_carts(stored.tables)


def _check_products(stored: StoredTables) -> None:
    """Bodies in both profiles, lists, and the ids of the rows that the bodies are made of."""
    products = kept_lines("product")
    assert stored.product_ids() == stored.listed_ids() == sorted(int(row["id"]) for row in products)
    listed = {row[1]: row for row in stored.tables["products_by_block"]}
    assert len(listed) == len(products)
    sources = {row[0]: orjson.loads(row[5]) for row in stored.tables["products_by_id"]}
    for number in (row["id"] for row in products):
        product_id = int(number)
        product = stored.body(product_id, "product")
        styles = stored.body(product_id, "styles")
        rows = [row for row in kept_lines("styles") if row["productId"] == number]
        for whole, convert_product, convert_styles in (
            (False, dict, dict),
            (True, to_2020_product, to_2020_styles),
        ):
            assert _same(convert_product(product), _expected_product(product_id, whole=whole))
            results = [_expected_style(row, whole=whole) for row in rows]
            wanted = {"product_id": number, "results": results}
            assert _same(convert_styles(styles), wanted)
        shown = {name: value for name, value in product.items() if name != "features"}
        assert _same(orjson.loads(listed[product_id][2]), shown)
        related = [row for row in kept_lines("related") if row["current_product_id"] == number]
        named = [int(row["related_product_id"]) for row in related]
        assert stored.body(product_id, "related") == named
        photos = ((row["id"], _ids("photos", "styleId", row["id"])) for row in rows)
        assert sources[product_id] == {
            "features": _ids("features", "product_id", number),
            "photos": {style_id: ids for style_id, ids in photos if ids},
            "related": [int(row["id"]) for row in related],
        }


def _ids(name: str, column: str, number: str) -> list[int]:
    """Ids of the kept rows that name a parent, in the order of the file."""
    return [int(row["id"]) for row in kept_lines(name) if row[column] == number]


def _check_reviews(tables: Tables) -> None:
    """With photos and ratings."""
    stored = {row[2]: row for row in tables["reviews_by_product"]}
    rows = kept_lines("reviews")
    assert sorted(stored) == sorted(int(row["id"]) for row in rows)
    owners = {(int(row["id"]) // 64, int(row["id"]), int(row["product_id"])) for row in rows}
    assert set(tables["reviews_by_id"]) == owners
    for row in rows:
        product_id, _section, _item, helpfulness, reported, review, source, written = stored[
            int(row["id"])
        ]
        assert product_id == int(row["product_id"])
        assert (helpfulness, written) == (int(row["helpfulness"]), int(row["date"]))
        assert reported == (row["reported"] == "true")
        assert orjson.loads(review) == {
            "review_id": int(row["id"]),
            "rating": int(row["rating"]),
            "summary": row["summary"],
            "recommend": row["recommend"] == "true",
            "response": _null(row["response"]),
            "body": row["body"],
            "date": _moment(row["date"]),
            "reviewer_name": row["reviewer_name"],
            "helpfulness": int(row["helpfulness"]),
            "photos": _photos("reviews_photos", "review_id", row["id"]),
        }
        assert orjson.loads(source) == {
            "email": _null(row["reviewer_email"]),
            "ratings": [
                [int(one["id"]), int(one["characteristic_id"]), int(one["value"])]
                for one in kept_lines("characteristic_reviews")
                if one["review_id"] == row["id"]
            ],
        }


def _check_meta(tables: Tables) -> None:
    """Counts and exact means, worked out here from the lines."""
    stored = {row[0]: orjson.loads(row[2]) for row in tables["review_meta_by_product"]}
    reviews, characteristics = kept_lines("reviews"), kept_lines("characteristics")
    marks = kept_lines("characteristic_reviews")
    wanted = {row["product_id"] for row in (*reviews, *characteristics)}
    assert set(stored) == {int(number) for number in wanted}
    for number in wanted:
        mine = [row for row in reviews if row["product_id"] == number]
        ids = {row["id"] for row in mine}
        ratings = Counter(row["rating"] for row in mine)
        recommended = Counter(row["recommend"] for row in mine)
        values = {
            row["name"]: {"id": int(row["id"]), "value": _mean(
                [int(one["value"]) for one in marks
                 if one["characteristic_id"] == row["id"] and one["review_id"] in ids]
            )}
            for row in characteristics
            if row["product_id"] == number
        }  # fmt: skip
        assert stored[int(number)] == {
            "product_id": number,
            "ratings": {key: str(count) for key, count in ratings.items()},
            "recommended": {key: str(count) for key, count in recommended.items()},
            "characteristics": values,
        }


def _mean(values: list[int]) -> str | None:
    if not values:
        return None
    with localcontext(prec=60):
        mean = Decimal(sum(values)) / len(values)
        return str(mean.quantize(Decimal(10) ** -16, ROUND_HALF_UP))


def _check_questions_and_answers(tables: Tables) -> None:
    """With photos."""
    products = {row["id"]: int(row["product_id"]) for row in kept_lines("questions")}
    expected: list[tuple[Any, ...]] = [
        (products[row["id"]], int(row["id"]), 0, _question(row), int(row["helpful"]), [],
         row["reported"] == "1", {"email": _null(row["asker_email"])})
        for row in kept_lines("questions")
    ]  # fmt: skip
    for row in kept_lines("answers"):
        photos = _photos("answers_photos", "answer_id", row["id"])
        expected.append(
            (products[row["question_id"]], int(row["question_id"]), int(row["id"]),
             _answer(row, photos), int(row["helpful"]), photos, row["reported"] == "1",
             {"email": _null(row["answerer_email"])})
        )  # fmt: skip
    assert [
        (*row[:3], orjson.loads(row[3]), row[4], orjson.loads(row[5]), row[6], orjson.loads(row[7]))
        for row in tables["questions_by_product"]
    ] == sorted(expected, key=lambda row: row[:3])
    assert set(tables["questions_by_id"]) == {
        (int(number) // 64, int(number), product) for number, product in products.items()
    }
    assert set(tables["answers_by_id"]) == {
        (row[2] // 64, row[2], row[0], row[1]) for row in expected if row[2]
    }


def _check_carts(tables: Tables) -> None:
    assert set(tables["legacy_carts_by_session"]) == {
        (int(row["user_session"]), int(row["id"]), row["active"] == "1", int(row["product_id"]))
        for row in kept_lines("cart")
    }


def _question(row: Mapping[str, str]) -> dict[str, Any]:
    return {
        "question_id": int(row["id"]),
        "question_body": row["body"],
        "question_date": _moment(row["date_written"]),
        "asker_name": row["asker_name"],
        "question_helpfulness": int(row["helpful"]),
        "reported": False,
    }


def _answer(row: Mapping[str, str], photos: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": int(row["id"]),
        "body": row["body"],
        "date": _moment(row["date_written"]),
        "answerer_name": row["answerer_name"],
        "helpfulness": int(row["helpful"]),
        "photos": [photo["url"] for photo in photos],
    }
