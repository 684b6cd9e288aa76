import pytest

from catalog_api.request_ids import RequestIds


def test_take_when_well_formed_then_it_is_kept() -> None:
    """The caller's id is used so that one id follows a request through all tiers."""
    assert RequestIds().take("a1-B2_c3.d4~") == "a1-B2_c3.d4~"


@pytest.mark.parametrize(
    "given", [None, "", "a b", "x" * 129, "a\r\nSet-Cookie: x", "é", '"', "a\n"]
)
def test_take_when_missing_or_malformed_then_a_new_one_is_made(given: str | None) -> None:
    """What could break a header or a log line is replaced."""
    ids = RequestIds()
    assert ids.take(given) not in {given, ids.take(given)}


def test_take_when_two_processes_make_ids_then_they_differ() -> None:
    """Each process has a prefix of its own."""
    assert RequestIds().take(None) != RequestIds().take(None)
