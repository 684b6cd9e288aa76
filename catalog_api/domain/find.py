"""What callers search for: a category, prices, sale, stock, properties, and an order."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Final

from msgspec import Meta, Struct

from catalog_api.domain.errors import InvalidSearchError
from catalog_api.domain.shapes import Id, Price

MAX_PROPERTIES: Final = 6
MAX_CATEGORY: Final = 1_000
MAX_PROPERTY: Final = 2_200
PRICE_PATTERN: Final = r"0*([0-9]{1,13})(?:\.([0-9]{1,2}))?"
_PRICE: Final = re.compile(PRICE_PATTERN)
_TRUTHS: Final = {"true": True, "false": False}
_SEVERAL: Final = frozenset({"property"})
_NAMES: Final = frozenset(
    {"category", "min_price", "max_price", "on_sale", "in_stock", "property", "sort"}
    | {"limit", "page_token"}
)
MAX_LIMIT: Final = 999_999_999
_WHOLE_NUMBER: Final = re.compile(r"0*([0-9]{1,9})")


class FoundProduct(Struct, frozen=True, forbid_unknown_fields=True):
    """A product as searches show it; prices are decimal numbers with two decimals.

    Attributes:
        price: the lowest at which a style is sold now; the default price without styles.
        sale_price: the lowest sale price.
    """

    id: Id
    name: str | None
    slogan: str | None
    category: str | None
    default_price: Price
    price: Price
    sale_price: Price | None
    on_sale: bool
    in_stock: bool
    thumbnail_url: str | None


class FoundCount(Struct, frozen=True, forbid_unknown_fields=True):
    """How many products a search finds in all; an estimate unless `exact`."""

    estimate: Annotated[int, Meta(ge=0)]
    exact: bool


class FoundPage(Struct, frozen=True, forbid_unknown_fields=True):
    """A page of a search; the next one is asked for with its token."""

    products: list[FoundProduct]
    next_page_token: str | None
    count: FoundCount


class Order(Enum):
    """The orders of results."""

    NEWEST = "newest"
    PRICE = "price"
    PRICE_DESCENDING = "-price"


@dataclass(frozen=True, slots=True)
class Search:
    """A search; None stands for what does not matter.

    Attributes:
        category: exactly this text.
        min_cents: the lowest price wanted, inclusive.
        max_cents: the highest, inclusive.
        properties: name and value of each that is wanted, ascending; a product must have all.
    """

    category: str | None = None
    min_cents: int | None = None
    max_cents: int | None = None
    on_sale: bool | None = None
    in_stock: bool | None = None
    properties: tuple[tuple[str, str], ...] = ()
    order: Order = Order.NEWEST

    @property
    def fingerprint(self) -> bytes:
        """Eight bytes that tell this search from others: its page tokens fit no other."""
        return hashlib.blake2b(repr(self).encode(), digest_size=8).digest()

    @property
    def is_everything(self) -> bool:
        """Whether nothing but the category decides."""
        return not self.properties and {
            self.min_cents,
            self.max_cents,
            self.on_sale,
            self.in_stock,
        } == {None}


def read_search(query: Iterable[tuple[str, str]]) -> Search:
    """Return the search that the parameters of a query describe.

    Raises:
        InvalidSearchError: an unknown or repeated parameter, or a value that cannot be.
    """
    single: dict[str, str] = {}
    properties = set[tuple[str, str]]()
    for name, value in query:
        if name not in _NAMES:
            raise InvalidSearchError(f"there is no parameter {name[:32]!r} here")
        if name in _SEVERAL:
            properties.add(_read_property(value))
        elif name in single:
            raise InvalidSearchError(f"{name} is given twice")
        else:
            single[name] = value
    if len(properties) > MAX_PROPERTIES:
        raise InvalidSearchError(f"at most {MAX_PROPERTIES} properties may be asked for together")
    search = Search(
        category=_read_category(single),
        min_cents=_read_price(single, "min_price"),
        max_cents=_read_price(single, "max_price"),
        on_sale=_read_truth(single, "on_sale"),
        in_stock=_read_truth(single, "in_stock"),
        properties=tuple(sorted(properties)),
        order=_read_order(single),
    )
    low, high = search.min_cents, search.max_cents
    if low is not None and high is not None and low > high:
        raise InvalidSearchError("min_price is above max_price")
    return search


def read_limit(text: str | None, *, default: int, most: int) -> int:
    """Return the rows of a page; more than `most` are served as `most`.

    Raises:
        InvalidSearchError: no whole number of at least 1.
    """
    if text is None:
        return min(default, most)
    match = _WHOLE_NUMBER.fullmatch(text)
    if match is None or int(match[1]) < 1:
        raise InvalidSearchError("limit must be a whole number of at least 1")
    return min(int(match[1]), most)


def _read_category(values: Mapping[str, str]) -> str | None:
    category = values.get("category")
    if category is not None and not 0 < len(category) <= MAX_CATEGORY:
        raise InvalidSearchError(f"category must have 1 to {MAX_CATEGORY} characters")
    return None if category is None else _storable("category", category)


def _read_property(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or len(text) > MAX_PROPERTY:
        raise InvalidSearchError("property must be name=value")
    return _storable("property", name), _storable("property", value)


def _storable(name: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidSearchError(f"{name} is not UTF-8") from error
    return text


def _read_price(values: Mapping[str, str], name: str) -> int | None:
    text = values.get(name)
    if text is None:
        return None
    match = _PRICE.fullmatch(text)
    if match is None:
        raise InvalidSearchError(f"{name} must be a price such as 12 or 12.50")
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))


def _read_truth(values: Mapping[str, str], name: str) -> bool | None:
    text = values.get(name)
    if text is None:
        return None
    if text not in _TRUTHS:
        raise InvalidSearchError(f"{name} must be true or false")
    return _TRUTHS[text]


def _read_order(values: Mapping[str, str]) -> Order:
    try:
        return Order(values.get("sort", Order.NEWEST.value))
    except ValueError as error:
        raise InvalidSearchError("sort must be newest, price or -price") from error
