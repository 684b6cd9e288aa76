"""The application's response: an answer, made into bytes by `edge`, that goes out in one write.

A streamed answer goes out piece by piece, as fast as the caller reads.
"""

import asyncio
import logging
from typing import Final

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_writer import HttpVersion10

from catalog_api.answers import Answer, StreamAnswer

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
        """Write everything; wait only when the caller reads more slowly than we write.

        Raises:
            ConnectionError: the caller has gone, or did not read in time.
        """
        if self._eof_sent:
            return None
        self._eof_sent = True
        if isinstance(self.answer, StreamAnswer):
            await self._stream(request, self.answer)
        else:
            await self._send(request, self._wire, self._drain_seconds)
            self._body_length = len(self.answer.body)
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: `prepare` has sent everything."""

    async def _stream(self, request: web.BaseRequest, answer: StreamAnswer) -> None:
        is_chunked = request.version > HttpVersion10
        try:
            await self._send(request, self._wire, answer.stall_seconds)
            if request.method == "HEAD":
                return
            async for piece in answer.pieces:
                if piece:
                    wire = b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece
                    await self._send(request, wire, answer.stall_seconds)
                    self._body_length += len(piece)
            if is_chunked:
                await self._send(request, b"0\r\n\r\n", answer.stall_seconds)
        except ConnectionError:
            raise
        except Exception as error:
            # Told of nothing, the caller must not take what was sent for everything.
            _logger.exception("a streamed answer broke off")
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError("the answer broke off") from error
        finally:
            await answer.pieces.aclose()

    async def _send(self, request: web.BaseRequest, wire: bytes, stall_seconds: float) -> None:
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the caller has gone")
        transport.write(wire)
        if request.protocol.writing_paused:
            try:
                async with asyncio.timeout(stall_seconds):
                    await request.writer.drain()
            except TimeoutError as error:
                transport.abort()
                raise ConnectionResetError("the caller does not read") from error
