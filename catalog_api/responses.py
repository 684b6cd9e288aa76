"""The application's response: an answer, made into bytes by `edge`, that goes out in one write."""

import asyncio

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from catalog_api.answers import Answer


class AnswerResponse(web.StreamResponse):
    """Carries an answer through aiohttp.

    Header building, which is most of what a small answer costs, happens once, in `HeadWriter`.

    Attributes:
        answer: what the handler chose.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(status=answer.kind.status)
        self.answer = answer
        self._wire = b""
        self._drain_seconds = 0.0

    def seal(self, wire: bytes, *, keep_alive: bool, drain_seconds: float) -> None:
        """Fix the bytes to be sent; `drain_seconds` bounds the wait for a slow reader."""
        self._wire = wire
        self._keep_alive = keep_alive
        self._drain_seconds = drain_seconds

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write everything at once; wait only when the caller reads more slowly than we write.

        Raises:
            ConnectionError: the caller has gone, or did not read in time.
        """
        if self._eof_sent:
            return None
        transport = request.transport
        if transport is None:
            raise ConnectionResetError("the caller has gone")
        transport.write(self._wire)
        self._eof_sent = True
        self._body_length = len(self.answer.body)
        if request.protocol.writing_paused:
            try:
                async with asyncio.timeout(self._drain_seconds):
                    await request.writer.drain()
            except TimeoutError as error:
                transport.abort()
                raise ConnectionResetError("the caller does not read") from error
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: `prepare` has sent everything."""
