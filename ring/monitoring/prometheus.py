"""Asks a Prometheus for figures."""

import asyncio
import http.client
import json
import urllib.parse
from dataclasses import dataclass
from typing import Any, Final

from ring.nodes.errors import NodesError

_OK: Final = 200
_ADVICE: Final = "Check the URL, and that this Prometheus scrapes ring/monitoring/prometheus.yml."


class PrometheusError(NodesError):
    """A Prometheus does not answer, or refuses a question; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One element of an answer: its labels and its value (which may be "not a number")."""

    labels: dict[str, str]
    value: float


class Prometheus:
    """One Prometheus server.

    Args:
        url: such as `http://127.0.0.1:9090`, with the prefix of its paths if it has one.
        timeout_seconds: for each question.
    """

    def __init__(self, url: str, *, timeout_seconds: float = 20.0) -> None:
        self._url = urllib.parse.urlsplit(url)
        if self._url.scheme not in ("http", "https") or not self._url.hostname:
            raise PrometheusError(f"{url!r} is no http:// or https:// URL", advice=_ADVICE)
        self._timeout_seconds = timeout_seconds

    def __repr__(self) -> str:
        return f"<Prometheus {self._url.geturl()}>"

    async def query(self, expression: str) -> list[Sample]:
        """Return the elements of an instant vector, as of now; a scalar is one without labels.

        Raises:
            PrometheusError: it does not answer in time, or refuses the expression.
        """
        try:
            async with asyncio.timeout(2 * self._timeout_seconds):
                status, text = await asyncio.to_thread(self._ask, expression)
        except (OSError, TimeoutError, http.client.HTTPException) as error:
            raise PrometheusError(f"{self._url.geturl()}: {error!r}", advice=_ADVICE) from error
        try:
            answer = json.loads(text)
            if status != _OK:
                raise PrometheusError(
                    f"{self._url.geturl()}: {answer['error']} in: {expression}", advice=_ADVICE
                )
            return _samples(answer["data"])
        except (ValueError, KeyError, TypeError) as error:
            raise PrometheusError(
                f"{self._url.geturl()} answers {status} and no figures", advice=_ADVICE
            ) from error

    def _ask(self, expression: str) -> tuple[int, bytes]:
        kind = (
            http.client.HTTPSConnection
            if self._url.scheme == "https"
            else http.client.HTTPConnection
        )
        connection = kind(self._url.hostname or "", self._url.port, timeout=self._timeout_seconds)
        try:
            question = urllib.parse.urlencode({"query": expression})
            connection.request("GET", f"{self._url.path.rstrip('/')}/api/v1/query?{question}")
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def _samples(data: dict[str, Any]) -> list[Sample]:
    if data["resultType"] == "scalar":
        return [Sample({}, float(data["result"][1]))]
    return [Sample(dict(row["metric"]), float(row["value"][1])) for row in data["result"]]
