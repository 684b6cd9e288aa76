"""A product as one document: what callers of /v1 send and get.

A document that is served has every id; in one that is sent, ids of styles and skus may be left
out, and new ones are given.
"""

from collections.abc import Iterator
from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType, field

from catalog_api.domain.errors import InvalidBodyError
from catalog_api.domain.item_id import MAX_ID
from catalog_api.domain.text import STORABLE

MAX_TEXT: Final = 20_000

DocumentId = Annotated[int, Meta(ge=1, le=MAX_ID)]
Text = Annotated[str, Meta(max_length=MAX_TEXT, extra_json_schema=STORABLE)]
Price = Annotated[
    str,
    Meta(
        # Python's $ alone would let a line break follow.
        pattern=r"^(0|[1-9][0-9]{0,12})\.[0-9]{2}$(?!\n)",
        description="A decimal number with two decimals",
        examples=["140.00"],
    ),
]
PropertyName = Annotated[str, Meta(min_length=1, max_length=100, extra_json_schema=STORABLE)]
PropertyText = Annotated[str, Meta(max_length=2_000, extra_json_schema=STORABLE)]
PropertyValue = (
    bool
    | Annotated[int, Meta(ge=-MAX_ID, le=MAX_ID)]
    # Beyond, JSON's readers do not agree on what is a whole number.
    | Annotated[float, Meta(ge=-MAX_ID, le=MAX_ID)]
    | PropertyText
    | Annotated[list[PropertyText], Meta(max_length=200)]
)
Properties = Annotated[
    dict[PropertyName, PropertyValue],
    Meta(
        max_length=200,
        description="Whatever else there is to say, by name: text, number, truth or list of texts",
    ),
]


Related = Annotated[list[DocumentId], Meta(max_length=1_000)]


class Feature(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a product's features."""

    feature: Text | None
    value: Text | None = None


class Photo(Struct, frozen=True, forbid_unknown_fields=True):
    """One photo of a style."""

    thumbnail_url: Text | None = None
    url: Text | None = None


class Sku(Struct, frozen=True, forbid_unknown_fields=True):
    """One size of a style with the pieces in stock."""

    id: DocumentId | None = None
    size: Text | None = None
    quantity: Annotated[int, Meta(ge=-MAX_ID, le=MAX_ID, description="Below 0: owed")] = 0


class Style(Struct, frozen=True, forbid_unknown_fields=True):
    """One style of a product."""

    original_price: Price
    id: DocumentId | None = None
    name: Text | None = None
    sale_price: Price | None = None
    is_default: bool = False
    photos: Annotated[list[Photo], Meta(max_length=200)] = field(default_factory=list)
    skus: Annotated[list[Sku], Meta(max_length=500)] = field(default_factory=list)


Features = Annotated[list[Feature], Meta(max_length=500)]
Styles = Annotated[list[Style], Meta(max_length=500)]


class ProductDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """A product with everything that belongs to it."""

    name: Text | None
    default_price: Price
    id: DocumentId | None = None
    slogan: Text | None = None
    description: Text | None = None
    category: Text | None = None
    features: Features = field(default_factory=list)
    styles: Styles = field(default_factory=list)
    related: Related = field(default_factory=list)
    properties: Properties = field(default_factory=dict)

    def style_ids(self) -> set[int]:
        """Return the ids that its styles have."""
        return {style.id for style in self.styles if style.id is not None}

    def sku_ids(self) -> set[int]:
        """Return the ids that its skus have."""
        return {sku.id for style in self.styles for sku in style.skus if sku.id is not None}


class NewProduct(ProductDocument, frozen=True, forbid_unknown_fields=True):
    """A product without an id: it is given."""

    id: None = None


class ProductPatch(Struct, frozen=True, forbid_unknown_fields=True):
    """A merge patch of a product: null takes away; lists are replaced, properties one by one."""

    name: Text | UnsetType = UNSET
    default_price: Price | UnsetType = UNSET
    id: DocumentId | UnsetType | None = UNSET
    slogan: Text | UnsetType | None = UNSET
    description: Text | UnsetType | None = UNSET
    category: Text | UnsetType | None = UNSET
    features: Features | UnsetType | None = UNSET
    styles: Styles | UnsetType | None = UNSET
    related: Related | UnsetType | None = UNSET
    properties: dict[PropertyName, PropertyValue | None] | UnsetType | None = UNSET


def refuse_strange_ids(sent: ProductDocument, known: ProductDocument | None, given: int) -> None:
    """Look at the ids of styles and skus that a caller sent.

    Args:
        sent: the caller's.
        known: the product as it is; None when there is none.
        given: ids from this one on are given by us, never chosen.

    Raises:
        InvalidBodyError: an id stands twice, or is one that is given and is not this product's.
    """
    styles = known.style_ids() if known else set[int]()
    skus = known.sku_ids() if known else set[int]()
    _refuse_ids(_style_places(sent), styles, given)
    _refuse_ids(_sku_places(sent), skus, given)


def _style_places(document: ProductDocument) -> Iterator[tuple[str, int | None]]:
    for index, style in enumerate(document.styles):
        yield f"$.styles[{index}].id", style.id


def _sku_places(document: ProductDocument) -> Iterator[tuple[str, int | None]]:
    for index, style in enumerate(document.styles):
        for place, sku in enumerate(style.skus):
            yield f"$.styles[{index}].skus[{place}].id", sku.id


def _refuse_ids(places: Iterator[tuple[str, int | None]], known: set[int], given: int) -> None:
    seen = set[int]()
    for place, item_id in places:
        if item_id is None:
            continue
        if item_id in seen:
            raise InvalidBodyError(f"{place}: {item_id} stands twice")
        if item_id >= given and item_id not in known:
            raise InvalidBodyError(f"{place}: ids from {given} on are given, not chosen")
        seen.add(item_id)
