"""The application: the one place where its parts meet."""

import os
import sys
from typing import Final

from aiohttp import web

from catalog_api import keys, lifecycle
from catalog_api.access_log import AccessLog
from catalog_api.answers import HeadWriter
from catalog_api.callers import Callers
from catalog_api.edge import Edge
from catalog_api.encoding import Encoder
from catalog_api.guards import Guard
from catalog_api.handlers.cart import CartHandler
from catalog_api.handlers.description import DescriptionHandler
from catalog_api.handlers.health import HealthHandler
from catalog_api.handlers.interactions import InteractionsHandler
from catalog_api.handlers.legacy import LegacyForms
from catalog_api.handlers.products import ProductsHandler
from catalog_api.handlers.questions import QuestionsHandler
from catalog_api.handlers.reviews import ReviewsHandler
from catalog_api.lane import FastLane
from catalog_api.publication import Publication
from catalog_api.reception import Reception
from catalog_api.repositories.api_keys import ApiKeysRepository
from catalog_api.repositories.carts import CartsRepository
from catalog_api.repositories.directory import DirectoryCache
from catalog_api.repositories.ids import IdAllocator
from catalog_api.repositories.interactions import InteractionsRepository
from catalog_api.repositories.limits import LimitsRepository
from catalog_api.repositories.products import ProductsRepository
from catalog_api.repositories.questions import QuestionsRepository
from catalog_api.repositories.reviews import ReviewsRepository
from catalog_api.repositories.rows import RowSource
from catalog_api.repositories.votes import VotesRepository
from catalog_api.request_ids import RequestIds
from catalog_api.routes import add_routes
from catalog_api.services.api_keys import ApiKeys
from catalog_api.services.limits import RateLimiter
from catalog_api.services.questions import QuestionIds, QuestionsService
from catalog_api.services.review_meta import ReviewMeta
from catalog_api.services.review_orders import ReviewOrders
from catalog_api.services.reviews import ReviewIds, ReviewsService
from catalog_api.services.votes import VoteCounter
from catalog_api.sessions import Sessions
from catalog_api.settings import ApiSettings
from catalog_api.telemetry import RequestTelemetry

DAY_SECONDS: Final = 86_400


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
    callers = Callers(settings.trusted_networks)
    guard = _build_guard(settings, ring, callers)
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
        guard,
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
        guard,
        max_page_rows=settings.max_page_rows,
        body_seconds=deadline_seconds,
    )
    health = HealthHandler(
        ring,
        reception.heads,
        reception.telemetry,
        publication=publication,
        worker_name=worker_name,
        readiness_seconds=settings.readiness_deadline_seconds,
    )
    app = web.Application(client_max_size=settings.max_body_bytes)
    handlers = (
        *(products, reviews, questions, health),
        *(_build_cart(settings, ring, callers, forms), _build_interactions(settings, ring)),
    )
    endpoints = [endpoint for handler in handlers for endpoint in handler.endpoints()]
    description = DescriptionHandler(endpoints, forms, mount=settings.mount)
    routes = add_routes(app, [*endpoints, *description.endpoints()], mount=settings.mount)
    app[keys.RING] = ring
    app[keys.DIRECTORY] = directory
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
    app[keys.EDGE] = Edge(routes, reception=reception, max_body_bytes=settings.max_body_bytes)
    app.cleanup_ctx.extend(
        [
            lifecycle.ring,
            lifecycle.directory,
            lifecycle.review_orders,
            lifecycle.clock,
            lifecycle.access_log,
            lifecycle.publication,
        ]
    )
    return app


def _build_guard(settings: ApiSettings, ring: RowSource, callers: Callers) -> Guard:
    seconds = settings.request_deadline_seconds
    return Guard(
        callers,
        RateLimiter(LimitsRepository(ring, timeout_seconds=seconds), deadline_seconds=seconds),
        ApiKeys(ApiKeysRepository(ring, timeout_seconds=seconds)),
        votes_per_minute=settings.votes_per_minute,
        posts_per_minute=settings.posts_per_minute,
    )


def _build_cart(
    settings: ApiSettings, ring: RowSource, callers: Callers, forms: LegacyForms
) -> CartHandler:
    seconds = settings.request_deadline_seconds
    return CartHandler(
        CartsRepository(
            ring, lifetime_seconds=settings.cart_days * DAY_SECONDS, timeout_seconds=seconds
        ),
        Sessions(
            settings.session_secret.split(), lifetime_seconds=settings.session_days * DAY_SECONDS
        ),
        callers,
        forms,
        max_posts=settings.max_cart_posts,
        body_seconds=seconds,
    )


def _build_interactions(settings: ApiSettings, ring: RowSource) -> InteractionsHandler:
    seconds = settings.request_deadline_seconds
    return InteractionsHandler(
        InteractionsRepository(
            ring, lifetime_seconds=settings.interaction_days * DAY_SECONDS, timeout_seconds=seconds
        ),
        body_seconds=seconds,
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
