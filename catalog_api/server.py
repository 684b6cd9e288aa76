"""aiohttp's server with our connections: fast lane first, then edge, then application."""

from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from catalog_api.edge import Edge
from catalog_api.keys import EDGE, LANE
from catalog_api.lane import FastLane, LaneProtocol
from catalog_api.settings import ApiSettings

# A body that nobody reads is read away for this long, so that the answer arrives before the reset.
_LINGERING_SECONDS = 2.0


class LaneServer(web.Server):
    """Makes a `LaneProtocol` for each connection."""

    def __init__(
        self, application: web.Server, *, lane: FastLane, edge: Edge, **options: Any
    ) -> None:
        super().__init__(
            edge.around(application.request_handler),
            request_factory=application.request_factory,
        )
        self._lane = lane
        self._edge = edge
        self._options = options

    def __call__(self) -> RequestHandler:
        """Return the protocol of a new connection."""
        return LaneProtocol(
            self, lane=self._lane, edge=self._edge, loop=self._loop, **self._options
        )


class LaneRunner(web.AppRunner):
    """Starts and stops the application behind a `LaneServer`."""

    def __init__(self, app: web.Application, settings: ApiSettings) -> None:
        super().__init__(app, shutdown_timeout=settings.shutdown_grace_seconds, access_log=None)
        self._settings = settings

    async def _make_server(self) -> web.Server:
        return LaneServer(
            await super()._make_server(),
            lane=self.app[LANE],
            edge=self.app[EDGE],
            keepalive_timeout=self._settings.keepalive_seconds,
            lingering_time=_LINGERING_SECONDS,
            access_log=None,
        )
