"""What every request passes, in the fast lane or not: id, head, figures and log line."""

from dataclasses import dataclass
from typing import Final

from aiohttp.http_parser import RawRequestMessage
from aiohttp.http_writer import HttpVersion10
from multidict import istr

from catalog_api.access_log import AccessLog
from catalog_api.answers import Answer, HeadWriter, StreamedAnswer
from catalog_api.request_ids import RequestIds
from catalog_api.telemetry import RequestTelemetry

REQUEST_ID: Final = istr("X-Request-Id")
ORIGIN: Final = istr("Origin")


@dataclass(frozen=True, slots=True)
class Reception:
    """The parts that the lane and the edge share; one for all connections of a process.

    Attributes:
        deadline_seconds: longest that a request, or a caller who does not read, may take.
    """

    heads: HeadWriter
    request_ids: RequestIds
    telemetry: RequestTelemetry
    access_log: AccessLog
    deadline_seconds: float

    def wire(
        self, message: RawRequestMessage, answer: Answer, request_id: str, *, keep_alive: bool
    ) -> bytes:
        """Return the bytes that answer this request."""
        if not keep_alive:
            connection = "Connection: close\r\n"
        elif message.version == HttpVersion10:
            connection = "Connection: keep-alive\r\n"
        else:
            connection = ""
        if isinstance(answer, StreamedAnswer) and message.version != HttpVersion10:
            connection += "Transfer-Encoding: chunked\r\n"
        return self.heads.wire(
            answer,
            request_id,
            connection=connection,
            origin=message.headers.get(ORIGIN) if self.heads.reads_origin else None,
            with_body=message.method != "HEAD",
        )

    def note(
        self,
        message: RawRequestMessage,
        peer: object,
        request_id: str,
        route: str,
        answer: Answer,
        seconds: float,
    ) -> None:
        """Count the answered request and log it if it is to be logged."""
        self.telemetry.observe(route, answer.kind.status, seconds)
        if self.access_log.enabled:
            self.access_log.record(message, peer, request_id, route, answer, seconds)
