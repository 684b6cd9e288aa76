import gzip
from typing import Any

import msgpack  # type: ignore[import-untyped]
import orjson
import pytest

from catalog_api.domain.errors import InvalidProfileError
from catalog_api.encoding import Encoder, choose
from schema.profiles import (
    to_2020_list_row,
)

BODY = orjson.dumps({"id": 1, "default_price": "140.00", "name": "Träne" * 2000})
SMALL = orjson.dumps({"id": 1, "default_price": "140.00"})


@pytest.mark.parametrize(
    ("accept", "packed"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("text/html", False),
        ("application/msgpack", True),
        ("application/x-msgpack", True),
        ("APPLICATION/VND.MSGPACK", True),
        ("application/msgpack, */*", True),
        ("*/*, application/msgpack", True),
        ("application/msgpack, application/json", True),
        ("application/json, application/msgpack", False),
        ("application/msgpack;q=0.5, application/json", False),
        ("application/msgpack, application/json;q=0.5", True),
        ("application/msgpack;q=0.5, */*;q=0.8", False),
        ("application/msgpack;q=0", False),
        ("application/msgpack;q=nonsense", False),
        ("application/msgpack;q=nan", False),
        ("application/msgpack;q=7", False),
        (";;;,,,q=1;/", False),
        ("application/msgpack;charset=utf-8;q=1", True),
    ],
)
def test_choose_when_accept_is_given_then_msgpack_only_where_it_is_preferred(
    accept: str | None,
    packed: bool,  # noqa: FBT001
) -> None:
    """MessagePack is for those who ask for it by name; malformed parts of Accept are ignored."""
    assert choose("2021", accept, None).msgpack is packed


@pytest.mark.parametrize(
    ("accept_encoding", "zipped"),
    [
        (None, False),
        ("", False),
        ("identity", False),
        ("gzip", True),
        ("GZip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.8", True),
        ("gzip;q=0", False),
        ("*", True),
        ("*, gzip;q=0", False),
        ("gzip;q=x", False),
        ("deflate", False),
    ],
)
def test_choose_when_accept_encoding_is_given_then_gzip_only_where_it_is_accepted(
    accept_encoding: str | None,
    zipped: bool,  # noqa: FBT001
) -> None:
    """Gzip is used for those who accept it with a quality above 0."""
    assert choose("2021", None, accept_encoding).gzip is zipped


@pytest.mark.parametrize("profile", ["2019", "", "2020 ", "2021;", "٢٠٢٠"])
def test_choose_when_the_profile_is_unknown_then_it_is_refused(profile: str) -> None:
    """There are two profiles."""
    with pytest.raises(InvalidProfileError):
        choose(profile, None, None)


async def _answer(body: bytes, known: str | None = None, **asked: Any) -> Any:
    representation = choose(
        asked.get("profile", "2021"), asked.get("accept"), asked.get("accept_encoding")
    )
    encoder = Encoder(compress_min_bytes=4096, deadline_seconds=5.0)
    return await encoder.answer(body, "abc", representation, known, to_2020_list_row)


async def test_answer_when_nothing_is_asked_then_the_stored_bytes_pass_through() -> None:
    """The default form is the stored bytes themselves, not a copy that was decoded."""
    answer = await _answer(BODY)
    assert answer.body is BODY
    assert answer.etag == "abc"


async def test_answer_when_forms_differ_then_each_has_a_tag_of_its_own() -> None:
    """Eight forms of a large body have eight different entity tags."""
    tags = {
        (await _answer(BODY, profile=profile, accept=accept, accept_encoding=encoding)).etag
        for profile in ("2020", "2021")
        for accept in (None, "application/msgpack")
        for encoding in (None, "gzip")
    }
    assert len(tags) == 8


async def test_answer_when_everything_is_asked_then_it_is_converted_packed_and_zipped() -> None:
    """The forms combine: 2020 values, MessagePack, gzip."""
    answer = await _answer(
        BODY, profile="2020", accept="application/msgpack", accept_encoding="gzip"
    )
    document = msgpack.unpackb(gzip.decompress(answer.body))
    assert document == orjson.loads(BODY) | {"default_price": "140"}
    assert answer.kind.content_type == "application/msgpack"
    assert answer.kind.gzip


async def test_answer_when_the_body_is_small_then_it_is_not_zipped() -> None:
    """Compression starts at the threshold of the settings."""
    answer = await _answer(SMALL, accept_encoding="gzip")
    assert answer.body is SMALL
    assert not answer.kind.gzip


async def test_answer_when_the_caller_has_this_form_then_not_modified() -> None:
    """304 holds for the very form asked for, not for another one."""
    first = await _answer(BODY, accept_encoding="gzip")
    again = await _answer(BODY, f'"{first.etag}"', accept_encoding="gzip")
    other = await _answer(BODY, f'"{first.etag}"')
    assert (again.kind.status, again.body, again.etag) == (304, b"", first.etag)
    assert other.kind.status == 200


async def test_answer_when_zipped_twice_then_the_bytes_are_equal() -> None:
    """A strong entity tag needs equal bytes: no time of compression goes into them."""
    first = await _answer(BODY, accept_encoding="gzip")
    second = await _answer(BODY, accept_encoding="gzip")
    assert first.body == second.body
