"""App servers that do as they are told, for tests of what stands before them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Upstream:
    """A scripted app server.

    Attributes:
        behaviour: `answer` with 200, `hang_up` after the whole request was read, or `freeze`.
        requests: (method, target, headers in lower case, body) of each request it has read.
    """

    address: str
    port: int
    behaviour: str = "answer"
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    _connections: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends."""
        self._connections.add(writer)
        try:
            while await self._serve_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request_line, *lines = head.rstrip().split("\r\n")
        method, target, _ = request_line.split(" ")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append((method, target, headers, body))
        if self.behaviour == "freeze":
            await asyncio.sleep(60)
        if self.behaviour != "answer":
            return False
        answer = b"" if method == "HEAD" else f"from {self.address}".encode()
        head_out = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answer)}\r\n\r\n"
        writer.write(head_out.encode() + answer)
        await writer.drain()
        return True

    def cut(self) -> None:
        """Cut every open connection, as a killed process would."""
        for writer in self._connections:
            writer.transport.abort()


@asynccontextmanager
async def running(upstream: Upstream) -> AsyncIterator[Upstream]:
    """Listen for the block; nothing answers there before and after."""
    server = await asyncio.start_server(upstream.serve, upstream.address, upstream.port)
    try:
        yield upstream
    finally:
        server.close()
        upstream.cut()
        await server.wait_closed()
