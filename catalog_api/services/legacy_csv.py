"""Products as lines of the legacy CSV files, so that a load takes back what an export gave.

Texts are quoted, a NULL is the unquoted word `null`, numbers are bare, whole prices have no
decimals. Ids of child rows are those of the files they came from, or those given to them here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Final

from catalog_api.domain.products import ProductDocument
from schema.documents import SourceRows

Lines = Callable[[ProductDocument, SourceRows], Iterator[str]]
"""Makes the lines of one product, without line ends."""


def _product(document: ProductDocument, _sources: SourceRows) -> Iterator[str]:
    texts = (document.name, document.slogan, document.description, document.category)
    yield f"{document.id},{','.join(map(_text, texts))},{_price(document.default_price)}"


def _features(document: ProductDocument, sources: SourceRows) -> Iterator[str]:
    for row_id, line in zip(_ids(sources.features), document.features, strict=False):
        yield f"{row_id},{document.id},{_text(line.feature)},{_text(line.value)}"


def _styles(document: ProductDocument, _sources: SourceRows) -> Iterator[str]:
    for style in document.styles:
        sale = "null" if style.sale_price is None else _price(style.sale_price)
        yield (
            f"{style.id},{document.id},{_text(style.name)},{sale},"
            f"{_price(style.original_price)},{int(style.is_default)}"
        )


def _photos(document: ProductDocument, sources: SourceRows) -> Iterator[str]:
    for style in document.styles:
        row_ids = _ids(sources.photos.get(style.id or 0, ()))
        for row_id, photo in zip(row_ids, style.photos, strict=False):
            yield f"{row_id},{style.id},{_text(photo.url)},{_text(photo.thumbnail_url)}"


def _skus(document: ProductDocument, _sources: SourceRows) -> Iterator[str]:
    for style in document.styles:
        for sku in style.skus:
            yield f"{sku.id},{style.id},{_text(sku.size)},{sku.quantity}"


def _related(document: ProductDocument, sources: SourceRows) -> Iterator[str]:
    for row_id, related_id in zip(_ids(sources.related), document.related, strict=False):
        yield f"{row_id},{document.id},{related_id}"


TABLES: Final[Mapping[str, tuple[str, Lines]]] = {
    "product": ("id,name,slogan,description,category,default_price", _product),
    "features": ("id,product_id,feature,value", _features),
    "styles": ("id,productId,name,sale_price,original_price,default_style", _styles),
    "photos": ("id,styleId,url,thumbnail_url", _photos),
    "skus": ("id,styleId,size,quantity", _skus),
    "related": ("id,current_product_id,related_product_id", _related),
}
"""Heads and lines by the name of the file."""


def _ids(row_ids: Sequence[int]) -> Iterator[int | str]:
    # Rows of which nobody kept the id have none.
    return chain(row_ids, repeat(""))


def _text(text: str | None) -> str:
    if text is None:
        return "null"
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _price(price: str) -> str:
    return price.removesuffix(".00")
