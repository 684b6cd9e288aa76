"""Ids within a product: those it has stay, the others are given."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from catalog_api.domain.products import ProductDocument, Sku, Style
from catalog_api.repositories.ids import IdAllocator
from schema.documents import SourceRows


@dataclass(frozen=True, slots=True)
class ProductIds:
    """Where the ids of what is new come from; features, photos and related have rows of files."""

    products: IdAllocator
    styles: IdAllocator
    skus: IdAllocator
    features: IdAllocator
    photos: IdAllocator
    related: IdAllocator

    async def complete(self, product_id: int, document: ProductDocument) -> ProductDocument:
        """Return the document with an id in every place.

        Raises:
            RingError: no ids could be had.
        """
        styles = [await self._complete_style(style) for style in document.styles]
        return replace(document, id=product_id, styles=styles)

    async def _complete_style(self, style: Style) -> Style:
        new = await self.skus.take(sum(sku.id is None for sku in style.skus))
        sku_ids = iter(new)
        skus: list[Sku] = [
            sku if sku.id is not None else replace(sku, id=next(sku_ids)) for sku in style.skus
        ]
        style_id = style.id if style.id is not None else (await self.styles.take())[0]
        return replace(style, id=style_id, skus=skus)

    async def sources(
        self, document: ProductDocument, before: ProductDocument | None, known: SourceRows
    ) -> SourceRows:
        """Return ids of the rows of files that a document stands for.

        A later load merges its files with what is stored by these; what is unchanged keeps its own.

        Args:
            document: in which every style has its id.
            before: the product as it was; None when there was none.
            known: its ids then.

        Raises:
            RingError: no ids could be had.
        """
        old_photos = {style.id: style.photos for style in before.styles} if before else {}
        return SourceRows(
            await _carry(
                before.features if before else (), known.features, document.features, self.features
            ),
            {
                style.id: await _carry(
                    old_photos.get(style.id, ()),
                    known.photos.get(style.id, ()),
                    style.photos,
                    self.photos,
                )
                for style in document.styles
                if style.id is not None and style.photos
            },
            await _carry(
                before.related if before else (), known.related, document.related, self.related
            ),
        )


async def _carry(
    old: Sequence[Hashable],
    old_ids: Sequence[int],
    new: Sequence[Hashable],
    allocator: IdAllocator,
) -> list[int]:
    ids_of: defaultdict[Hashable, list[int]] = defaultdict(list)
    for item, item_id in zip(reversed(old), reversed(old_ids), strict=False):
        ids_of[item].append(item_id)
    carried = [ids_of[item].pop() if ids_of[item] else None for item in new]
    given = iter(await allocator.take(carried.count(None)))
    return [next(given) if item_id is None else item_id for item_id in carried]
