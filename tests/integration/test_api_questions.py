"""Questions and answers over HTTP, from rows in a real Cassandra."""

import asyncio
from collections.abc import Iterator
from typing import Any

import orjson

from ring import RingSettings
from schema.reviews import Answer, IdentifiedPhoto, Question
from tests.support.api import RunningApi, running_catalog
from tests.support.stored_catalog import CatalogProduct, plain_product
from tests.support.stored_feedback import Feedback, write_feedback

CATALOG = [CatalogProduct(plain_product(1))]
TEXT = "text/html; charset=utf-8"
TRICKY = 'a \\","photos":[],"helpfulness":3,"question_helpfulness":3, \u2028 <b>'
FEEDBACK = Feedback(
    1,
    questions=[Question(number, TRICKY, 86_400_000 * number, "asker", 3) for number in (5, 6, 7)],
    answers={
        5: [
            Answer(70, TRICKY, 1, "one", 3, [IdentifiedPhoto(8, TRICKY), IdentifiedPhoto(9, "u")]),
            Answer(9, "nine", 2, "two", 0),
            Answer(71, "reported", 3, "three", 50),
        ],
        7: [Answer(80, "to a reported question", 4, "four", 0)],
    },
    reported=frozenset({7, 71}),
)


async def _fetch(api: RunningApi, path: str, **headers: str) -> Any:
    async with api.client.get(path, headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "application/json; charset=utf-8"
        assert response.headers["Cache-Control"] == "no-store"
        return orjson.loads(await response.read())


async def _send(api: RunningApi, method: str, path: str, **options: Any) -> tuple[int, bytes]:
    async with api.client.request(method, path, **options) as response:
        if response.status != 204:
            assert response.headers["Content-Type"] == TEXT
        return response.status, await response.read()


async def test_questions_when_listed_then_the_contract_holds(ring_settings: RingSettings) -> None:
    """Order, keys, nested answers by id, reported ones left out, both profiles."""
    await write_feedback(ring_settings, FEEDBACK)
    async with running_catalog(ring_settings, CATALOG) as api:
        listed = await _fetch(api, "/qa/questions?product_id=1")
        assert list(listed) == ["product_id", "results"]
        assert listed["product_id"] == "1"
        five, six = listed["results"]
        assert list(five) == [
            *("question_id", "question_body", "question_date", "asker_name"),
            *("question_helpfulness", "reported", "answers"),
        ]
        assert (five["question_id"], five["question_body"]) == (5, TRICKY)
        assert five["question_date"] == "1970-01-06T00:00:00.000Z"
        assert five["reported"] is False
        assert list(five["answers"]) == ["9", "70"]
        assert list(five["answers"]["70"]) == [
            *("id", "body", "date", "answerer_name", "helpfulness", "photos")
        ]
        assert five["answers"]["70"]["photos"] == [TRICKY, "u"]
        assert (six["question_id"], six["answers"]) == (6, {})
        old = await _fetch(api, "/qa/questions?product_id=1", **{"X-Legacy-Profile": "2020"})
        assert [row["reported"] for row in old["results"]] == [0, 0]
        second = await _fetch(api, "/qa/questions/?product_id=1&page=2&count=1")
        assert [row["question_id"] for row in second["results"]] == [6]
        assert (await _fetch(api, "/qa/questions?product_id=12"))["results"] == []


async def test_answers_when_listed_then_what_was_passed_comes_back_as_text(
    ring_settings: RingSettings,
) -> None:
    """Order, keys, photos as objects, echoes, reported and unknown questions."""
    await write_feedback(ring_settings, FEEDBACK)
    async with running_catalog(ring_settings, CATALOG) as api:
        listed = await _fetch(api, "/qa/questions/5/answers")
        assert list(listed) == ["question", "page", "count", "results"]
        assert (listed["question"], listed["page"], listed["count"]) == ("5", 1, 5)
        first, second = listed["results"]
        assert list(first) == [
            *("answer_id", "body", "date", "answerer_name", "helpfulness", "photos")
        ]
        assert first["photos"] == [{"id": 8, "url": TRICKY}, {"id": 9, "url": "u"}]
        assert [first["answer_id"], second["answer_id"]] == [70, 9]
        for path in ("/qa/questions/5undefined/answers", "/qa/questions/%35/answers"):
            page = await _fetch(api, f"{path}?page=2&count=1")
            assert (page["question"], page["page"], page["count"]) == ("5", "2", "1")
            assert [row["answer_id"] for row in page["results"]] == [9]
        (only,) = (await _fetch(api, "/qa/questions/7/answers"))["results"]
        assert only["answer_id"] == 80
        assert (await _fetch(api, "/qa/questions/99/answers"))["results"] == []
        refused = (404, b"Error: invalid question id provided")
        assert await _send(api, "GET", "/qa/questions/hello/answers") == refused


async def test_posts_when_accepted_then_they_are_in_the_next_lists(
    ring_settings: RingSettings,
) -> None:
    """A question, an answer with photos, votes of both and reports of both."""
    question = {"product_id": 1, "body": "How?", "name": "n", "email": "e@example.org"}
    async with running_catalog(ring_settings, CATALOG) as api:
        created = (201, b"Created")
        assert await _send(api, "POST", "/qa/questions", json=question) == created
        (asked,) = (await _fetch(api, "/qa/questions?product_id=1"))["results"]
        assert (asked["question_body"], asked["asker_name"], asked["answers"]) == ("How?", "n", {})
        one = f"/qa/questions/{asked['question_id']}"
        answer = {"body": TRICKY, "name": "n", "email": "e@example.org", "photos": ["p", "q"]}
        assert await _send(api, "POST", f"{one}/answers", json=answer) == created
        form = {"body": "by form", "name": "n", "email": "e@example.org"}
        assert await _send(api, "POST", f"{one}/answers/", data=form) == created
        rows = (await _fetch(api, f"{one}/answers"))["results"]
        assert [row["body"] for row in rows] == [TRICKY, "by form"]
        assert [photo["url"] for photo in rows[0]["photos"]] == ["p", "q"]
        second = f"/qa/answers/{rows[1]['answer_id']}"
        done = [(204, b"")] * 5
        votes = [_send(api, "PUT", f"{second}/helpful") for _ in range(5)]
        assert await asyncio.gather(*votes) == done
        votes = [_send(api, "PUT", f"{one}/helpful", json=None) for _ in range(5)]
        assert await asyncio.gather(*votes) == done
        rows = (await _fetch(api, f"{one}/answers"))["results"]
        assert [row["helpfulness"] for row in rows] == [5, 0]
        assert [row["body"] for row in rows] == ["by form", TRICKY]
        (asked,) = (await _fetch(api, "/qa/questions?product_id=1"))["results"]
        assert asked["question_helpfulness"] == 5
        assert asked["answers"][str(rows[0]["answer_id"])]["helpfulness"] == 5
        assert await _send(api, "PUT", f"{second}/report") == (204, b"")
        assert [row["body"] for row in (await _fetch(api, f"{one}/answers"))["results"]] == [TRICKY]
        assert await _send(api, "PUT", f"{one}/report", json={}) == (204, b"")
        assert (await _fetch(api, "/qa/questions?product_id=1"))["results"] == []


def _invalid_requests() -> Iterator[tuple[str, str, object, tuple[int, bytes]]]:
    """Yield method, path and body of what is refused, with the answer."""
    for query in ("", "?product_id=2x", "?product_id=-1", f"?product_id={2**53}"):
        yield "GET", f"/qa/questions{query}", None, (422, b"Error: invalid product_id provided")
    person: dict[str, object] = {"name": "n", "email": "e"}
    questions: tuple[object, ...] = (
        None,
        [],
        {"product_id": 1} | person,
        {"product_id": 2, "body": "b"} | person,
        {"product_id": 1, "body": 5} | person,
    )
    for body in questions:
        refused = (422, b"Error: Question body contains invalid entries")
        yield "POST", "/qa/questions", body, refused
    for path, answer in (
        ("/qa/questions/4/answers", {"body": "b"} | person),
        ("/qa/questions/hello/answers", {"body": "b"} | person),
        ("/qa/questions/5/answers", {"body": "b", "name": "n"}),
        ("/qa/questions/5/answers", {"body": "b", "photos": 1} | person),
    ):
        yield "POST", path, answer, (422, b"Error: Answer body contains invalid entries")
    for key in ("4", "null", "5.55", "-1", str(2**53)):
        for kind in ("question", "answer"):
            for verb in ("helpful", "report"):
                refused = (404, f"Error: invalid {kind} id provided".encode())
                yield "PUT", f"/qa/{kind}s/{key}/{verb}", {}, refused


async def test_request_when_it_is_invalid_then_the_contracts_words_say_so(
    ring_settings: RingSettings,
) -> None:
    """Statuses and plain texts as clients compare them."""
    await write_feedback(ring_settings, FEEDBACK)
    async with running_catalog(ring_settings, CATALOG) as api:
        for method, path, body, expected in _invalid_requests():
            options = {} if method == "GET" else {"json": body}
            answer = await _send(api, method, path, **options)
            assert answer == expected, (method, path, body)
