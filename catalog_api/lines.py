"""Lines of a request's body as they come, however long the body is."""

import asyncio
from collections.abc import AsyncGenerator
from typing import NamedTuple

from aiohttp import web


class Line(NamedTuple):
    """One line, numbered from 1; `data` is None when it was longer than allowed."""

    number: int
    data: bytes | None


async def read_lines(
    request: web.Request, *, max_bytes: int, idle_seconds: float
) -> AsyncGenerator[Line, None]:
    """Iterate over the lines that are not blank; at most one line and a piece are in memory.

    Args:
        request: whose body nobody has read.
        max_bytes: of one line; the rest of a longer one is passed over.
        idle_seconds: longest wait for the next piece.

    Raises:
        TimeoutError: no piece came in time.
        ConnectionError: the caller has gone, or what it sends is no HTTP any more.
    """
    number, kept, too_long = 1, bytearray(), False
    while True:
        try:
            async with asyncio.timeout(idle_seconds):
                piece = await request.content.readany()
        except web.RequestPayloadError as error:
            raise ConnectionResetError("the caller has gone, or sends no HTTP") from error
        *ended, rest = piece.split(b"\n")
        for end in ended:
            kept += end
            if too_long or len(kept) > max_bytes:
                yield Line(number, None)
            elif kept.strip():
                yield Line(number, bytes(kept))
            number, too_long = number + 1, False
            kept.clear()
        kept += rest
        if len(kept) > max_bytes:
            too_long = True
            kept.clear()
        if not piece and request.content.at_eof():
            break
    if too_long:
        yield Line(number, None)
    elif kept.strip():
        yield Line(number, bytes(kept))
