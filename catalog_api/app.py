"""The application: the one place where its parts meet."""

import os
import sys
from dataclasses import replace

from aiohttp import web

from catalog_api import keys, lifecycle
from catalog_api.access_log import AccessLog
from catalog_api.answers import HeadWriter
from catalog_api.domain.page_tokens import PageTokens
from catalog_api.edge import Edge
from catalog_api.encoding import Encoder
from catalog_api.handlers.bulk_read import BulkReadHandler
from catalog_api.handlers.bulk_write import BulkWriteHandler
from catalog_api.handlers.catalog import CatalogHandler
from catalog_api.handlers.documents import DocumentForms
from catalog_api.handlers.export import ExportHandler
from catalog_api.handlers.find import FindHandler
from catalog_api.handlers.health import HealthHandler
from catalog_api.handlers.legacy import LegacyForms
from catalog_api.handlers.products import ProductsHandler
from catalog_api.handlers.questions import QuestionsHandler
from catalog_api.handlers.reviews import ReviewsHandler
from catalog_api.idempotency import Idempotent
from catalog_api.lane import FastLane
from catalog_api.publication import Publication
from catalog_api.reception import Reception
from catalog_api.repositories.directory import DirectoryCache
from catalog_api.repositories.find import FindRepository
from catalog_api.repositories.find_entries import FindEntriesRepository
from catalog_api.repositories.idempotency import IdempotencyRepository
from catalog_api.repositories.ids import IdAllocator
from catalog_api.repositories.intents import IntentsRepository
from catalog_api.repositories.listing import ListingRepository
from catalog_api.repositories.product_rows import ProductRowsRepository
from catalog_api.repositories.product_scan import ProductScan
from catalog_api.repositories.products import ProductsRepository
from catalog_api.repositories.questions import QuestionsRepository
from catalog_api.repositories.reviews import ReviewsRepository
from catalog_api.repositories.rows import RowSource
from catalog_api.repositories.votes import VotesRepository
from catalog_api.request_ids import RequestIds
from catalog_api.routes import add_routes
from catalog_api.services.catalog import CatalogService
from catalog_api.services.export import ExportService
from catalog_api.services.find import FindService
from catalog_api.services.find_view import FindView
from catalog_api.services.idempotency import Idempotency
from catalog_api.services.intents import IntentSweeper
from catalog_api.services.listing import ProductListing
from catalog_api.services.new_ids import ProductIds
from catalog_api.services.product_changes import ProductChanges
from catalog_api.services.questions import QuestionIds, QuestionsService
from catalog_api.services.review_meta import ReviewMeta
from catalog_api.services.review_orders import ReviewOrders
from catalog_api.services.reviews import ReviewIds, ReviewsService
from catalog_api.services.votes import VoteCounter
from catalog_api.settings import ApiSettings
from catalog_api.telemetry import RequestTelemetry


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
    reception = _build_reception(settings)
    deadline_seconds = settings.request_deadline_seconds
    directory = DirectoryCache(
        ring,
        refresh_seconds=settings.directory_refresh_seconds,
        timeout_seconds=deadline_seconds,
    )
    repository = ProductsRepository(
        ring,
        directory,
        timeout_seconds=deadline_seconds,
        parallel_reads=settings.parallel_block_reads,
    )
    encoder = Encoder(
        compress_min_bytes=settings.compress_min_bytes, deadline_seconds=deadline_seconds
    )
    forms = LegacyForms(encoder, profile=settings.profile)
    products = ProductsHandler(repository, forms, max_page_rows=settings.max_page_rows)
    votes = VoteCounter(
        VotesRepository(ring, timeout_seconds=deadline_seconds), deadline_seconds=deadline_seconds
    )
    stored_reviews = ReviewsRepository(ring, timeout_seconds=deadline_seconds)
    orders = ReviewOrders(
        stored_reviews,
        max_rows=settings.review_order_rows,
        refresh_seconds=settings.review_refresh_seconds,
        deadline_seconds=deadline_seconds,
    )
    reviews = ReviewsHandler(
        ReviewsService(
            stored_reviews,
            repository,
            orders=orders,
            meta=ReviewMeta(stored_reviews, refresh_seconds=settings.review_refresh_seconds),
            votes=votes,
            ids=ReviewIds(
                *_ids(settings, ring, "reviews", "review_photos", "characteristic_reviews")
            ),
        ),
        forms,
        max_page_rows=settings.max_page_rows,
        body_seconds=deadline_seconds,
    )
    questions = QuestionsHandler(
        QuestionsService(
            QuestionsRepository(ring, timeout_seconds=deadline_seconds),
            repository,
            votes=votes,
            ids=QuestionIds(*_ids(settings, ring, "questions", "answers", "answer_photos")),
        ),
        forms,
        max_page_rows=settings.max_page_rows,
        body_seconds=deadline_seconds,
    )
    changes, sweeper = _build_changes(settings, ring)
    documents = DocumentForms(encoder)
    find = _build_find(settings, ring, documents)
    export = ExportHandler(
        ExportService(
            ProductScan(ring, timeout_seconds=deadline_seconds),
            most=settings.exports,
            share=settings.export_share,
        ),
        stall_seconds=settings.export_stall_seconds,
    )
    idempotency = Idempotency(
        IdempotencyRepository(ring, timeout_seconds=deadline_seconds),
        lease_seconds=settings.idempotency_lease_seconds,
    )
    idempotent = Idempotent(idempotency, body_seconds=deadline_seconds)
    service = _build_catalog(settings, ring, changes)
    catalog = CatalogHandler(service, documents, idempotent, body_seconds=deadline_seconds)
    bulk_write = BulkWriteHandler(
        service,
        idempotency,
        rows_at_once=settings.bulk_write_rows,
        max_row_bytes=settings.max_body_bytes,
        idle_seconds=settings.bulk_idle_seconds,
        row_seconds=deadline_seconds,
    )
    bulk = BulkReadHandler(repository, documents, max_ids=settings.max_bulk_ids)
    health = HealthHandler(
        ring,
        reception.heads,
        reception.telemetry,
        publication=publication,
        worker_name=worker_name,
        readiness_seconds=settings.readiness_deadline_seconds,
    )
    app = web.Application(client_max_size=settings.max_body_bytes)
    handlers = (products, reviews, questions, catalog, bulk, bulk_write, find, export, health)
    endpoints = [
        replace(endpoint, handle=idempotent.wrap(endpoint.handle))
        if endpoint.method == "POST" and endpoint.legacy
        else endpoint
        for handler in handlers
        for endpoint in handler.endpoints()
    ]
    routes = add_routes(app, endpoints, mount=settings.mount)
    app[keys.RING] = ring
    app[keys.DIRECTORY] = directory
    app[keys.CHANGES] = changes
    app[keys.SWEEPER] = sweeper
    app[keys.REVIEW_ORDERS] = orders
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
            lifecycle.changes,
            lifecycle.review_orders,
            lifecycle.clock,
            lifecycle.access_log,
            lifecycle.publication,
        ]
    )
    return app


