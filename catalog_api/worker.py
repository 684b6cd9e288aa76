"""One process that answers: ring client, application and socket, from start to graceful stop."""

import asyncio
import gc
import logging
import signal
import socket
from dataclasses import dataclass
from typing import Final

import uvloop
from aiohttp import web

from catalog_api.app import build_app
from catalog_api.keys import RECEPTION
from catalog_api.publication import Publication
from catalog_api.server import LaneRunner
from catalog_api.settings import ApiSettings
from ring.client import RingClient
from ring.settings import RingSettings
from schema.statements import API_STATEMENTS

_logger: Final = logging.getLogger(__name__)
# Requests leave no cycles behind; what start-up built need not be looked through again and again.
_GC_THRESHOLDS: Final = (50_000, 20, 100)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a worker stands among its siblings.

    Attributes:
        name: under which it publishes its figures.
        publication: where.
        lifeline: the read end of a pipe that closes when the supervisor is gone.
    """

    name: str
    publication: Publication
    lifeline: int


def run_worker(
    settings: ApiSettings, ring_settings: RingSettings, listener: socket.socket, place: Placement
) -> None:
    """Answer on this socket until told to stop by SIGTERM, SIGINT or the supervisor's end.

    Raises:
        RingSettingsError: a password or certificate file cannot be read.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, ring_settings, listener, place))


async def _serve(
    settings: ApiSettings, ring_settings: RingSettings, listener: socket.socket, place: Placement
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def orphaned() -> None:
        loop.remove_reader(place.lifeline)
        stop.set()

    loop.add_reader(place.lifeline, orphaned)
    ring = await RingClient.open(ring_settings, API_STATEMENTS)
    app = build_app(settings, ring=ring, publication=place.publication, worker_name=place.name)
    await serve_until(app, settings, listener, stop)


async def serve_until(
    app: web.Application, settings: ApiSettings, listener: socket.socket, stop: asyncio.Event
) -> None:
    """Answer on a bound socket until `stop` is set, then finish what is in flight.

    A stop first turns /readyz to 503 and asks every caller for a new connection, for
    `drain_seconds`; then the port closes, and requests have `shutdown_grace_seconds` to end.
    """
    runner = LaneRunner(app, settings)
    try:
        await runner.setup()
        await web.SockSite(runner, listener, backlog=settings.backlog).start()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        _logger.info("listening on http://%s:%d", *listener.getsockname()[:2])
        await stop.wait()
        app[RECEPTION].heads.drain()
        await asyncio.sleep(settings.drain_seconds)
    finally:
        await runner.cleanup()
        gc.unfreeze()
