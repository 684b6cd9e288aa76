"""All products by token, a bounded page at a time. Consistency: LOCAL_QUORUM."""

from typing import Final, NamedTuple

from catalog_api.repositories.product_rows import Bodies, StoredProduct, Tags
from catalog_api.repositories.rows import RowSource
from schema.statements.find import SCAN_PRODUCTS

FIRST_TOKEN: Final = -(2**63)
LAST_TOKEN: Final = 2**63 - 1


class Chunk(NamedTuple):
    """Products behind one token and up to another.

    Attributes:
        products: rows of deleted products among them.
        reached: the token up to which there are no others; the last one at the end.
    """

    products: list[StoredProduct]
    reached: int


class ProductScan:
    """Reads all products.

    Args:
        rows: the ring client.
        timeout_seconds: deadline of each page.
    """

    def __init__(self, rows: RowSource, *, timeout_seconds: float) -> None:
        self._rows = rows
        self._timeout_seconds = timeout_seconds

    async def fetch(self, after: int, limit: int, *, last: int = LAST_TOKEN) -> Chunk:
        """Return the next products behind one token and up to another, at most `limit`.

        One round trip.

        Raises:
            RingError: too few replicas answered in time.
        """
        rows = await self._rows.execute(
            SCAN_PRODUCTS.name, (after, last, limit), timeout_seconds=self._timeout_seconds
        )
        products = [
            StoredProduct(
                row[1], Bodies(*(body or b"" for body in row[2:7])), Tags(*row[7:11]), *row[11:]
            )
            for row in rows
            # A row of which nothing but other columns was written is no product.
            if row[-1] is not None
        ]
        return Chunk(products, rows[-1][0] if len(rows) == limit else last)
