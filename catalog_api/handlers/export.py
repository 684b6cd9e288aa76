"""`GET /v1/products/export`: all products as a stream."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from aiohttp import web
from msgspec import Meta

from catalog_api.answers import (
    NDJSON_TYPE,
    Answer,
    AnswerKind,
    StreamedAnswer,
    unavailable,
)
from catalog_api.domain.errors import ExportBusyError
from catalog_api.domain.export import FORMATS, MOST_PARTS, TABLES, read_export
from catalog_api.domain.products import ProductDocument
from catalog_api.domain.submissions import ItemId
from catalog_api.endpoints import Content, Endpoint, Parameter, Reply, problem_reply
from catalog_api.openapi.examples import DOCUMENT, EXPORTED_CSV
from catalog_api.services.export import ExportService

_NDJSON: Final = AnswerKind(200, NDJSON_TYPE)
_CSV_TYPE: Final = "text/csv; charset=utf-8"
_CSV: Final = AnswerKind(200, _CSV_TYPE)
_RETRY_AFTER_SECONDS: Final = 30
_PART: Final = Annotated[int, Meta(ge=1, le=MOST_PARTS)]

_PARAMETERS: Final = (
    Parameter(
        *("format", "query", Literal.__getitem__(FORMATS), "Documents, or a legacy file"),
        example="csv",
        default=FORMATS[0],
    ),
    Parameter(
        *("table", "query", Literal.__getitem__(TABLES), "Which legacy file; with format csv"),
        example="styles",
    ),
    Parameter("after", "query", ItemId, "Go on behind this product, the last one received whole"),
    Parameter(
        *("part", "query", _PART, "Which of `parts` equal shares; not above these"),
        example=1,
        default=1,
    ),
    Parameter(
        *("parts", "query", _PART, "Into how many shares the catalog is cut"),
        example=2,
        default=1,
    ),
)
_REPLIES: Final = {
    200: Reply(
        "All products, a document or a row a line. CSV begins with a head, unless it goes on after"
        " a product or is a later part.",
        NDJSON_TYPE,
        ProductDocument,
        DOCUMENT,
        headers=("Content-Disposition",),
        also=(Content(_CSV_TYPE, str, EXPORTED_CSV),),
    ),
    400: problem_reply("What is asked for cannot be; the detail says why."),
    503: problem_reply("As many exports as may be are under way.", headers=("Retry-After",)),
}


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
                parameters=_PARAMETERS,
                replies=_REPLIES,
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
