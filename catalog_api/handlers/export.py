"""`GET /v1/products/export`: all products as a stream."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from catalog_api.answers import NDJSON_TYPE, Answer, AnswerKind, StreamedAnswer, unavailable
from catalog_api.domain.errors import ExportBusyError
from catalog_api.domain.export import read_export
from catalog_api.endpoints import Endpoint
from catalog_api.services.export import ExportService

_NDJSON: Final = AnswerKind(200, NDJSON_TYPE)
_CSV: Final = AnswerKind(200, "text/csv; charset=utf-8")
_RETRY_AFTER_SECONDS: Final = 30


class ExportHandler:
    """Answers exports.

    Args:
        exports: gives them out.
        stall_seconds: longest that a caller may read nothing.
    """

    def __init__(self, exports: ExportService, *, stall_seconds: float) -> None:
        self._exports = exports
        self._stall_seconds = stall_seconds

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoint of exports."""
        return [
            Endpoint(
                "GET",
                "/v1/products/export",
                self._answer,
                "All products as a stream",
                "catalog",
                legacy=False,
            )
        ]

    async def _answer(self, request: web.Request) -> Answer:
        """Return a stream, or 503 while another one is under way.

        Raises:
            BadRequestError: what is asked for cannot be.
            RingError: too few replicas answered in time.
        """
        wanted = read_export(request.query.items())
        try:
            export = await self._exports.open(wanted)
        except ExportBusyError as error:
            return unavailable(str(error), _RETRY_AFTER_SECONDS)
        # A proxy that kept pieces back would read faster than the caller does.
        lines = "X-Accel-Buffering: no\r\n"
        if wanted.table:
            lines += f'Content-Disposition: attachment; filename="{wanted.table}.csv"\r\n'
        return StreamedAnswer(
            _CSV if wanted.table else _NDJSON,
            headers=lines,
            chunks=export,
            stall_seconds=self._stall_seconds,
        )
