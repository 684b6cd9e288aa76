"""What answers hold: the definitions that are published, and that tests hold real answers to.

Keys stand in the contract's order. A name that ends in 2020 is the shape in the 2020 profile of
value types, where it differs. Texts may be null: the files that a catalog was loaded from had gaps.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from catalog_api.domain.item_id import MAX_ID

Id = Annotated[int, Meta(ge=0, le=MAX_ID)]
IdText = Annotated[str, Meta(pattern="^[0-9]{1,16}$", description="The id that was asked for")]
Price = Annotated[str, Meta(pattern=r"^-?[0-9]+\.[0-9]{2}$")]
Price2020 = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]{2})?$")]
ZeroOrOne = Annotated[int, Meta(ge=0, le=1)]
SkuKey = Annotated[str, Meta(pattern="^([0-9]+|null)$")]


class Problem(Struct):
    """What went wrong, as RFC 9457 has it; some carry further members."""

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    detail: str


class Alive(Struct, forbid_unknown_fields=True):
    """The process answers."""

    status: Literal["alive"]


class Ready(Struct, forbid_unknown_fields=True):
    """Cassandra can be read."""

    status: Literal["ready"]


class ProductFeature(Struct, forbid_unknown_fields=True):
    """A feature of a product."""

    feature: str | None
    value: str | None


class ListedProduct(Struct, forbid_unknown_fields=True):
    """A product as lists have it."""

    id: Id
    name: str | None
    slogan: str | None
    description: str | None
    category: str | None
    default_price: Price


class ListedProduct2020(Struct, forbid_unknown_fields=True):
    """The same; whole prices have no decimals."""

    id: Id
    name: str | None
    slogan: str | None
    description: str | None
    category: str | None
    default_price: Price2020


class ProductWithFeatures(ListedProduct, forbid_unknown_fields=True):
    """A product."""

    features: list[ProductFeature]


class ProductWithFeatures2020(ListedProduct2020, forbid_unknown_fields=True):
    """The same; whole prices have no decimals."""

    features: list[ProductFeature]


class StylePhoto(Struct, forbid_unknown_fields=True):
    """A photo of a style; both are null in the one that stands for none."""

    thumbnail_url: str | None
    url: str | None


class StyleSku(Struct, forbid_unknown_fields=True):
    """A size with the pieces in stock; both are null in the one that stands for none."""

    quantity: int | None
    size: str | None


class ProductStyle(Struct, forbid_unknown_fields=True):
    """A style of a product; its skus are keyed by their ids, or by `null` when there are none."""

    style_id: Id
    name: str | None
    original_price: Price
    sale_price: Price | None
    is_default: bool = field(name="default?")
    photos: Annotated[list[StylePhoto], Meta(min_length=1)]
    skus: Annotated[dict[SkuKey, StyleSku], Meta(min_length=1)]


class ProductStyle2020(Struct, forbid_unknown_fields=True):
    """The same; a sale price of 0 stands for none."""

    style_id: Id
    name: str | None
    original_price: Price2020
    sale_price: Price2020
    is_default: ZeroOrOne = field(name="default?")
    photos: Annotated[list[StylePhoto], Meta(min_length=1)]
    skus: Annotated[dict[SkuKey, StyleSku], Meta(min_length=1)]


class Styles(Struct, forbid_unknown_fields=True):
    """The styles of a product."""

    product_id: IdText
    results: list[ProductStyle]


class Styles2020(Struct, forbid_unknown_fields=True):
    """The styles of a product."""

    product_id: IdText
    results: list[ProductStyle2020]


class CartLine(Struct, forbid_unknown_fields=True):
    """A sku with how often it was put into the cart."""

    sku_id: Id
    count: Annotated[int, Meta(ge=1)]


Document = dict[str, Any]
"""An OpenAPI document."""
