import pytest

from catalog_api.domain.errors import InvalidPageError
from catalog_api.domain.page import Page, read_page


@pytest.mark.parametrize(
    ("page", "count", "expected"),
    [
        (None, None, Page(0, 5)),
        ("1", "5", Page(0, 5)),
        ("3", "10", Page(20, 10, 3, 10)),
        ("2", "1000000000", Page(1000, 1000, 2, 10**9)),
        ("2", "1000", Page(1000, 1000, 2, 1000)),
        ("2000000", None, Page(9_999_995, 5, 2_000_000, 5)),
        ("01", "007", Page(0, 7, 1, 7)),
        ("1", "9" * 6000, Page(0, 1000, 1, 10**18)),
    ],
)
def test_read_page_when_numbers_are_whole_then_the_offset_follows_the_rows_carried(
    page: str | None, count: str | None, expected: Page
) -> None:
    """The offset is (page-1) times min(count, cap), so that no row falls between two pages."""
    assert read_page(page, count, max_rows=1000) == expected


def test_read_page_when_the_page_has_thousands_of_digits_then_it_lies_past_every_row() -> None:
    """A page number that Python would refuse to read is a page past the end, not an error."""
    assert read_page("9" * 6000, "5", max_rows=1000).offset > 10**17


@pytest.mark.parametrize("text", ["0", "-1", "+1", "1.5", "", " 1", "five", "1e3", "٣", "0" * 6000])
def test_read_page_when_a_number_is_not_whole_then_it_is_named_in_the_error(text: str) -> None:
    """`page` and `count` are whole numbers of at least 1; the message says which is not."""
    with pytest.raises(InvalidPageError, match="page"):
        read_page(text, "5", max_rows=1000)
    with pytest.raises(InvalidPageError, match="count"):
        read_page("1", text, max_rows=1000)
