import pytest

from catalog_api.domain.errors import InvalidIdError
from catalog_api.domain.item_id import MAX_ID, read_path_id


@pytest.mark.parametrize(
    ("segment", "product_id"),
    [
        ("1", 1),
        ("2undefined", 2),
        ("2-5", 2),
        ("007", 7),
        ("0" * 5000 + "9", 9),
        ("0", 0),
        ("1\x00", 1),
        ("12٣", 12),
        (str(MAX_ID), MAX_ID),
    ],
)
def test_read_path_id_when_digits_lead_then_they_are_the_id(segment: str, product_id: int) -> None:
    """Leading digits are the id when no digit or dot follows them."""
    assert read_path_id(segment) == product_id


@pytest.mark.parametrize(
    "segment",
    [
        "hello",
        "null",
        "",
        "5.55",
        "5.",
        "-1",
        "+1",
        " 1",
        "\x00",
        "\ufffd",
        "٣",
        "²",
        "99999999999999999999",
        str(MAX_ID + 1),
        "9" * 10_000,
        "1" * 10_000 + ".5",
    ],
)
def test_read_path_id_when_no_usable_digits_lead_then_it_is_refused(segment: str) -> None:
    """Words, signs, fractions and numbers beyond 2^53-1 are no ids."""
    with pytest.raises(InvalidIdError):
        read_path_id(segment)
