"""The application's response: an answer, made into bytes by `edge`, that goes out in one write."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import Final

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_writer import HttpVersion10

from catalog_api.answers import Answer, StreamedAnswer

_logger: Final = logging.getLogger(__name__)


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
        self._eof_sent = True
        self._body_length = len(self.answer.body)
        await self._send(request, self._wire)
        return None

    async def _send(self, request: web.BaseRequest, data: bytes) -> None:
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the caller has gone")
        transport.write(data)
        if request.protocol.writing_paused:
            try:
                async with asyncio.timeout(self._drain_seconds):
                    await request.writer.drain()
            except TimeoutError as error:
                transport.abort()
                raise ConnectionResetError("the caller does not read") from error

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: `prepare` has sent everything."""


class StreamedResponse(AnswerResponse):
    """Sends a body while it is made, chunk by chunk.

    Args:
        answer: with its chunks.
        on_end: told when the last byte was sent, or none will be.
    """

    def __init__(self, answer: StreamedAnswer, on_end: Callable[[], None]) -> None:
        super().__init__(answer)
        self._streamed = answer
        self._on_end = on_end

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the head, then each chunk as it comes; a caller who does not read is cut off.

        Raises:
            ConnectionError: the caller has gone, did not read in time, or the chunks failed.
        """
        if self._eof_sent:
            return None
        self._eof_sent = True
        try:
            async with aclosing(self._streamed.chunks) as chunks:
                await self._send(request, self._wire)
                if request.method != hdrs.METH_HEAD:
                    async for chunk in chunks:
                        await self._send_chunk(request, chunk)
                    await self._end(request)
        except ConnectionError:
            raise
        except Exception as error:
            # The head is out: a cut connection is the only word left for it.
            _logger.exception("a streamed answer failed")
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError("the answer failed") from error
        finally:
            self._body_length = self._streamed.sent_bytes
            self._on_end()
        return None

    async def _send_chunk(self, request: web.BaseRequest, chunk: bytes) -> None:
        if chunk:
            self._streamed.sent_bytes += len(chunk)
            whole = request.version == HttpVersion10
            await self._send(request, chunk if whole else b"%x\r\n%b\r\n" % (len(chunk), chunk))

    async def _end(self, request: web.BaseRequest) -> None:
        # What the caller has not sent yet cannot be told from its next request.
        if not request.content.at_eof():
            self._keep_alive = False
        if request.version != HttpVersion10:
            await self._send(request, b"0\r\n\r\n")
