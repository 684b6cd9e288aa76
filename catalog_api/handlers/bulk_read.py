"""Many products at once by their ids, as `GET /products/{id}` answers each."""

from collections.abc import Sequence
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from catalog_api.answers import Answer
from catalog_api.domain.item_id import read_ids
from catalog_api.domain.shapes import Id, ProductWithFeatures
from catalog_api.domain.submissions import ItemId
from catalog_api.endpoints import Endpoint, Parameter, problem_reply
from catalog_api.handlers.documents import KNOWN, NOT_MODIFIED, DocumentForms, document_reply
from catalog_api.openapi.examples import PRODUCT
from catalog_api.repositories.products import ProductsRepository
from schema.documents import etag_of

PATH: Final = "/v1/products"
EXAMPLE: Final = {"products": [PRODUCT], "missing": [2, 3]}


class FoundProducts(Struct, frozen=True, forbid_unknown_fields=True):
    """The products that were asked for, in that order, and the ids that there are none of."""

    products: list[ProductWithFeatures]
    missing: list[Id]


class BulkReadHandler:
    """Answers bulk reads.

    The bodies are those that are stored for `GET /products/{id}`, joined and not decoded.

    Args:
        products: where they are stored.
        forms: makes the forms that callers ask for.
        max_ids: most ids of one read.
    """

    def __init__(self, products: ProductsRepository, forms: DocumentForms, *, max_ids: int) -> None:
        self._products = products
        self._forms = forms
        self._max_ids = max_ids

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the endpoint."""
        ids = Parameter(
            *(
                "ids",
                "query",
                Annotated[list[ItemId], Meta(min_length=1, max_length=self._max_ids)],
            ),
            "Ids of products, between commas or in parameters of this name; as many as fit into a"
            " request line of 8 kB",
            required=True,
            example=[1, 2, 3],
            joined=True,
        )
        return [
            Endpoint(
                *("GET", PATH, self._get, "Many products by their ids", "catalog"),
                parameters=[ids, KNOWN],
                replies={
                    200: document_reply("Those that exist.", FoundProducts, example=EXAMPLE),
                    304: NOT_MODIFIED,
                    400: problem_reply("The ids cannot be read."),
                },
                legacy=False,
            )
        ]

    async def _get(self, request: web.Request) -> Answer:
        ids = read_ids(",".join(request.query.getall("ids", [])), most=self._max_ids)
        found = await self._products.fetch_bodies(ids)
        missing = ",".join(str(one) for one in ids if one not in found).encode()
        present = [found[one] for one in ids if one in found]
        body = b'{"products":[%b],"missing":[%b]}' % (
            b",".join([product for product, _ in present]),
            missing,
        )
        etag = etag_of("".join([tag for _, tag in present]).encode() + missing)
        return await self._forms.read(body, etag, request.headers)
