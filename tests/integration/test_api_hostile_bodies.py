"""Bodies that nobody should send, on real sockets: a clear 4xx, and nothing is stored."""

import gzip
import re
from collections.abc import Iterable

import orjson
import pytest

from catalog_api.settings import ApiSettings
from ring import RingSettings
from tests.support.api import RunningApi, running_catalog
from tests.support.stored_catalog import CatalogProduct, plain_product

CATALOG = (CatalogProduct(plain_product(1)),)
REVIEW = {
    "product_id": 1,
    "rating": 4,
    "summary": "Fine",
    "body": "It does what it should.",
    "recommend": True,
    "name": "jo",
    "email": "jo@shop.test",
    "characteristics": {"14": 5},
}
QUESTION = {"product_id": 1, "body": "Is it warm?", "name": "jo", "email": "jo@shop.test"}
REFUSED = {
    "/reviews": (REVIEW, b"Error: Review body contains invalid entries"),
    "/qa/questions": (QUESTION, b"Error: Question body contains invalid entries"),
}
MAX_BYTES = 20_000


def _with(document: dict[str, object], key: bytes, value: bytes) -> bytes:
    """Return the document as JSON with this key's value replaced by raw bytes."""
    return orjson.dumps(document | {key.decode(): "@"}).replace(b'"@"', value, 1)


def invalid(document: dict[str, object]) -> Iterable[bytes]:
    """Yield what no reader of this document may take."""
    whole = orjson.dumps(document)
    yield from (b"", b"null", b"[]", b'""', b"5", b"\xff\xfe", b"\xef\xbb\xbf" + whole, b"{")
    yield from (whole[:-1], whole + b"}", whole + whole, whole.replace(b'"', b"'"), b"\0" + whole)
    yield from (
        b"[" * 9_000,
        b'{"a":' * 3_000,
        b"[" * 40 + b"]" * 40,
        whole.decode().encode("utf-16"),
    )
    # A key twice: whichever is meant, another reader would take the other.
    yield whole[:-1] + b',"name":"al"}'
    yield whole[:-1] + b',"nam\\u0065":"al"}'
    texts = [
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"a\\u0000"',
        b'"\0"',
        b'"\xed\xa0\x80"',
        b'"\xc0\xaf"',
    ]
    for value in (
        *texts,
        b'"a\nb"',
        b"5",
        b"null",
        b"[]",
        b"{}",
        b'""',
        b'"' + b"x" * 1_001 + b'"',
    ):
        yield _with(document, b"name", value)
    for value in (
        *(b"9007199254740992", b"9007199254740993", b"1e300", b"1e999", b"-1", b"1.5", b"true"),
        *(
            b"9" * 5_000,
            b"NaN",
            b"Infinity",
            b"-Infinity",
            b"0x1",
            b"01",
            b'"x"',
            b'"1 "',
            b'"\xd9\xa1"',
        ),
    ):
        yield _with(document, b"product_id", value)


def invalid_reviews() -> Iterable[bytes]:
    """Yield what is wrong with reviews only."""
    for value in (b"0", b"6", b"4.5", b"-1", b'"4.5"', b"[4]", b"1e400", b"true"):
        yield _with(REVIEW, b"rating", value)
    for value in (b"2", b'"maybe"', b"null", b"[]"):
        yield _with(REVIEW, b"recommend", value)
    for value in (b"[]", b'{"x":5}', b'{"14":6}', b'{"14":5,"14":5}', b'{"\\ud800":5}', b"null"):
        yield _with(REVIEW, b"characteristics", value)
    for value in (b'"https://a"', b"[5]", b"[null]", b'["\\ud800"]', b"[" + b'"",' * 100 + b'""]'):
        yield _with(REVIEW, b"photos", value)


async def _post(api: RunningApi, path: str, body: bytes, content_type: str) -> tuple[int, bytes]:
    async with api.client.post(path, data=body, headers={"Content-Type": content_type}) as response:
        return response.status, await response.read()


async def test_bodies_when_invalid_then_the_contracts_words_and_nothing_stored(
    ring_settings: RingSettings,
) -> None:
    """Syntax, encodings, depth, duplicate keys, surrogates, NUL, numbers, types: all are 422."""
    async with running_catalog(ring_settings, CATALOG) as api:
        for path, (document, words) in REFUSED.items():
            bodies = [*invalid(document), *(invalid_reviews() if document is REVIEW else ())]
            for body in bodies:
                answer = await _post(api, path, body, "application/json")
                assert answer == (422, words), body[:80]
            status, _ = await _post(api, path, orjson.dumps(document), "application/json")
            assert status == 201
        async with api.client.get("/reviews?product_id=1") as response:
            assert len(orjson.loads(await response.read())["results"]) == 1
        async with api.client.get("/qa/questions?product_id=1") as response:
            assert len(orjson.loads(await response.read())["results"]) == 1


