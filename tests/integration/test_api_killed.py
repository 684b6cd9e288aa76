"""App servers that are killed while they change products: nothing stays wrong for long."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator

import aiohttp
import orjson

from catalog_api.keys import RING, SWEEPER
from catalog_api.settings import ApiSettings
from ring import RingSettings
from schema.statements.changes import SELECT_INTENTS
from tests.support.api import HOST, running_catalog
from tests.support.catalog_documents import NEW
from tests.support.editor import AS_EDITOR
from tests.support.stored_catalog import CatalogProduct, plain_product
from tests.support.stored_tables import read_tables

PRODUCTS = 60
CALLERS = 12
KILLS = 3
INTENT_SECONDS = 4.0
PATIENCE_SECONDS = 40.0


@contextlib.asynccontextmanager
async def doomed_server(
    settings: RingSettings,
) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """Run the program in a process group of its own; yields its address."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "catalog_api"),
        env={
            "PATH": os.environ["PATH"],
            "CATALOG_CONTACT_POINTS": ",".join(settings.contact_points),
            "CATALOG_KEYSPACE": settings.keyspace,
            "CATALOG_PORT": str(port),
        },
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield f"http://{HOST}:{port}", process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _wait_ready(base: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), aiohttp.ClientSession(base) as client:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with client.get("/readyz") as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.1)


async def _change(base: str, acknowledged: dict[int, bool], ids: list[int]) -> None:
    """Create and delete products until the server is gone; note whether each lives."""
    pick = random.Random(ids[0])  # noqa: S311 - a seeded sequence is the point
    async with aiohttp.ClientSession(base, headers=AS_EDITOR) as client:
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            while True:
                product_id = pick.choice(ids)
                acknowledged.pop(product_id, None)
                path = f"/v1/products/{product_id}"
                if pick.random() < 0.5:
                    async with client.delete(path) as response:
                        assert response.status in {204, 404}
                        acknowledged[product_id] = False
                else:
                    async with client.put(path, json=NEW) as response:
                        assert response.status in {200, 201}
                        acknowledged[product_id] = True


async def test_server_when_killed_amid_changes_then_another_makes_all_lists_right(
    ring_settings: RingSettings,
) -> None:
    """Killed again and again: no acknowledged change is lost, every list agrees with the rows."""
    catalog = [CatalogProduct(plain_product(1))]
    quick = ApiSettings(
        request_deadline_seconds=2.0,
        intent_seconds=INTENT_SECONDS,
        idempotency_lease_seconds=INTENT_SECONDS,
    )
    acknowledged: dict[int, bool] = {}
    every = range(10, 10 + PRODUCTS)
    async with running_catalog(ring_settings, catalog, quick) as api:
        for _ in range(KILLS):
            async with doomed_server(ring_settings) as (base, process):
                await _wait_ready(base)
                callers = [
                    asyncio.create_task(_change(base, acknowledged, [*every[place::CALLERS]]))
                    for place in range(CALLERS)
                ]
                await asyncio.sleep(1.0)
                os.killpg(process.pid, signal.SIGKILL)
                await asyncio.gather(*callers)
        await asyncio.sleep(INTENT_SECONDS + 1)
        await api.app[SWEEPER].sweep()
        assert api.app[SWEEPER].finished > 0
        for bucket in range(16):
            values = (bucket, 0, 2**62)
            assert await api.app[RING].execute(SELECT_INTENTS.name, values) == []
    stored = await read_tables(ring_settings)
    living = [row[0] for row in stored.tables["products_by_id"] if row[1]]
    assert stored.listed_ids() == living
    assert sum(stored.counted().values()) == len(living)
    rows = {row[1]: row[2] for row in stored.tables["products_by_block"]}
    assert {product_id for product_id, body in rows.items() if body} == set(living)
    assert len(acknowledged) > PRODUCTS / 4
    assert {one for one, lives in acknowledged.items() if lives} <= set(living)
    assert {one for one, lives in acknowledged.items() if not lives}.isdisjoint(living)
    names = {orjson.loads(rows[one])["name"] for one in living if one != 1}
    assert names <= {NEW["name"]}
