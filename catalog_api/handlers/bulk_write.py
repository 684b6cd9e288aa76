"""Bulk writes: NDJSON in, one outcome a row out, while rows still come."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Final
from weakref import WeakValueDictionary

import msgspec
from aiohttp import web

from catalog_api.answers import (
    NDJSON_TYPE,
    Answer,
    AnswerKind,
    StreamedAnswer,
    problem,
)
from catalog_api.bodies import check, decode_json
from catalog_api.domain.api_key import Role
from catalog_api.domain.errors import UnsupportedTypeError
from catalog_api.domain.preconditions import NO_PRECONDITION
from catalog_api.domain.products import ProductDocument
from catalog_api.domain.shapes import Id, Problem
from catalog_api.endpoints import Endpoint, Reply, problem_reply
from catalog_api.failures import answer_failure
from catalog_api.handlers.documents import Guard, unguarded
from catalog_api.idempotency import IDEMPOTENCY_PARAMETER, hash_of, read_key, scope_of
from catalog_api.lines import Line, read_lines
from catalog_api.openapi.examples import NEW_DOCUMENT, ROW_OUTCOME
from catalog_api.repositories.idempotency import StoredAnswer
from catalog_api.services.catalog import CatalogService
from catalog_api.services.idempotency import Idempotency
from catalog_api.services.in_order import in_order

PATH: Final = "/v1/products/bulk"
_ACCEPTED: Final = (NDJSON_TYPE, "application/ndjson", "application/jsonl")
_STREAM: Final = AnswerKind(200, NDJSON_TYPE)


class RowOutcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of one row.

    Attributes:
        line: of the body, from 1.
        id: of the product; null when nothing was stored.
        status: as a request of its own would have been answered.
        etag: of the product as it is now.
        replayed: the row had been stored before, by the same Idempotency-Key.
        problem: why nothing was stored (RFC 9457).
    """

    line: Annotated[int, msgspec.Meta(ge=1)]
    id: Id | None
    status: Annotated[int, msgspec.Meta(ge=200, le=599)]
    etag: str | None = None
    replayed: bool = False
    problem: Problem | None = None


class BulkWriteHandler:
    """Answers bulk writes.

    A row with an id creates or replaces that product, one without creates a new one. Rows of one id
    are stored in their order.

    Args:
        catalog: stores products.
        idempotency: remembers rows that were sent with a key.
        rows_at_once: most rows of one request that are worked on.
        max_row_bytes: longest row.
        idle_seconds: longest that a caller may send nothing.
        row_seconds: longest that one row may take.
        guard: lets only those in who may change the catalog.
    """

    def __init__(
        self,
        catalog: CatalogService,
        idempotency: Idempotency,
        *,
        rows_at_once: int,
        max_row_bytes: int,
        idle_seconds: float,
        row_seconds: float,
        guard: Guard = unguarded,
    ) -> None:
        self._catalog = catalog
        self._idempotency = idempotency
        self._rows_at_once = rows_at_once
        self._max_row_bytes = max_row_bytes
        self._idle_seconds = idle_seconds
        self._row_seconds = row_seconds
        self._guard = guard

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoint."""
        return [
            Endpoint(
                *("POST", PATH, self._guard(self._post)),
                *("Create or replace many products, one a line", "catalog"),
                parameters=[IDEMPOTENCY_PARAMETER],
                body=ProductDocument,
                body_types=(NDJSON_TYPE,),
                body_example=NEW_DOCUMENT,
                role=Role.EDITOR.value,
                description="Each line of the body is a product; each line of the answer is what"
                " became of one, in their order, while more may still come.",
                replies={
                    200: Reply(
                        "An outcome a row, in their order", NDJSON_TYPE, RowOutcome, ROW_OUTCOME
                    ),
                    415: problem_reply("The body is no NDJSON."),
                },
                legacy=False,
                streams=True,
            )
        ]

    async def _post(self, request: web.Request) -> Answer:
        if request.content_type not in _ACCEPTED:
            raise UnsupportedTypeError((NDJSON_TYPE,))
        key = read_key(request)
        rows = _Rows(
            self._catalog,
            self._idempotency,
            scope=None if key is None else scope_of(request, key),
            seconds=self._row_seconds,
        )
        return StreamedAnswer(_STREAM, chunks=self._outcomes(request, rows))

    async def _outcomes(self, request: web.Request, rows: "_Rows") -> AsyncGenerator[bytes, None]:
        lines = read_lines(request, max_bytes=self._max_row_bytes, idle_seconds=self._idle_seconds)
        try:
            async for outcome in in_order(lines, rows.store, width=self._rows_at_once):
                yield msgspec.json.encode(outcome) + b"\n"
        except TimeoutError:
            detail = f"Nothing came for {self._idle_seconds:g} s."
            yield msgspec.json.encode(_refused(rows.last + 1, problem(408, detail))) + b"\n"


class _Rows:
    """The rows of one request.

    Attributes:
        last: the number of the last one that was begun.
    """

    def __init__(
        self,
        catalog: CatalogService,
        idempotency: Idempotency,
        *,
        scope: str | None,
        seconds: float,
    ) -> None:
        self._catalog = catalog
        self._idempotency = idempotency
        self._scope = scope
        self._seconds = seconds
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self.last = 0

    async def store(self, line: Line) -> RowOutcome:
        """Store one row. Never raises but when cancelled."""
        self.last = line.number
        try:
            if line.data is None:
                return _refused(line.number, problem(413, "The row is too long."))
            document = check(decode_json(line.data), ProductDocument)
            return await self._store_document(line, document)
        except Exception as error:  # noqa: BLE001 - a bad row never ends the others
            return _refused(line.number, answer_failure(error, f"of line {line.number}"))

    async def _store_document(self, line: Line, document: ProductDocument) -> RowOutcome:
        lock = asyncio.Lock()
        if document.id is not None:
            # Whoever waits for a lock comes in the order of the rows.
            lock = self._locks.setdefault(document.id, lock)
        # A row's time begins with its turn.
        async with lock, asyncio.timeout(self._seconds):
            if self._scope is None:
                stored, replayed = await self._save(document), False
            else:
                stored, replayed = await self._idempotency.run(
                    hash_of(self._scope, str(line.number)),
                    hash_of(line.data or b""),
                    lambda: self._save(document),
                )
        product_id = int(stored.body)
        return RowOutcome(line.number, product_id, stored.status, stored.etag, replayed)

    async def _save(self, document: ProductDocument) -> StoredAnswer:
        """Return status, entity tag and, as the body, the product's id."""
        if document.id is None:
            saved = await self._catalog.create(document)
        else:
            saved = await self._catalog.replace(document.id, document, NO_PRECONDITION)
        body = b"%d" % (saved.document.id or 0)
        return StoredAnswer(201 if saved.is_new else 200, None, saved.etag, "", body)


def _refused(number: int, answer: Answer) -> RowOutcome:
    """Return the outcome of a row that would have got this problem."""
    told = msgspec.json.decode(answer.body, type=Problem)
    return RowOutcome(number, None, answer.kind.status, problem=told)
