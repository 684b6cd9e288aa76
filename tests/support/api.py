"""Runs the app server inside a test's own loop, on a port of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace

import aiohttp
from aiohttp import web

from catalog_api.app import build_app
from catalog_api.publication import Publication
from catalog_api.repositories.rows import RowSource
from catalog_api.settings import ApiSettings
from catalog_api.sockets import bind
from catalog_api.worker import serve_until
from ring import RingClient, RingSettings
from schema.statements import API_STATEMENTS
from tests.support.editor import write_editor_key
from tests.support.stored_catalog import READY_SECONDS, CatalogProduct, write_catalog

HOST = "127.0.0.1"
START_SECONDS = 10.0
DEFAULTS = ApiSettings()
SESSION_SECRET = "a secret of tests only, of enough characters".replace(" ", "-")


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
    """Serve with these settings, on a free port, until the block ends; closes the ring client.

    Rate limits are off unless the settings name others than the defaults.
    """
    settings = _for_tests(settings or ApiSettings())
    listener = bind(HOST, 0, shared=True)
    port = listener.getsockname()[1]
    stop = asyncio.Event()
    app = build_app(settings, ring=ring, publication=publication)
    ended = asyncio.create_task(serve_until(app, settings, listener, stop))
    # The client asks for nothing that a test does not ask for, and shows bodies as they were sent.
    async with aiohttp.ClientSession(
        f"http://{HOST}:{port}",
        auto_decompress=False,
        skip_auto_headers=("Accept", "Accept-Encoding"),
    ) as client:
        await _wait_for(client, ended)
        try:
            yield RunningApi(port, client, app, stop, ended)
        finally:
            stop.set()
            await ended
            listener.close()


def _for_tests(settings: ApiSettings) -> ApiSettings:
    if settings.votes_per_minute == DEFAULTS.votes_per_minute:
        settings = replace(settings, votes_per_minute=0)
    if settings.posts_per_minute == DEFAULTS.posts_per_minute:
        settings = replace(settings, posts_per_minute=0)
    secret = settings.session_secret or SESSION_SECRET
    return replace(settings, host=HOST, port=0, session_secret=secret)


async def _wait_for(client: aiohttp.ClientSession, ended: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(START_SECONDS):
        while not ended.done():
            with contextlib.suppress(aiohttp.ClientError):
                async with client.get("/healthz") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.01)
    ended.result()


@contextlib.asynccontextmanager
async def running_catalog(
    ring_settings: RingSettings,
    catalog: Iterable[CatalogProduct],
    settings: ApiSettings | None = None,
) -> AsyncIterator[RunningApi]:
    """Write these products, then serve them from the real ring."""
    await write_catalog(ring_settings, catalog)
    ring = await RingClient.open(ring_settings, API_STATEMENTS)
    await ring.wait_ready(READY_SECONDS)
    await write_editor_key(ring)
    async with running_api(ring, settings) as api:
        yield api
