"""The parts of the application, each put together from what it needs; `app.py` joins them."""

import os
import sys
from typing import Final

from catalog_api.access_log import AccessLog
from catalog_api.answers import HeadWriter
from catalog_api.callers import Callers
from catalog_api.domain.page_tokens import PageTokens
from catalog_api.encoding import Encoder
from catalog_api.guards import Guard
from catalog_api.handlers.cart import CartHandler
from catalog_api.handlers.documents import DocumentForms
from catalog_api.handlers.export import ExportHandler
from catalog_api.handlers.find import FindHandler
from catalog_api.handlers.interactions import InteractionsHandler
from catalog_api.handlers.legacy import LegacyForms
from catalog_api.handlers.questions import QuestionsHandler
from catalog_api.handlers.reviews import ReviewsHandler
from catalog_api.reception import Reception
from catalog_api.repositories.api_keys import ApiKeysRepository
from catalog_api.repositories.carts import CartsRepository
from catalog_api.repositories.directory import DirectoryCache
from catalog_api.repositories.find import FindRepository
from catalog_api.repositories.find_entries import FindEntriesRepository
from catalog_api.repositories.idempotency import IdempotencyRepository
from catalog_api.repositories.ids import IdAllocator
from catalog_api.repositories.intents import IntentsRepository
from catalog_api.repositories.interactions import InteractionsRepository
from catalog_api.repositories.limits import LimitsRepository
from catalog_api.repositories.listing import ListingRepository
from catalog_api.repositories.product_rows import ProductRowsRepository
from catalog_api.repositories.product_scan import ProductScan
from catalog_api.repositories.products import ProductsRepository
from catalog_api.repositories.questions import QuestionsRepository
from catalog_api.repositories.reviews import ReviewsRepository
from catalog_api.repositories.rows import RowSource
from catalog_api.repositories.votes import VotesRepository
from catalog_api.request_ids import RequestIds
from catalog_api.services.api_keys import ApiKeys
from catalog_api.services.catalog import CatalogService
from catalog_api.services.export import ExportService
from catalog_api.services.find import FindService
from catalog_api.services.find_view import FindView
from catalog_api.services.idempotency import Idempotency
from catalog_api.services.intents import IntentSweeper
from catalog_api.services.limits import RateLimiter
from catalog_api.services.listing import ProductListing
from catalog_api.services.new_ids import ProductIds
from catalog_api.services.product_changes import ProductChanges
from catalog_api.services.questions import QuestionIds, QuestionsService
from catalog_api.services.review_meta import ReviewMeta
from catalog_api.services.review_orders import ReviewOrders
from catalog_api.services.reviews import ReviewIds, ReviewsService
from catalog_api.services.votes import VoteCounter
from catalog_api.sessions import Sessions
from catalog_api.settings import ApiSettings
from catalog_api.telemetry import RequestTelemetry

DAY_SECONDS: Final = 86_400


