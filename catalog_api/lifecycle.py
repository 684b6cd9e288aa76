"""Cleanup contexts of the application, in the order in which they start; they end in reverse."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Final

from aiohttp import web

from catalog_api.keys import (
    CHANGES,
    DIRECTORY,
    PUBLICATION,
    RECEPTION,
    REVIEW_ORDERS,
    RING,
    SWEEPER,
    WORKER_NAME,
)
from catalog_api.metrics import gather

_logger: Final = logging.getLogger(__name__)
_TICK_SECONDS: Final = 0.25
_PUBLISH_SECONDS: Final = 1.0


async def ring(app: web.Application) -> AsyncIterator[None]:
    """Hold the ring client, which connects by itself for as long as it lives."""
    yield
    await app[RING].aclose()


async def directory(app: web.Application) -> AsyncIterator[None]:
    """Keep the directory of /products fresh."""
    app[DIRECTORY].start()
    yield
    await app[DIRECTORY].aclose()


async def review_orders(app: web.Application) -> AsyncIterator[None]:
    """End what is being read of the orders of reviews."""
    yield
    await app[REVIEW_ORDERS].aclose()


async def changes(app: web.Application) -> AsyncIterator[None]:
    """Finish what others began and left; at the end, what was begun here."""
    async with _running(app[SWEEPER].run(), "sweep of intents"):
        yield
    await app[CHANGES].aclose()


async def clock(app: web.Application) -> AsyncIterator[None]:
    """Keep the Date header right and measure how late the event loop runs."""
    reception = app[RECEPTION]

    async def tick() -> None:
        while True:
            due = time.perf_counter() + _TICK_SECONDS
            await asyncio.sleep(_TICK_SECONDS)
            reception.telemetry.loop_lag.observe(max(0.0, time.perf_counter() - due))
            reception.heads.tick()

    reception.heads.tick()
    async with _running(tick(), "clock"):
        yield


async def access_log(app: web.Application) -> AsyncIterator[None]:
    """Write the access log."""
    async with _running(app[RECEPTION].access_log.run(), "access log"):
        yield


async def publication(app: web.Application) -> AsyncIterator[None]:
    """Publish this worker's figures once a second and at its end."""
    if PUBLICATION not in app:
        yield
        return

    async def publish() -> None:
        figures = gather(app[RECEPTION].telemetry, app[RING])
        try:
            await asyncio.to_thread(app[PUBLICATION].publish, app[WORKER_NAME], figures)
        except OSError:
            # A full disk must not stop the catalog; the figures catch up when there is room.
            _logger.exception("cannot publish figures in %r", app[PUBLICATION])

    async def keep_publishing() -> None:
        while True:
            await publish()
            await asyncio.sleep(_PUBLISH_SECONDS)

    async with _running(keep_publishing(), "publication"):
        yield
    await publish()


@contextlib.asynccontextmanager
async def _running(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
