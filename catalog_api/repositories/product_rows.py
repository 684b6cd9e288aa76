"""A product's own row as a whole: the truth that everything else about products is derived from.

Changed by lightweight transactions on all of its entity tags. Consistency: LOCAL_QUORUM, and
LOCAL_SERIAL where a transaction's outcome is not known.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from catalog_api.domain.products import Feature, Photo, ProductDocument, Sku, Style
from catalog_api.repositories.repository import Repository
from ring.errors import RingError
from schema import documents
from schema.documents import etag_of
from schema.statements.changes import (
    CHANGE_PRODUCT,
    SELECT_PRODUCT_WRITTEN_AT,
    SELECT_SETTLED_PRODUCT,
    SELECT_WHOLE_PRODUCT,
)

NO_PROPERTIES = b"{}"


class Bodies(NamedTuple):
    """The stored bodies of a product; all empty when it was deleted."""

    product: bytes
    related: bytes
    styles: bytes
    properties: bytes
    source_rows: bytes


DELETED = Bodies(b"", b"", b"", b"", b"")


class Tags(NamedTuple):
    """The stored entity tags as they are: None in rows that have none."""

    product: str | None
    related: str | None
    styles: str | None
    properties: str | None


NO_TAGS = Tags(None, None, None, None)


@dataclass(frozen=True, slots=True)
class StoredProduct:
    """A product's row.

    Attributes:
        tags: what a change makes its condition.
        revision: the moment of the change that wrote it; None for what a load wrote.
        written_at: microseconds since 1970, by Cassandra's clock; what is derived from this row is
            written with it.
    """

    product_id: int
    bodies: Bodies
    tags: Tags
    revision: int | None
    written_at: int

    @property
    def lives(self) -> bool:
        """Whether the product exists; a deleted one has a row all the same."""
        return bool(self.bodies.product)

    @property
    def etag(self) -> str:
        """The entity tag of the whole document."""
        return tag_of_document(self.tags)

    @property
    def list_row(self) -> bytes:
        """The product as pages of all products show it; empty when it was deleted."""
        if not self.lives:
            return b""
        body = orjson.loads(self.bodies.product)
        del body["features"]
        return orjson.dumps(body)

    def document(self) -> ProductDocument:
        """Return the product as callers of /v1 know it. What a load stored is not checked again."""
        product = orjson.loads(self.bodies.product)
        styles = orjson.loads(self.bodies.styles)["results"] if self.bodies.styles else []
        return ProductDocument(
            id=self.product_id,
            name=product["name"],
            slogan=product["slogan"],
            description=product["description"],
            category=product["category"],
            default_price=product["default_price"],
            features=[Feature(**feature) for feature in product["features"]],
            styles=[_read_style(style) for style in styles],
            related=orjson.loads(self.bodies.related or b"[]"),
            properties=orjson.loads(self.bodies.properties or NO_PROPERTIES),
        )

    def sources(self) -> documents.SourceRows:
        """Return which rows of files the bodies were made of."""
        stored = orjson.loads(self.bodies.source_rows or b"{}")
        return documents.SourceRows(
            stored.get("features", ()),
            {int(style_id): ids for style_id, ids in stored.get("photos", {}).items()},
            stored.get("related", ()),
        )


def tag_of_document(tags: Tags) -> str:
    """Return the entity tag of the document that bodies with these tags make."""
    properties = tags.properties or etag_of(NO_PROPERTIES)
    return etag_of(f"{tags.product} {tags.related} {tags.styles} {properties}".encode())


def tags_of(bodies: Bodies) -> Tags:
    """Return the tags that are stored beside bodies; empty ones beside those of a deletion."""
    if bodies is DELETED:
        return Tags("", "", "", "")
    return Tags(
        etag_of(bodies.product),
        etag_of(bodies.related),
        etag_of(bodies.styles),
        etag_of(bodies.properties),
    )


def render(product_id: int, document: ProductDocument, sources: documents.SourceRows) -> Bodies:
    """Return the bodies of a document in which every style and sku has its id."""
    product = documents.Product(
        product_id,
        document.name,
        document.slogan,
        document.description,
        document.category,
        _cents(document.default_price),
        [documents.Feature(line.feature, line.value) for line in document.features],
    )
    return Bodies(
        documents.render_product(product),
        documents.render_related(document.related),
        documents.render_styles(product_id, map(_stored_style, document.styles)),
        documents.render_properties(document.properties),
        documents.render_source_rows(sources),
    )


class ProductRowsRepository(Repository):
    """Reads and changes whole rows."""

    async def fetch(self, product_id: int, *, settled: bool = False) -> StoredProduct | None:
        """Return the row, also that of a deleted product; None when there never was one.

        Args:
            product_id: any id.
            settled: at LOCAL_SERIAL, after which no transaction begun before has an open outcome.

        Raises:
            RingError: too few replicas answered in time.
        """
        statement = SELECT_SETTLED_PRODUCT if settled else SELECT_WHOLE_PRODUCT
        rows = await self._execute(statement, (product_id,))
        if not rows or rows[0][0] is None:
            return None
        row = rows[0]
        return StoredProduct(
            product_id, Bodies(*(body or b"" for body in row[:5])), Tags(*row[5:9]), *row[9:]
        )

    async def fetch_written_at(self, product_id: int) -> int | None:
        """Return when the row was last written, which names its state; None without a row.

        Raises:
            RingError: too few replicas answered in time.
        """
        rows = await self._execute(SELECT_PRODUCT_WRITTEN_AT, (product_id,))
        return rows[0][0] if rows else None

    async def change(self, product_id: int, known: Tags, bodies: Bodies, revision: int) -> bool:
        """Replace the row if it still has these tags; returns whether it had. One transaction.

        Not idempotent; an unknown outcome is looked for, and the same change repeated where that
        is safe.

        Raises:
            RingError: it is unknown whether the row was replaced.
        """
        values = (*bodies, *tags_of(bodies), revision, product_id, *known)
        try:
            return bool((await self._execute(CHANGE_PRODUCT, values))[0][0])
        except RingError:
            now = await self.fetch(product_id, settled=True)
            if now is not None and now.revision == revision:
                return True
            if (NO_TAGS if now is None else now.tags) == known:
                return False
            # Somebody else's state: ours may have been before it.
            raise


def _cents(price: str) -> int:
    return int(price.replace(".", ""))


def _read_style(style: dict[str, Any]) -> Style:
    photos = [Photo(**photo) for photo in style["photos"]]
    return Style(
        id=style["style_id"],
        name=style["name"],
        original_price=style["original_price"],
        sale_price=style["sale_price"],
        is_default=style["default?"],
        # One photo of nulls is the contract's word for none.
        photos=[] if photos == [Photo()] else photos,
        skus=[
            Sku(id=int(sku_id), size=sku["size"], quantity=sku["quantity"])
            for sku_id, sku in style["skus"].items()
            if sku_id != "null"
        ],
    )


def _stored_style(style: Style) -> documents.Style:
    return documents.Style(
        style.id or 0,
        style.name,
        _cents(style.original_price),
        None if style.sale_price is None else _cents(style.sale_price),
        style.is_default,
        [documents.Photo(photo.thumbnail_url, photo.url) for photo in style.photos],
        [documents.Sku(sku.id or 0, sku.quantity, sku.size) for sku in style.skus],
    )
