"""How many rejects are allowed, at the edges."""

import pytest

from etl.errors import UsageError
from etl.thresholds import parse_rejects_allowed


@pytest.mark.parametrize(
    ("text", "most", "rows_in"),
    [
        ("0", 0, 1000),
        ("3", 3, 1000),
        ("0%", 0, 1000),
        ("0.0%", 0, 10),
        ("1%", 10, 1000),
        ("1%", 0, 99),
        ("0.57%", 57, 10_000),
        ("0.1%", 1, 1000),
        ("0.1%", 100_000, 100_000_000),
        ("33.3%", 333, 1000),
        ("100%", 7, 7),
        ("0%", 0, 0),
        ("5", 5, 5),
    ],
)
def test_rejects_when_as_many_as_allowed_then_fine_and_one_more_is_too_many(
    text: str, most: int, rows_in: int
) -> None:
    """Shares are compared without rounding, and 0 allows none."""
    allowed = parse_rejects_allowed(text)
    assert allowed.allows(most, rows_in)
    assert most == rows_in or not allowed.allows(most + 1, rows_in)


@pytest.mark.parametrize(
    "text",
    ["", " ", "many", "-1", "1.5", "%", "101%", "100.001%", "1e3", "0,5%", "5 %", "\u0663", "nan%"],
)
def test_rejects_allowed_when_neither_number_nor_share_then_refused(text: str) -> None:
    """An empty one too: a variable of a script that is not set must not allow everything."""
    with pytest.raises(UsageError, match="--max-rejects"):
        parse_rejects_allowed(text)


def test_rejects_allowed_when_told_then_as_it_was_given() -> None:
    """The message that stops a load repeats what was asked for."""
    assert [str(parse_rejects_allowed(one)) for one in ("7", "0%", "0.05%", "33.3%")] == [
        "7",
        "0%",
        "0.05%",
        "33.3%",
    ]
