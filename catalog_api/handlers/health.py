"""Answers for those who run the server: is it alive, may it be asked, how does it fare."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

import orjson
from aiohttp import web

from catalog_api.answers import (
    JSON_OK,
    METRICS_OK,
    PROMETHEUS_TYPE,
    Answer,
    HeadWriter,
    unavailable,
)
from catalog_api.domain.shapes import Alive, Ready
from catalog_api.endpoints import Endpoint, Reply, json_reply, problem_reply
from catalog_api.figures import Figures
from catalog_api.metrics import gather, render
from catalog_api.publication import Publication
from catalog_api.repositories.rows import RowSource
from catalog_api.telemetry import RequestTelemetry
from ring.errors import RingError
from schema.statements.products import SELECT_DIRECTORY

_logger: Final = logging.getLogger(__name__)
_ALIVE: Final = orjson.dumps({"status": "alive"})
_READY: Final = orjson.dumps({"status": "ready"})


class HealthHandler:
    """Answers /healthz, /readyz and /metrics.

    Args:
        rows: asked whether Cassandra can be read.
        heads: knows whether the process is about to stop.
        telemetry: this process's figures.
        publication: where all workers leave theirs; None for a process that stands alone.
        worker_name: this process's name there.
        readiness_seconds: deadline of the read behind /readyz.
    """

    def __init__(
        self,
        rows: RowSource,
        heads: HeadWriter,
        telemetry: RequestTelemetry,
        *,
        publication: Publication | None,
        worker_name: str,
        readiness_seconds: float,
    ) -> None:
        self._rows = rows
        self._heads = heads
        self._telemetry = telemetry
        self._publication = publication
        self._worker_name = worker_name
        self._readiness_seconds = readiness_seconds

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoints for those who run the server."""
        return [
            Endpoint(
                "GET",
                "/healthz",
                self._alive,
                "Does it live",
                "operations",
                replies={200: json_reply("The process answers.", Alive, {"status": "alive"})},
                legacy=False,
            ),
            Endpoint(
                "GET",
                "/readyz",
                self._ready,
                "Can Cassandra be read",
                "operations",
                replies={
                    200: json_reply("It may be asked.", Ready, {"status": "ready"}),
                    503: problem_reply(
                        "Cassandra cannot be read, or the server is about to stop.",
                        headers=("Retry-After",),
                    ),
                },
                legacy=False,
            ),
            Endpoint(
                "GET",
                "/metrics",
                self._metrics,
                "Prometheus figures",
                "operations",
                replies={
                    200: Reply(
                        "Of all workers of the port, in Prometheus' text format.",
                        PROMETHEUS_TYPE,
                        str,
                    )
                },
                legacy=False,
            ),
        ]

    async def _alive(self, _request: web.Request) -> Answer:
        """Answer 200 as long as the process answers at all."""
        return Answer(JSON_OK, _ALIVE)

    async def _ready(self, _request: web.Request) -> Answer:
        """Answer 200 when Cassandra can be read, else 503; 503 too once a stop has begun."""
        if self._heads.draining:
            return unavailable("The server is about to stop.", 1)
        try:
            async with asyncio.timeout(self._readiness_seconds):
                await self._rows.execute(
                    SELECT_DIRECTORY.name, (), timeout_seconds=self._readiness_seconds
                )
        except (RingError, TimeoutError):
            return unavailable("Cassandra cannot be read.", 1)
        return Answer(JSON_OK, _READY)

    async def _metrics(self, _request: web.Request) -> Answer:
        """Answer the figures of all workers in Prometheus' text format."""
        own = gather(self._telemetry, self._rows)
        # The files are small, but a disk may stall: not on the loop.
        try:
            text = await asyncio.to_thread(self._render, own)
        except OSError:
            _logger.exception("cannot add up the workers' figures")
            return unavailable("The workers' figures cannot be read.", 1)
        return Answer(METRICS_OK, text)

    def _render(self, own: Figures) -> bytes:
        if self._publication is None:
            return render(own)
        # Published before it is told: the next worker asked will not know less.
        self._publication.publish(self._worker_name, own)
        return render(self._publication.total())