class Parts:
    """What several parts of one application share, and the parts that are made of it.

    Args:
        settings: as documented there.
        ring: the ring client.

    Attributes:
        directory: which blocks hold how many products.
        products: where products are stored.
        encoder: makes the forms of bodies.
        forms: those of the legacy routes.
        guard: who may do what, and how often.
    """

    def __init__(self, settings: ApiSettings, ring: RowSource) -> None:
        self._settings = settings
        self._ring = ring
        self._seconds = seconds = settings.request_deadline_seconds
        self.directory = DirectoryCache(
            ring, refresh_seconds=settings.directory_refresh_seconds, timeout_seconds=seconds
        )
        self.products = ProductsRepository(
            ring,
            self.directory,
            timeout_seconds=seconds,
            parallel_reads=settings.parallel_block_reads,
        )
        self.encoder = Encoder(
            compress_min_bytes=settings.compress_min_bytes, deadline_seconds=seconds
        )
        self.forms = LegacyForms(self.encoder, profile=settings.profile)
        self._callers = Callers(settings.trusted_networks)
        self.guard = Guard(
            self._callers,
            RateLimiter(LimitsRepository(ring, timeout_seconds=seconds), deadline_seconds=seconds),
            ApiKeys(ApiKeysRepository(ring, timeout_seconds=seconds)),
            votes_per_minute=settings.votes_per_minute,
            posts_per_minute=settings.posts_per_minute,
        )
        self._votes = VoteCounter(
            VotesRepository(ring, timeout_seconds=seconds), deadline_seconds=seconds
        )
        self._reviews = ReviewsRepository(ring, timeout_seconds=seconds)

    def review_orders(self) -> ReviewOrders:
        """Return the orders of products with many reviews."""
        return ReviewOrders(
            self._reviews,
            max_rows=self._settings.review_order_rows,
            refresh_seconds=self._settings.review_refresh_seconds,
            deadline_seconds=self._seconds,
        )

    def reviews(self, orders: ReviewOrders) -> ReviewsHandler:
        """Return the handler of reviews."""
        kinds = ("reviews", "review_photos", "characteristic_reviews")
        service = ReviewsService(
            self._reviews,
            self.products,
            orders=orders,
            meta=ReviewMeta(self._reviews, refresh_seconds=self._settings.review_refresh_seconds),
            votes=self._votes,
            ids=ReviewIds(*self._ids(*kinds)),
        )
        return ReviewsHandler(
            service,
            self.forms,
            self.guard,
            max_page_rows=self._settings.max_page_rows,
            body_seconds=self._seconds,
        )

    def questions(self) -> QuestionsHandler:
        """Return the handler of questions and answers."""
        service = QuestionsService(
            QuestionsRepository(self._ring, timeout_seconds=self._seconds),
            self.products,
            votes=self._votes,
            ids=QuestionIds(*self._ids("questions", "answers", "answer_photos")),
        )
        return QuestionsHandler(
            service,
            self.forms,
            self.guard,
            max_page_rows=self._settings.max_page_rows,
            body_seconds=self._seconds,
        )

    def cart(self) -> CartHandler:
        """Return the handler of carts."""
        settings = self._settings
        return CartHandler(
            CartsRepository(
                self._ring,
                lifetime_seconds=settings.cart_days * DAY_SECONDS,
                timeout_seconds=self._seconds,
            ),
            Sessions(
                settings.session_secret.split(),
                lifetime_seconds=settings.session_days * DAY_SECONDS,
            ),
            self._callers,
            self.forms,
            max_posts=settings.max_cart_posts,
            body_seconds=self._seconds,
        )

    def interactions(self) -> InteractionsHandler:
        """Return the handler of interactions."""
        return InteractionsHandler(
            InteractionsRepository(
                self._ring,
                lifetime_seconds=self._settings.interaction_days * DAY_SECONDS,
                timeout_seconds=self._seconds,
            ),
            body_seconds=self._seconds,
        )

    def idempotency(self) -> Idempotency:
        """Return what remembers how repeated requests were answered."""
        return Idempotency(
            IdempotencyRepository(self._ring, timeout_seconds=self._seconds),
            lease_seconds=self._settings.idempotency_lease_seconds,
        )

    def changes(self) -> tuple[ProductChanges, IntentSweeper]:
        """Return the one way to change a product, and what finishes changes that were left."""
        intents = IntentsRepository(self._ring, timeout_seconds=self._seconds)
        listing = ProductListing(
            ListingRepository(self._ring, timeout_seconds=self._seconds),
            deadline_seconds=self._seconds,
        )
        changes = ProductChanges(
            ProductRowsRepository(self._ring, timeout_seconds=self._seconds),
            intents,
            views=[
                listing,
                FindView(FindEntriesRepository(self._ring, timeout_seconds=self._seconds)),
            ],
            deadline_seconds=self._seconds,
        )
        sweeper = IntentSweeper(intents, changes, after_seconds=self._settings.intent_seconds)
        return changes, sweeper

    def catalog(self, changes: ProductChanges) -> CatalogService:
        """Return what can be done with products as documents."""
        kinds = ("products", "styles", "skus", "features", "photos", "related")
        return CatalogService(
            ProductRowsRepository(self._ring, timeout_seconds=self._seconds),
            changes,
            ids=ProductIds(*self._ids(*kinds)),
        )

    def find(self, forms: DocumentForms) -> FindHandler:
        """Return the handler of searches."""
        settings = self._settings
        service = FindService(
            FindRepository(self._ring, timeout_seconds=self._seconds),
            budget_rows=settings.find_budget_rows,
            budget_seconds=settings.find_budget_seconds,
        )
        tokens = PageTokens(settings.session_secret.split())
        return FindHandler(service, tokens, forms, max_rows=settings.find_page_rows)

    def export(self) -> ExportHandler:
        """Return the handler of exports."""
        return ExportHandler(
            ExportService(
                ProductScan(self._ring, timeout_seconds=self._seconds),
                most=self._settings.exports,
                share=self._settings.export_share,
            ),
            stall_seconds=self._settings.export_stall_seconds,
        )

    def _ids(self, *kinds: str) -> list[IdAllocator]:
        return [IdAllocator(self._ring, kind, timeout_seconds=self._seconds) for kind in kinds]


def build_reception(settings: ApiSettings) -> Reception:
    """Return what every request passes."""
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
