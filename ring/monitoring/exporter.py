"""`catalog-ring exporter`: the ring's health as a page for Prometheus."""

import asyncio
import json
import logging
import signal
import time
from collections.abc import Callable
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST

from ring.hosts.hosts import Hosts
from ring.monitoring.exposition import render
from ring.monitoring.gathering import Gatherer
from ring.monitoring.listener import Listener, Page
from ring.monitoring.settings import ExporterSettings
from ring.nodes.errors import PortTakenError
from ring.settings import RingSettings

_LOG: Final = logging.getLogger("ring.monitoring")


async def serve(
    settings: ExporterSettings,
    ring_settings: RingSettings,
    hosts: Hosts,
    *,
    say: Callable[[str], None],
) -> None:
    """Answer scrapers until SIGTERM or SIGINT; who is being answered then gets the whole answer.

    Raises:
        PortTakenError: nothing can listen there.
        RingSettingsError: a password or certificate file cannot be read.
    """
    gatherer = Gatherer(settings, ring_settings, hosts)
    pages = _Pages(gatherer, hosts.inventory.app_port)
    listener = Listener(
        {
            "/metrics": pages.metrics,
            "/app-servers": pages.app_servers,
            "/healthz": pages.health,
        }
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    address = settings.exporter_address
    try:
        port = await listener.start(address, settings.exporter_port)
    except OSError as error:
        raise PortTakenError(
            f"the exporter cannot listen on {address}:{settings.exporter_port}: {error}",
            advice="Stop what listens there, or set CATALOG_EXPORTER_PORT.",
        ) from error
    try:
        say(f"figures: http://{address}:{port}/metrics")
        await stop.wait()
    finally:
        await listener.aclose(timeout_seconds=settings.exporter_deadline_seconds)
        await gatherer.aclose()
        await hosts.aclose()


class _Pages:
    """What the exporter answers, by what is asked."""

    def __init__(self, gatherer: Gatherer, app_port: int) -> None:
        self._gatherer = gatherer
        self._app_port = app_port

    async def metrics(self) -> Page:
        """All figures, for a Prometheus."""
        began = time.monotonic()
        picture = await self._gatherer.read()
        body = render(picture, read_seconds=time.monotonic() - began)
        return Page(body, CONTENT_TYPE_LATEST)

    async def app_servers(self) -> Page:
        """The app servers of the ring's nodes, for a Prometheus' `http_sd_configs`.

        With the ring unseen this fails, and a Prometheus keeps the targets that it has.
        """
        view = (await self._gatherer.read()).view
        if view is None:
            return Page(b"no node tells of the ring\n", status=503)
        targets = [f"{node.address}:{self._app_port}" for node in view.members]
        return Page(json.dumps([{"targets": targets}]).encode(), "application/json")

    async def health(self) -> Page:
        """Whether the exporter itself lives."""
        return Page(b"ok\n")
