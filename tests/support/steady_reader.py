"""Somebody who reads products through nginx, one after the other, and keeps what failed."""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_TIMEOUT_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.02


class SteadyReader(threading.Thread):
    """Reads until it is ended.

    Attributes:
        answered: how many reads were.
        failures: the others, with their reasons.
    """

    def __init__(self, base: str, *, products: int) -> None:
        """Take where nginx listens, and how many products there are, numbered from 1."""
        super().__init__(daemon=True)
        self._base = base
        self._products = products
        self._ended = threading.Event()
        self.answered = 0
        self.failures: list[str] = []

    def run(self) -> None:
        """Read product after product."""
        product_id = 0
        while not self._ended.is_set():
            product_id = product_id % self._products + 1
            try:
                url = f"{self._base}/products/{product_id}"
                with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS):  # noqa: S310
                    self.answered += 1
            except (OSError, urllib.error.URLError) as error:
                self.failures.append(f"product {product_id}: {error}")
            time.sleep(_PAUSE_SECONDS)

    def end(self) -> None:
        """Let the read that is under way be the last."""
        self._ended.set()
        self.join(timeout=3 * _TIMEOUT_SECONDS)


@contextmanager
def reading(base: str, *, products: int) -> Iterator[SteadyReader]:
    """Read for as long as the block runs."""
    reader = SteadyReader(base, products=products)
    reader.start()
    try:
        yield reader
    finally:
        reader.end()
