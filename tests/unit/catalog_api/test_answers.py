import re

import pytest

from catalog_api.answers import (
    JSON_OK,
    NO_CONTENT,
    Answer,
    HeadWriter,
    problem,
    unavailable,
)
from catalog_api.handlers.legacy import refusal


def _writer(origins: frozenset[str] | None = None) -> HeadWriter:
    return HeadWriter(cache_control="public, no-cache", allowed_origins=origins)


def _headers(wire: bytes) -> dict[str, str]:
    head, _, _ = wire.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines)


def test_wire_when_json_then_the_head_has_what_http_and_the_contract_want() -> None:
    """Status line, exact content type, length, date and request id stand before the body."""
    wire = _writer().wire(Answer(JSON_OK, b"[]"), "id-1")
    headers = _headers(wire)
    assert wire.startswith(b"HTTP/1.1 200 OK\r\n")
    assert wire.endswith(b"\r\n\r\n[]")
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Content-Length"] == "2"
    assert headers["X-Request-Id"] == "id-1"
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["Date"])


def test_wire_when_head_then_only_the_body_is_missing() -> None:
    """HEAD tells what GET would."""
    answer = Answer(JSON_OK, b"[1]")
    whole = _writer().wire(answer, "id")
    head = _writer().wire(answer, "id", with_body=False)
    assert whole == head + b"[1]"


def test_wire_when_there_is_no_body_then_no_length_and_type_are_told() -> None:
    """204 and 304 have no content to describe."""
    headers = _headers(_writer().wire(Answer(NO_CONTENT), "id"))
    assert "Content-Length" not in headers
    assert "Content-Type" not in headers


@pytest.mark.parametrize(
    ("origin", "allowed"), [("https://a.test", True), ("https://b.test", False)]
)
def test_wire_when_some_origins_may_read_then_only_they_are_named(
    origin: str,
    allowed: bool,  # noqa: FBT001
) -> None:
    """With a list, the caller's origin is echoed when listed, and answers vary by it."""
    writer = _writer(frozenset({"https://a.test"}))
    headers = _headers(writer.wire(Answer(JSON_OK, b""), "id", origin=origin))
    assert ("Access-Control-Allow-Origin" in headers) is allowed
    assert headers["Vary"] == "Origin"


def test_problem_then_it_is_rfc_9457() -> None:
    """Errors outside the legacy contract are problem JSON."""
    answer = problem(400, "page must be a whole number of at least 1")
    assert answer.kind.content_type == "application/problem+json"
    assert answer.body == (
        b'{"type":"about:blank","title":"Bad Request","status":400,'
        b'"detail":"page must be a whole number of at least 1"}'
    )


def test_unavailable_then_it_says_when_to_come_back() -> None:
    """Every 503 carries Retry-After."""
    assert _headers(_writer().wire(unavailable("later", 3), "id"))["Retry-After"] == "3"


def test_refusal_then_it_is_plain_text_as_clients_compare_it() -> None:
    """Legacy errors are plain text under the type the original sent."""
    wire = _writer().wire(refusal(404, "Error: invalid product id provided"), "id")
    assert _headers(wire)["Content-Type"] == "text/html; charset=utf-8"
    assert wire.endswith(b"\r\n\r\nError: invalid product id provided")
