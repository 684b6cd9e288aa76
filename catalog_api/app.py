"""The application: the one place where its parts meet, with `parts.py`."""

from aiohttp import web

from catalog_api import keys, lifecycle
from catalog_api.edge import Edge
from catalog_api.endpoints import Endpoint
from catalog_api.handlers.bulk_read import BulkReadHandler
from catalog_api.handlers.bulk_write import BulkWriteHandler
from catalog_api.handlers.catalog import CatalogHandler
from catalog_api.handlers.description import DescriptionHandler
from catalog_api.handlers.documents import DocumentForms
from catalog_api.handlers.health import HealthHandler
from catalog_api.handlers.products import ProductsHandler
from catalog_api.idempotency import Idempotent
from catalog_api.lane import FastLane
from catalog_api.parts import Parts, build_reception
from catalog_api.publication import Publication
from catalog_api.repositories.rows import RowSource
from catalog_api.routes import add_routes
from catalog_api.settings import ApiSettings


def build_app(
    settings: ApiSettings,
    *,
    ring: RowSource,
    publication: Publication | None = None,
    worker_name: str = "worker",
) -> web.Application:
    """Return the application around a ring client, which it closes at its end.

    Args:
        settings: as documented there.
        ring: the ring client; it need not be connected yet.
        publication: where the workers of this port leave their figures; None when there is one.
        worker_name: this worker's name there.
    """
    reception = build_reception(settings)
    parts = Parts(settings, ring)
    orders, (changes, sweeper) = parts.review_orders(), parts.changes()
    idempotency, service = parts.idempotency(), parts.catalog(changes)
    idempotent = Idempotent(idempotency, body_seconds=settings.request_deadline_seconds)
    products = ProductsHandler(parts.products, parts.forms, max_page_rows=settings.max_page_rows)
    reviews, questions = parts.reviews(orders), parts.questions()
    documents = DocumentForms(parts.encoder)
    health = HealthHandler(
        ring,
        reception.heads,
        reception.telemetry,
        publication=publication,
        worker_name=worker_name,
        readiness_seconds=settings.readiness_deadline_seconds,
    )
    handlers = (
        *(products, reviews, questions, parts.cart(), parts.interactions()),
        CatalogHandler(
            service,
            documents,
            idempotent,
            body_seconds=settings.request_deadline_seconds,
            guard=parts.guard.editor,
        ),
        BulkReadHandler(parts.products, documents, max_ids=settings.max_bulk_ids),
        BulkWriteHandler(
            service,
            idempotency,
            rows_at_once=settings.bulk_write_rows,
            max_row_bytes=settings.max_body_bytes,
            idle_seconds=settings.bulk_idle_seconds,
            row_seconds=settings.request_deadline_seconds,
            guard=parts.guard.editor,
        ),
        parts.find(documents),
        parts.export(),
        health,
    )
    endpoints = [
        _repeatable(endpoint, idempotent)
        for handler in handlers
        for endpoint in handler.endpoints()
    ]
    description = DescriptionHandler(endpoints, parts.forms, mount=settings.mount)
    app = web.Application(client_max_size=settings.max_body_bytes)
    routes = add_routes(app, [*endpoints, *description.endpoints()], mount=settings.mount)
    app[keys.RING] = ring
    app[keys.DIRECTORY] = parts.directory
    app[keys.REVIEW_ORDERS] = orders
    app[keys.CHANGES] = changes
    app[keys.SWEEPER] = sweeper
    app[keys.RECEPTION] = reception
    app[keys.WORKER_NAME] = worker_name
    if publication is not None:
        app[keys.PUBLICATION] = publication
    app[keys.LANE] = FastLane(
        mount=settings.mount,
        reads=(*products.lane_reads(), *reviews.lane_reads(), *questions.lane_reads()),
        reception=reception,
    )
    app[keys.EDGE] = Edge(
        routes,
        reception=reception,
        max_body_bytes=settings.max_body_bytes,
        streams=frozenset(endpoint.path for endpoint in endpoints if endpoint.streams),
    )
    app.cleanup_ctx.extend(
        [
            lifecycle.ring,
            lifecycle.directory,
            lifecycle.review_orders,
            lifecycle.changes,
            lifecycle.clock,
            lifecycle.access_log,
            lifecycle.publication,
        ]
    )
    return app


def _repeatable(endpoint: Endpoint, idempotent: Idempotent) -> Endpoint:
    """Legacy POSTs know nothing of keys themselves; the others place the key behind their guard."""
    if endpoint.method != "POST" or not endpoint.legacy:
        return endpoint
    return idempotent.repeatable(endpoint)
