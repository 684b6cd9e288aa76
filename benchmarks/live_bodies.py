"""Whether bodies read during a load are whole: a product's old one or its new one."""

import csv
import http.client
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from benchmarks.open_load import HTTP_OK
from schema.documents import Feature, Product, render_product

PAUSE_SECONDS: Final = 0.02
TIMEOUT_SECONDS: Final = 15.0
# A replica may take a write later than those that made the quorum.
LAGGING_SECONDS: Final = 1.0

Edition = Literal["old", "new", "neither"]


@dataclass(frozen=True, slots=True)
class Read:
    """One body: when it was asked for and when it had come (Unix seconds), and which it is."""

    began: float
    ended: float
    product_id: int
    edition: Edition


def bodies_of(directory: Path, product_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the bodies that some products of the files must have, by id.

    Worked out from the lines, not by what the load does with them.
    """
    wanted = set(product_ids)
    features: dict[int, list[Feature]] = {product_id: [] for product_id in wanted}
    for row in _rows(directory / "features.csv"):
        if int(row["product_id"]) in wanted:
            value = None if row["value"] == "null" else row["value"]
            features[int(row["product_id"])].append(Feature(row["feature"], value))
    bodies = {}
    for row in _rows(directory / "product.csv"):
        product_id = int(row["id"])
        if product_id in wanted:
            product = Product(
                product_id,
                name=row["name"],
                slogan=row["slogan"],
                description=row["description"],
                category=row["category"],
                default_price_cents=int(row["default_price"]) * 100,
                features=features[product_id],
            )
            bodies[product_id] = render_product(product)
    return bodies


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


class BodyReader:
    """Reads a sample of products over and over, and compares each body with the two it may be.

    Attributes:
        reads: what was read.
    """

    def __init__(
        self, targets: Sequence[str], old: Mapping[int, bytes], new: Mapping[int, bytes]
    ) -> None:
        self.reads: list[Read] = []
        self._connections = [
            http.client.HTTPConnection(target, timeout=TIMEOUT_SECONDS) for target in targets
        ]
        self._old = old
        self._new = new
        self._random = random.Random(1)  # noqa: S311 -- the same products every time, no secret
        self._ended = threading.Event()

    def read(self, product_id: int) -> None:
        """Read one product from any of the app servers."""
        connection = self._random.choice(self._connections)
        began = time.time()
        try:
            connection.request("GET", f"/products/{product_id}")
            answer = connection.getresponse()
            body = answer.read() if answer.status == HTTP_OK else b""
        except (OSError, http.client.HTTPException):
            connection.close()
            body = b""
        self.reads.append(Read(began, time.time(), product_id, self._edition(product_id, body)))

    def _edition(self, product_id: int, body: bytes) -> Edition:
        if body == self._old.get(product_id):
            return "old"
        return "new" if body == self._new[product_id] else "neither"

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read products that are stored already, one after the other, until the block ends."""
        thread = threading.Thread(target=self._read_on, name="body reader")
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()
            for connection in self._connections:
                connection.close()

    def _read_on(self) -> None:
        product_ids = list(self._old)
        while not self._ended.wait(PAUSE_SECONDS):
            self.read(self._random.choice(product_ids))


def wrong_reads(reads: Sequence[Read], begun: float, ended: float) -> list[Read]:
    """Return the bodies that were wrong: none but old ones before a load, new ones after it.

    Args:
        reads: of the whole time.
        begun: when the load began, Unix seconds.
        ended: when it had ended.
    """
    return [
        read
        for read in reads
        if read.edition == "neither"
        or (read.ended < begun and read.edition != "old")
        or (read.began > ended + LAGGING_SECONDS and read.edition != "new")
    ]