INVALID_FORMS = [
    b"",
    b"&" * 5_000,
    b"a=b&" * 2_500,
    b"name=%ff",
    b"name=%00",
    b"name=jo&name=al",
    b"characteristics[14]=5&characteristics[14]=4",
    b"characteristics[14]=5&characteristics=7",
    b"characteristics={",
    b"photos[a]=b&photos[]=c",
    b"name[]=jo",
    b"[]=&[=&]=",
    b"\xff\xfe=1",
]


async def test_forms_when_invalid_then_the_contracts_words(
    ring_settings: RingSettings,
) -> None:
    """Too many fields, a field twice, bytes that are no UTF-8: all are 422."""
    whole = b"product_id=1&rating=4&summary=a&body=b&recommend=true&email=c&characteristics[14]=5"
    async with running_catalog(ring_settings, CATALOG) as api:
        for form in INVALID_FORMS:
            body = b"&".join((whole, form))
            answer = await _post(api, "/reviews", body, "application/x-www-form-urlencoded")
            assert answer == (422, REFUSED["/reviews"][1]), form
        good = whole + b"&name=jo&other=1&other=2&other[a]=3&photos=https://a&photos=https://b"
        answer = await _post(api, "/reviews", good, "application/x-www-form-urlencoded")
        assert answer == (201, b"Created")


def _chunked(body: bytes, size: int) -> bytes:
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


async def test_bodies_when_too_large_then_413_however_they_are_sent(
    ring_settings: RingSettings,
) -> None:
    """Announced, in chunks, or small until they are unpacked: 413 and the end of the connection."""
    large = orjson.dumps(REVIEW | {"body": "x" * MAX_BYTES})
    packed = gzip.compress(bytes(30_000_000))
    huge = orjson.dumps("x" * 400_000)
    sent = [
        (b"Content-Length: %d" % len(large), large),
        (b"Content-Length: 99999999999999", b"{"),
        (b"Transfer-Encoding: chunked", _chunked(large, 1_000)),
        (b"Transfer-Encoding: chunked", _chunked(huge, 65_536)),
        (b"Content-Encoding: gzip\r\nContent-Length: %d" % len(packed), packed),
        (b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked", _chunked(packed, 512)),
    ]
    settings = ApiSettings(max_body_bytes=MAX_BYTES)
    async with running_catalog(ring_settings, CATALOG, settings) as api:
        for headers, body in sent:
            request = b"POST /reviews HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%b\r\n\r\n%b"
            answers = await api.exchange(request % (headers, body))
            assert re.findall(rb"HTTP/1\.1 (\d{3})", answers) == [b"413"], headers
            assert b"\r\nConnection: close\r\n" in answers
            assert b"\r\nContent-Type: application/problem+json\r\n" in answers
        just_right = orjson.dumps(REVIEW | {"body": "x" * (MAX_BYTES - len(orjson.dumps(REVIEW)))})
        assert (await _post(api, "/reviews", just_right, "application/json"))[0] == 201


CONTRADICTIONS = [
    (b"Content-Encoding: gzip\r\nContent-Length: 5", b"abcde"),
    (b"Content-Encoding: deflate\r\nContent-Length: 5", b"abcde"),
    (b"Content-Encoding: br\r\nContent-Length: 5", b"abcde"),
    (b"Transfer-Encoding: chunked", b"zz\r\n{}\r\n0\r\n\r\n"),
    (b"Transfer-Encoding: chunked", b"-2\r\n{}\r\n0\r\n\r\n"),
    (b"Transfer-Encoding: chunked", b"2\r\n{}}}\r\n0\r\n\r\n"),
    (b"Transfer-Encoding: chunked", b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
    (b"Transfer-Encoding: gzip", b"{}"),
    (b"Transfer-Encoding: chunked\r\nContent-Length: 2", b"2\r\n{}\r\n0\r\n\r\n"),
    (b"Content-Length: 2\r\nContent-Length: 3", b"{} "),
    (b"Content-Length: 1, 2", b"{}"),
    (b"Content-Length: +2", b"{}"),
    (b"Content-Length: 0x2", b"{}"),
    (b"Content-Length: \xc2\xb2", b"{}"),
]


async def test_bodies_when_they_contradict_their_head_then_400_and_the_end(
    ring_settings: RingSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """What was not sent as announced is no request; what may follow it is never one either."""
    hidden = b"PUT /reviews/1/report HTTP/1.1\r\nHost: a\r\n\r\n"
    async with running_catalog(ring_settings, CATALOG) as api:
        for headers, body in CONTRADICTIONS:
            answers = await api.exchange(
                b"POST /reviews HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n%b%b" % (headers, body, hidden)
            )
            assert re.findall(rb"HTTP/1\.1 (\d{3})", answers) == [b"400"], (headers, answers)
            assert b"\r\nConnection: close\r\n" in answers
        assert "Traceback" not in caplog.text
        async with api.client.get("/products/1") as response:
            assert response.status == 200
