"""One JSON line per request, for all requests or a sample of them.

Lines are collected and written a few times a second from a thread, so that a slow reader of the log
cannot hold up a request; beyond a bound they are dropped and counted.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import orjson
from aiohttp.http_parser import RawRequestMessage

from catalog_api.answers import Answer, StreamedAnswer
from catalog_api.telemetry import RequestTelemetry

_FLUSH_SECONDS: Final = 0.25
_MOST_LINES_WAITING: Final = 20_000
_MOST_TARGET_CHARACTERS: Final = 2048


class AccessLog:
    """Collects lines and writes them.

    Args:
        sample: share of requests that get a line, 0 to 1.
        write: takes bytes of whole lines; called in a thread.
        telemetry: counts what was dropped.

    Attributes:
        enabled: False when no request gets a line.
    """

    def __init__(
        self, *, sample: float, write: Callable[[bytes], object], telemetry: RequestTelemetry
    ) -> None:
        self.enabled = sample > 0
        self._sample = sample
        self._write = write
        self._telemetry = telemetry
        self._lines: list[bytes] = []

    def record(
        self,
        message: RawRequestMessage,
        peer: object,
        request_id: str,
        route: str,
        answer: Answer,
        seconds: float,
    ) -> None:
        """Note one answered request, if it is in the sample."""
        if random.random() >= self._sample:  # noqa: S311 - a sample, no secret
            return
        if len(self._lines) >= _MOST_LINES_WAITING:
            self._telemetry.log_lines_dropped += 1
            return
        target = message.path[:_MOST_TARGET_CHARACTERS]
        self._lines.append(
            orjson.dumps(
                {
                    "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                    "event": "request",
                    "request_id": request_id,
                    "remote": peer[0] if isinstance(peer, tuple) else None,
                    "method": message.method,
                    # What no target should hold is shown escaped: no line can lie to a reader.
                    "target": target.encode("ascii", "backslashreplace").decode(),
                    "route": route,
                    "status": answer.kind.status,
                    "bytes": answer.sent_bytes
                    if isinstance(answer, StreamedAnswer)
                    else len(answer.body),
                    "milliseconds": round(seconds * 1000, 3),
                }
            )
        )

    async def run(self) -> None:
        """Write what was collected, again and again, until cancelled; then write the rest."""
        try:
            while True:
                await asyncio.sleep(_FLUSH_SECONDS)
                if self._lines:
                    await asyncio.to_thread(self._write, self._take())
        finally:
            if self._lines:
                self._write(self._take())

    def _take(self) -> bytes:
        lines, self._lines = self._lines, []
        return b"\n".join(lines) + b"\n"
