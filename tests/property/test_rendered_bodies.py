"""What SQL renders is what `schema/documents.py` renders, for any text a file can hold."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from etl.stages import Stages
from schema.documents import (
    Feature,
    Photo,
    Product,
    Sku,
    SourceRows,
    Style,
    block_of,
    etag_of,
    render_list_row,
    render_product,
    render_related,
    render_source_rows,
    render_styles,
)
from tests.support.legacy_files import clean_files, write_files

# Everything UTF-8 can carry but NUL, with what JSON, CSV and the load itself treat specially.
_CHARACTERS = st.one_of(
    st.sampled_from(
        "\"\\,'\n\r\t\b\f\v/\x01\x0e\x1a\x1e\x1f\x7f\x80\u2028\u2029\ufeff é😀\U0010ffffXRBE"
    ),
    st.characters(min_codepoint=1, exclude_categories=["Cs"]),
)
_TEXTS = st.text(_CHARACTERS, max_size=12) | st.sampled_from(["null", "", " ", '"', '""', "1,2"])
_NULLABLE = st.none() | _TEXTS
_CENTS = st.integers(0, 10**12) | st.sampled_from([0, 1, 99, 100, 14000, 500_000_000_00])


@dataclass(frozen=True)
class Catalog:
    """A catalog as Python knows it, ids assigned in the order of the lines."""

    products: Sequence[tuple[Product, Sequence[Style], Sequence[int]]]


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    """Draw up to four products with children; related products are among them."""
    ids = draw(st.lists(st.integers(1, 5000), min_size=1, max_size=4, unique=True))
    return Catalog(
        [
            (
                Product(
                    product_id,
                    draw(_NULLABLE),
                    draw(_TEXTS),
                    draw(_TEXTS),
                    draw(_TEXTS),
                    draw(_CENTS),
                    draw(st.lists(st.builds(Feature, _TEXTS, _NULLABLE), max_size=3)),
                ),
                [
                    Style(
                        product_id * 10 + place,
                        draw(_TEXTS),
                        draw(_CENTS),
                        draw(st.none() | _CENTS),
                        draw(st.booleans()),
                        draw(st.lists(st.builds(Photo, _NULLABLE, _NULLABLE), max_size=2)),
                        [
                            Sku((product_id * 10 + place) * 10 + at, draw(_CENTS), draw(_TEXTS))
                            for at in range(draw(st.integers(0, 3)))
                        ],
                    )
                    for place in range(draw(st.integers(0, 3)))
                ],
                draw(st.lists(st.sampled_from(ids), max_size=4)),
            )
            for product_id in ids
        ]
    )


@pytest.mark.timeout(300)  # each example is a whole load; a busy machine takes seconds for it
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(catalog=catalogs(), last_end=st.sampled_from(["", "\n"]))
def test_bodies_when_loaded_from_files_then_the_encoders(catalog: Catalog, last_end: str) -> None:
    """Nothing is lost or changed on the way from the lines to the stored bytes."""
    files, expected = _write(catalog, last_end=last_end)
    with tempfile.TemporaryDirectory() as name:
        cleaned = clean_files(write_files(Path(name), files))
    assert cleaned.account.rejected_rows == 0
    assert cleaned.rows == expected
    assert cleaned.tables["products_by_block"] == sorted(
        (block_of(product.product_id), product.product_id, render_list_row(product))
        for product, _styles, _related in catalog.products
    )


@pytest.fixture(scope="module")
def stages() -> Iterator[Stages]:
    """A database with the macros."""
    with duckdb.connect() as database:
        prepared = Stages(database)
        prepared.prepare()
        yield prepared


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.text(_CHARACTERS | st.just("\0"), max_size=40), min_size=1, max_size=50))
def test_json_text_when_any_text_then_as_orjson_writes_it(stages: Stages, texts: list[str]) -> None:
    """Byte for byte, escapes included."""
    rows = stages.database.execute("SELECT json_text(unnest(?))", [texts]).fetchall()
    assert [text.encode() for (text,) in rows] == [orjson.dumps(text) for text in texts]


def _quoted(text: str | None) -> str:
    return "null" if text is None else '"' + text.replace('"', '""') + '"'


def _price(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}" if cents % 100 else str(cents // 100)


def _write(
    catalog: Catalog, *, last_end: str
) -> tuple[dict[str, str], dict[int, tuple[object, ...]]]:
    """Return the rows of each file, and what must be stored.

    `last_end` ends the last line of each file.
    """
    lines: dict[str, list[str]] = {
        name: [] for name in ("product", "features", "styles", "photos", "skus", "related")
    }
    expected: dict[int, tuple[object, ...]] = {}
    for product, drawn_styles, related in catalog.products:
        # photos.csv is read by physical line, so its texts hold no line breaks.
        styles = [_without_breaks(style) for style in drawn_styles]
        source = _write_product(lines, product, styles, related)
        bodies = (
            render_product(product),
            render_related(related),
            render_styles(product.product_id, styles),
        )
        expected[product.product_id] = (
            product.product_id,
            bodies[0],
            etag_of(bodies[0]),
            bodies[1],
            etag_of(bodies[1]),
            render_source_rows(source),
            bodies[2],
            etag_of(bodies[2]),
        )
    return {
        name: "\n".join(rows) + (last_end if rows else "") for name, rows in lines.items()
    }, expected


def _write_product(
    lines: dict[str, list[str]], product: Product, styles: Sequence[Style], related: Sequence[int]
) -> SourceRows:
    number = product.product_id
    texts = (product.name, product.slogan, product.description, product.category)
    price = _price(product.default_price_cents)
    lines["product"].append(",".join([str(number), *map(_quoted, texts), price]))
    features: list[int] = []
    photos: dict[int, list[int]] = {}
    links: list[int] = []
    for feature in product.features:
        features.append(len(lines["features"]) + 1)
        pair = f"{_quoted(feature.feature)},{_quoted(feature.value)}"
        lines["features"].append(f"{features[-1]},{number},{pair}")
    for style in styles:
        sale = "" if style.sale_price_cents is None else _price(style.sale_price_cents)
        lines["styles"].append(
            f"{style.style_id},{number},{_quoted(style.name)},{sale},"
            f"{_price(style.original_price_cents)},{int(style.is_default)}"
        )
        for photo in style.photos:
            photos.setdefault(style.style_id, []).append(len(lines["photos"]) + 1)
            pair = f"{_quoted(photo.url)},{_quoted(photo.thumbnail_url)}"
            lines["photos"].append(f"{len(lines['photos']) + 1},{style.style_id},{pair}")
        for sku in style.skus:
            row = f"{sku.sku_id},{style.style_id},{_quoted(sku.size)},{sku.quantity}"
            lines["skus"].append(row)
    for other in related:
        links.append(len(lines["related"]) + 1)
        lines["related"].append(f"{links[-1]},{number},{other}")
    return SourceRows(features, photos, links)


def _without_breaks(style: Style) -> Style:
    def flat(text: str | None) -> str | None:
        return None if text is None else text.replace("\n", " ").replace("\r", " ")

    return Style(
        style.style_id,
        style.name,
        style.original_price_cents,
        style.sale_price_cents,
        style.is_default,
        [Photo(flat(photo.thumbnail_url), flat(photo.url)) for photo in style.photos],
        style.skus,
    )
