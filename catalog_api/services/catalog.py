"""Products as documents: read, create, replace, patch and delete."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from catalog_api.domain.errors import ConflictError, InvalidBodyError, MissingItemError
from catalog_api.domain.merge_patch import merge_patch
from catalog_api.domain.preconditions import NO_PRECONDITION, Precondition
from catalog_api.domain.products import ProductDocument, ProductPatch, refuse_strange_ids
from catalog_api.repositories.product_rows import (
    DELETED,
    Bodies,
    ProductRowsRepository,
    StoredProduct,
    render,
    tag_of_document,
    tags_of,
)
from catalog_api.services.new_ids import ProductIds
from catalog_api.services.product_changes import ProductChanges
from schema.documents import SourceRows
from schema.ids import FIRST_NEW_ID

MAX_DOCUMENT_BYTES: Final = 1_048_576
_CREATE_ATTEMPTS: Final = 5
_Wanted = Callable[[ProductDocument | None], ProductDocument]


@dataclass(frozen=True, slots=True)
class Saved:
    """A product as it is after a change.

    Attributes:
        etag: of the document.
        is_new: there was no such product before.
    """

    document: ProductDocument
    etag: str
    is_new: bool


class CatalogService:
    """What can be done with products as documents.

    Args:
        rows: where they are stored.
        changes: through which every change goes.
        ids: of what is new.
    """

    def __init__(
        self, rows: ProductRowsRepository, changes: ProductChanges, *, ids: ProductIds
    ) -> None:
        self._rows = rows
        self._changes = changes
        self._ids = ids

    async def fetch(self, product_id: int) -> tuple[ProductDocument, str]:
        """Return a product and its entity tag. Consistency: LOCAL_QUORUM, one round trip.

        Raises:
            MissingItemError: there is no such product.
            RingError: too few replicas answered in time.
        """
        stored = await self._rows.fetch(product_id)
        if stored is None or not stored.lives:
            raise _missing(product_id)
        return stored.document(), stored.etag

    async def create(self, document: ProductDocument) -> Saved:
        """Store a new product under an id of ours.

        Raises:
            InvalidBodyError: one of its ids cannot be chosen.
            RingError: it is unknown whether it was stored.
        """
        for _ in range(_CREATE_ATTEMPTS):
            (product_id,) = await self._ids.products.take()
            if await self._rows.fetch(product_id) is None:
                return await self._save(
                    product_id, lambda _: document, Precondition(must_be_new=True)
                )
        raise ConflictError("The next ids are taken by products that were loaded. Try again.")

    async def replace(
        self, product_id: int, document: ProductDocument, precondition: Precondition
    ) -> Saved:
        """Store a product in place of what there is, or where there is nothing.

        Raises:
            PreconditionFailedError: the precondition does not hold.
            ConflictError: there was never such a product, and its id is one that we give.
            InvalidBodyError: an id that it names is another one, or cannot be chosen.
            RingError: it is unknown whether it was stored.
        """
        if product_id >= FIRST_NEW_ID and await self._rows.fetch(product_id) is None:
            precondition.check(None)
            raise ConflictError(f"Ids from {FIRST_NEW_ID} on are given by POST.")
        return await self._save(product_id, lambda _: document, precondition)

    async def patch(
        self, product_id: int, patch: ProductPatch, precondition: Precondition
    ) -> Saved:
        """Change a product by a merge patch.

        Raises:
            PreconditionFailedError: the precondition does not hold.
            MissingItemError: there is no such product.
            InvalidBodyError: what comes out is no product.
            RingError: it is unknown whether it was changed.
        """

        def patched(before: ProductDocument | None) -> ProductDocument:
            if before is None:
                raise _missing(product_id)
            merged = merge_patch(msgspec.to_builtins(before), msgspec.to_builtins(patch))
            try:
                return msgspec.convert(merged, ProductDocument)
            except msgspec.ValidationError as error:
                raise InvalidBodyError(str(error)) from error

        return await self._save(product_id, patched, precondition)

    async def delete(self, product_id: int, precondition: Precondition = NO_PRECONDITION) -> None:
        """Take a product away; live, empty bodies stay in its place.

        Raises:
            PreconditionFailedError: the precondition does not hold.
            MissingItemError: there is no such product.
            RingError: it is unknown whether it was taken away.
        """

        async def decide(known: StoredProduct | None) -> Bodies:
            precondition.check(_etag(known))
            if known is None or not known.lives:
                raise _missing(product_id)
            return DELETED

        await self._changes.change(product_id, decide)

    async def _save(self, product_id: int, wanted: _Wanted, precondition: Precondition) -> Saved:
        saving = _Saving(self._ids, product_id, wanted, precondition)
        known = await self._changes.change(product_id, saving.decide)
        return Saved(saving.document, saving.etag, is_new=_etag(known) is None)


class _Saving:
    """One document on its way into the row, decided anew for each state that is met.

    Attributes:
        document: as decided last, with every id.
        etag: its entity tag.
    """

    document: ProductDocument
    etag: str

    def __init__(
        self, ids: ProductIds, product_id: int, wanted: _Wanted, precondition: Precondition
    ) -> None:
        self._ids = ids
        self._product_id = product_id
        self._wanted = wanted
        self._precondition = precondition

    async def decide(self, known: StoredProduct | None) -> Bodies:
        self._precondition.check(_etag(known))
        lives = known is not None and known.lives
        before = known.document() if known is not None and lives else None
        sources = known.sources() if known is not None and lives else SourceRows()
        sent = self._wanted(before)
        if sent.id not in {None, self._product_id}:
            raise InvalidBodyError(f"$.id: this is product {self._product_id}")
        refuse_strange_ids(sent, before, FIRST_NEW_ID)
        self.document = await self._ids.complete(self._product_id, sent)
        sources = await self._ids.sources(self.document, before, sources)
        bodies = render(self._product_id, self.document, sources)
        if sum(map(len, bodies)) > MAX_DOCUMENT_BYTES:
            raise InvalidBodyError(f"the product is larger than {MAX_DOCUMENT_BYTES} bytes")
        self.etag = tag_of_document(tags_of(bodies))
        return bodies


def _etag(known: StoredProduct | None) -> str | None:
    return known.etag if known is not None and known.lives else None


def _missing(product_id: int) -> MissingItemError:
    return MissingItemError(f"There is no product {product_id}.")
