"""Facts, terms and places of products, without a database."""

from typing import Any

import pytest

from schema.find import (
    LONGEST_TERM_BYTES,
    MAX_TERMS,
    Entry,
    facts_of,
    parse_entry,
    places_of,
    property_term,
    render_entry,
    value_text,
)


def style(price: str, sale: str | None = None, *quantities: int | None) -> dict[str, Any]:
    """Return a decoded style as it is stored."""
    return {
        "original_price": price,
        "sale_price": sale,
        "skus": {str(n): {"quantity": one, "size": "M"} for n, one in enumerate(quantities)},
    }


def product(**changes: Any) -> dict[str, Any]:
    """Return a decoded product as it is stored."""
    return {"id": 5, "category": "Hats", "default_price": "9.00", "features": []} | changes


@pytest.mark.parametrize(
    ("styles", "price", "sale", "in_stock"),
    [
        ([], 900, None, False),
        ([style("20.00"), style("10.50", None, 0)], 1050, None, False),
        ([style("20.00", "19.99"), style("19.50")], 1950, 1999, False),
        ([style("20.00", "0.00", 0, 3)], 0, 0, True),
        # What stands in for a style without skus.
        ([style("20.00", None, None)], 2000, None, False),
    ],
)
def test_facts_when_styles_differ_then_the_lowest_current_price_counts(
    styles: list[dict[str, Any]], price: int, sale: int | None, in_stock: object
) -> None:
    """A free sale is a sale; a style that is not reduced counts with its original price."""
    facts = facts_of(product(), styles, {})
    assert (facts.price_cents, facts.sale_cents, facts.in_stock) == (price, sale, in_stock)
    sale_and_stock = {"s0" if sale is None else "s1", "q1" if in_stock else "q0"}
    assert facts.terms == sale_and_stock


def test_facts_when_there_are_properties_then_each_value_is_a_term() -> None:
    """Lists, truths, numbers, texts, features; what has no value is none."""
    features = [
        {"feature": "Fabric", "value": "Canvas"},
        {"feature": "UV", "value": None},
        {"feature": None, "value": "x"},
    ]
    properties = {"sizes": ["S", "M"], "organic": True, "grams": 240.0, "ratio": 0.5, "n": 7}
    facts = facts_of(product(features=features), [], properties)
    assert facts.properties == {
        *("psizes=S", "psizes=M", "porganic=true", "pgrams=240", "pratio=0.5", "pn=7"),
        "pFabric=Canvas",
    }


@pytest.mark.parametrize(
    ("stored", "found"),
    [("Hats", "Hats"), ("é" * 1_000, "é" * 1_000), ("é" * 1_001, None), ("", None), (None, None)],
)
def test_facts_when_a_category_makes_no_key_then_it_is_none(
    stored: str | None, found: str | None
) -> None:
    """Such a product stands among all products only."""
    assert facts_of(product(category=stored), [], {}).category == found


def test_facts_when_there_are_too_many_values_then_the_first_count() -> None:
    """A row stays small whatever a document holds; own properties go before features."""
    features = [{"feature": "f", "value": str(n)} for n in range(MAX_TERMS)]
    facts = facts_of(product(features=features), [], {"a": [str(n) for n in range(200)]})
    assert len(facts.properties) == MAX_TERMS
    assert {f"pa={n}" for n in range(200)} <= facts.properties


def test_term_when_it_is_long_then_its_digest_stands_for_it() -> None:
    """An index takes no long terms."""
    at_most = LONGEST_TERM_BYTES - len("pn=")
    assert property_term("n", "é" * (at_most // 2)) == "pn=" + "é" * (at_most // 2)
    long = {property_term("n", "é" * 500 + end) for end in "ab"}
    assert len(long) == 2
    assert all(len(term) < LONGEST_TERM_BYTES for term in long)


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (1, "1"), (1.0, "1"), (-0.25, "-0.25")]
)
def test_value_when_written_then_as_searches_write_it(value: object, text: str) -> None:
    """A whole number is the same with and without decimals."""
    assert value_text(value) == text


def test_entry_when_stored_then_it_comes_back_and_knows_its_rows() -> None:
    """Three orders of the category and of all; of all only without a category; none when gone."""
    entry = Entry("Hats", -7, 950, 2, 3, ("pa=b", "q1", "s0"))
    assert parse_entry(render_entry(entry)) == entry
    assert parse_entry(render_entry(None)) is None
    places = [(0, 7), (1, 950), (2, -950)]
    of_all = [("", ordering, 3, place, 5) for ordering, place in places]
    of_hats = [("Hats", ordering, 2, place, 5) for ordering, place in places]
    assert sorted(places_of(5, entry)) == sorted(of_all + of_hats)
    alone = Entry("", -7, 950, 2, 3, ())
    assert sorted(places_of(5, alone)) == sorted(of_all)
    assert places_of(5, None) == []
