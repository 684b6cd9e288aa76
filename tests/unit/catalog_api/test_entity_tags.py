import pytest

from catalog_api.domain.errors import InvalidConditionError, PreconditionFailedError
from catalog_api.entity_tags import is_known, read_precondition

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


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "etag", "holds"),
    [
        (None, None, None, True),
        (None, None, "a", True),
        ('"a"', None, "a", True),
        ('"b", "a-msgpack-gzip"', None, "a", True),
        ('W/"a"', None, "a", False),
        ('"b" , W/"a"', None, "a", False),
        ('"a"', None, None, False),
        ("*", None, "a", True),
        ("*", None, None, False),
        (None, "*", None, True),
        (None, " * ", "a", False),
        (None, 'W/"a-gzip"', "a", False),
        (None, '"b"', "a", True),
    ],
)
def test_precondition_when_read_from_headers_then_as_rfc_9110_says(
    if_match: str | None, if_none_match: str | None, etag: str | None, *, holds: bool
) -> None:
    """If-Match compares strongly; tags of all forms are the state's."""
    precondition = read_precondition(if_match, if_none_match)
    if holds:
        precondition.check(etag)
    else:
        with pytest.raises(PreconditionFailedError):
            precondition.check(etag)


@pytest.mark.parametrize(
    "header", ["", "a", '"a", rest', '"a",', '*, "a"', '"a" "b"', '"é"', '"\n"']
)
def test_precondition_when_it_cannot_be_read_then_refused(header: str) -> None:
    """No change is made on a condition that nobody understands, nor as if there were none."""
    with pytest.raises(InvalidConditionError, match="If-Match"):
        read_precondition(header, None)
    with pytest.raises(InvalidConditionError, match="If-None-Match"):
        read_precondition(None, header)
