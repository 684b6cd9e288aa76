"""Runs the app server inside a test's own loop, on a port of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import aiohttp
from aiohttp import web

from catalog_api.app import build_app
from catalog_api.publication import Publication
from catalog_api.repositories.rows import RowSource
from catalog_api.settings import ApiSettings
from catalog_api.sockets import bind
from catalog_api.worker import serve_until

HOST = "127.0.0.1"
START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class RunningApi:
    """A server that answers.

    Attributes:
        port: on `HOST`.
        client: a session whose base URL is the server's.
        stop: set it to begin a graceful stop.
        ended: done when the stop is complete.
    """

    port: int
    client: aiohttp.ClientSession
    app: web.Application
    stop: asyncio.Event
    ended: "asyncio.Task[None]"

    async def exchange(self, request: bytes, *, timeout_seconds: float = 10.0) -> bytes:
        """Send raw bytes on a new connection and return everything until it is closed."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        try:
            writer.write(request)
            async with asyncio.timeout(timeout_seconds):
                return await reader.read()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def running_api(
    ring: RowSource,
    settings: ApiSettings | None = None,
    *,
    publication: Publication | None = None,
) -> AsyncIterator[RunningApi]:
    """Serve with these settings, on a free port, until the block ends; closes the ring client."""
    settings = replace(settings or ApiSettings(), host=HOST, port=0)
    listener = bind(HOST, 0, shared=True)
    port = listener.getsockname()[1]
    stop = asyncio.Event()
    app = build_app(settings, ring=ring, publication=publication)
    ended = asyncio.create_task(serve_until(app, settings, listener, stop))
    async with aiohttp.ClientSession(f"http://{HOST}:{port}", auto_decompress=False) as client:
        await _wait_for(client, ended)
        try:
            yield RunningApi(port, client, app, stop, ended)
        finally:
            stop.set()
            await ended
            listener.close()


async def _wait_for(client: aiohttp.ClientSession, ended: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(START_SECONDS):
        while not ended.done():
            with contextlib.suppress(aiohttp.ClientError):
                async with client.get("/healthz") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.01)
    ended.result()
