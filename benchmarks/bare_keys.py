"""Many keys a request from a bare client: what a bulk read over HTTP is compared with."""

import asyncio
import random
import time
from typing import Final

import uvloop

from benchmarks.node import Node
from benchmarks.seeding import KEYSPACE
from ring import RingClient, RingSettings
from schema.statements import API_STATEMENTS
from schema.statements.products import SELECT_PRODUCT

_READY_SECONDS: Final = 60.0


def keys_per_second(node: Node, *, ids: int, keys: int, in_flight: int, seconds: float) -> float:
    """Ask for so many random products at once, over and over; returns the products/s.

    Raises:
        RingError: the node does not answer.
    """
    return uvloop.run(_measure(node, ids, keys, in_flight, seconds))


async def _measure(node: Node, ids: int, keys: int, in_flight: int, seconds: float) -> float:
    settings = RingSettings(contact_points=(node.address,), keyspace=KEYSPACE)
    ring = await RingClient.open(settings, API_STATEMENTS)
    chance = random.Random(7)  # noqa: S311 -- which keys is no secret
    found = 0

    async def ask(until: float) -> None:
        nonlocal found
        while time.perf_counter() < until:
            wanted = [chance.randint(1, ids) for _ in range(keys)]
            found += len(await ring.fetch_many(SELECT_PRODUCT.name, wanted))

    try:
        await ring.wait_ready(_READY_SECONDS)
        began = time.perf_counter()
        await asyncio.gather(*(ask(began + seconds) for _ in range(in_flight)))
        return found / (time.perf_counter() - began)
    finally:
        await ring.aclose()
