"""What people may send by the legacy routes: the definitions that validate and that are published.

Clients of the 2020 profile send 1 and 0 for true and false, and forms send text for everything, so
these are read leniently: `"5"` is 5 and `1` is true where a number or a truth is wanted.
"""

from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta, Struct

from catalog_api.domain.item_id import MAX_ID
from catalog_api.domain.text import STORABLE

MAX_TEXT: Final = 20_000
MAX_PHOTOS: Final = 100

ItemId = Annotated[int, Meta(ge=0, le=MAX_ID)]
Mark = Annotated[int, Meta(ge=1, le=5, description="1 to 5")]
Line = Annotated[str, Meta(min_length=1, max_length=1_000, extra_json_schema=STORABLE)]
Text = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT, extra_json_schema=STORABLE)]
PhotoUrl = Annotated[str, Meta(max_length=4_000, extra_json_schema=STORABLE)]
Photos = Annotated[list[PhotoUrl], Meta(max_length=MAX_PHOTOS)]
CharacteristicId = Annotated[str, Meta(pattern="^[0-9]{1,16}$")]
Marks = Annotated[dict[CharacteristicId, Mark], Meta(max_length=1_000)]


class NewReview(Struct, frozen=True):
    """A review; `characteristics` maps a characteristic's id to its mark."""

    product_id: ItemId
    rating: Mark
    summary: Annotated[str, Meta(max_length=1_000, extra_json_schema=STORABLE)]
    body: Text
    recommend: bool
    name: Line
    email: Line
    characteristics: Marks
    photos: Photos | None = None


class NewQuestion(Struct, frozen=True):
    """A question about a product."""

    product_id: ItemId
    body: Text
    name: Line
    email: Line


class NewAnswer(Struct, frozen=True):
    """An answer to a question."""

    body: Text
    name: Line
    email: Line
    photos: Photos | None = None


class NewCartPost(Struct, frozen=True):
    """One more of a sku for the cart."""

    sku_id: ItemId


class NewInteraction(Struct, frozen=True):
    """What was clicked: the element, the part of the page, and when, as the client puts it."""

    element: Annotated[str, Meta(max_length=MAX_TEXT, extra_json_schema=STORABLE)]
    widget: Annotated[str, Meta(max_length=1_000, extra_json_schema=STORABLE)]
    time: Annotated[str, Meta(max_length=1_000, extra_json_schema=STORABLE)]


def photo_urls(photos: Sequence[str] | None) -> Sequence[str]:
    """Return the photos, none when they were left out."""
    return photos or ()