def _build_find(settings: ApiSettings, ring: RowSource, forms: DocumentForms) -> FindHandler:
    service = FindService(
        FindRepository(ring, timeout_seconds=settings.request_deadline_seconds),
        budget_rows=settings.find_budget_rows,
        budget_seconds=settings.find_budget_seconds,
    )
    tokens = PageTokens(settings.session_secret.split())
    return FindHandler(service, tokens, forms, max_rows=settings.find_page_rows)


def _build_changes(settings: ApiSettings, ring: RowSource) -> tuple[ProductChanges, IntentSweeper]:
    """Return the one way to change a product, with all that is derived from products."""
    seconds = settings.request_deadline_seconds
    intents = IntentsRepository(ring, timeout_seconds=seconds)
    listing = ProductListing(
        ListingRepository(ring, timeout_seconds=seconds), deadline_seconds=seconds
    )
    changes = ProductChanges(
        ProductRowsRepository(ring, timeout_seconds=seconds),
        intents,
        views=[listing, FindView(FindEntriesRepository(ring, timeout_seconds=seconds))],
        deadline_seconds=seconds,
    )
    return changes, IntentSweeper(intents, changes, after_seconds=settings.intent_seconds)


def _build_catalog(
    settings: ApiSettings, ring: RowSource, changes: ProductChanges
) -> CatalogService:
    kinds = ("products", "styles", "skus", "features", "photos", "related")
    return CatalogService(
        ProductRowsRepository(ring, timeout_seconds=settings.request_deadline_seconds),
        changes,
        ids=ProductIds(*_ids(settings, ring, *kinds)),
    )


def _ids(settings: ApiSettings, ring: RowSource, *kinds: str) -> list[IdAllocator]:
    seconds = settings.request_deadline_seconds
    return [IdAllocator(ring, kind, timeout_seconds=seconds) for kind in kinds]


def _build_reception(settings: ApiSettings) -> Reception:
    telemetry = RequestTelemetry()
    return Reception(
        heads=HeadWriter(
            cache_control=settings.cache_control, allowed_origins=settings.allowed_origins
        ),
        request_ids=RequestIds(),
        telemetry=telemetry,
        access_log=AccessLog(
            sample=settings.log_sample, write=_write_to_stdout, telemetry=telemetry
        ),
        deadline_seconds=settings.request_deadline_seconds,
    )


def _write_to_stdout(lines: bytes) -> None:
    """Write whole lines past Python's buffers, so that lines of two workers do not mix."""
    rest = memoryview(lines)
    while rest:
        rest = rest[os.write(sys.stdout.fileno(), rest) :]
