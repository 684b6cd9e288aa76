"""Asking a Prometheus: what is made of answers, good and bad, on real sockets."""

import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from ring.monitoring.listener import Listener, Page
from ring.monitoring.prometheus import Prometheus, PrometheusError, Sample


@asynccontextmanager
async def answering(path: str, body: str | bytes, status: int = 200) -> AsyncIterator[str]:
    """Yield the URL of a server that always answers the same."""

    async def page() -> Page:
        return Page(body.encode() if isinstance(body, str) else body, status=status)

    listener = Listener({path: page})
    port = await listener.start("127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await listener.aclose()


def _answer(kind: str, result: Any) -> str:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}})


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:9090", "http://", "file:///etc/passwd"])
def test_prometheus_when_a_url_is_none_then_it_is_refused(url: str) -> None:
    """Before anything is asked."""
    with pytest.raises(PrometheusError, match="no http"):
        Prometheus(url)


@pytest.mark.parametrize(
    ("body", "status"),
    [("<html>", 200), ("{}", 200), ("[]", 200), ("", 503), ("nothing here", 500)],
)
async def test_query_when_the_answer_is_no_answer_then_it_says_so(body: str, status: int) -> None:
    """A proxy's page, a login, an empty body."""
    async with answering("/api/v1/query", body, status) as url:
        with pytest.raises(PrometheusError, match="no figures"):
            await Prometheus(url).query("up")


async def test_query_when_prometheus_refuses_then_its_words_are_told() -> None:
    """The expression is with them: it may be ours that is wrong."""
    words = json.dumps({"status": "error", "error": "parse error: unexpected end"})
    async with answering("/api/v1/query", words, 400) as url:
        with pytest.raises(PrometheusError, match=r"unexpected end in: sum\("):
            await Prometheus(url).query("sum(")


async def test_query_when_it_is_answered_then_samples_have_labels_and_values() -> None:
    """Vectors and scalars; what is not a number stays so. A prefix of the paths is kept."""
    vector = _answer(
        "vector",
        [
            {"metric": {"node": "a"}, "value": [1.0, "2.5"]},
            {"metric": {}, "value": [1.0, "NaN"]},
        ],
    )
    async with answering("/prefix/api/v1/query", vector) as url:
        first, second = await Prometheus(f"{url}/prefix/").query("x")
    assert first == Sample({"node": "a"}, 2.5)
    assert math.isnan(second.value)
    async with answering("/api/v1/query", _answer("scalar", [1.0, "17"])) as url:
        assert await Prometheus(url).query("time()") == [Sample({}, 17.0)]


async def test_query_when_nothing_listens_then_it_says_so() -> None:
    """Port 1 has nobody."""
    with pytest.raises(PrometheusError, match=r"127\.0\.0\.1:1"):
        await Prometheus("http://127.0.0.1:1").query("up")
