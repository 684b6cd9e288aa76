import pytest

from catalog_api.entity_tags import is_known

TAG = "0123456789abcdef"


@pytest.mark.parametrize(
    "header",
    [
        f'"{TAG}"',
        f'W/"{TAG}"',
        "*",
        " * ",
        f'"other", "{TAG}"',
        f'"a,b" ,W/"{TAG}"',
        f'"{TAG}","other"',
        f'"", "{TAG}"',
    ],
)
def test_is_known_when_the_tag_is_named_then_true(header: str) -> None:
    """Weak comparison, lists and `*` all name the tag."""
    assert is_known(header, TAG)


@pytest.mark.parametrize(
    "header",
    [
        "",
        '"other"',
        f'"{TAG}-gzip"',
        TAG,
        f"'{TAG}'",
        f'"{TAG}',
        f'w/"{TAG}"',
        f'"{TAG}" "other"',
        f'"{TAG}", junk',
        f'junk, "{TAG}"',
        '*, "x"',
        '"' * 8000,
        "," * 8000,
    ],
)
def test_is_known_when_absent_or_malformed_then_false(header: str) -> None:
    """Another tag is no match, and a malformed header is ignored as a whole."""
    assert not is_known(header, TAG)
