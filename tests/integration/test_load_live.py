"""A load while the shop is open: readers lose nothing and see whole bodies, old or new."""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from catalog_api.settings import ApiSettings
from etl.exit_status import ExitStatus
from etl.writers.choice import Via
from ring import RingSettings
from ring.nodes.settings import REPOSITORY
from schema.documents import render_product
from tests.support.api import RunningApi, running_catalog
from tests.support.legacy_files import write_files
from tests.support.stored_catalog import CatalogProduct, plain_product

STORED = 1_000
LOADED = 2_000
READS_PER_SECOND = 300
# Three nodes, the load and this process share two cores.
DEADLINE_SECONDS = 20.0

pytestmark = pytest.mark.timeout(300)


def _old_body(product_id: int) -> bytes:
    return render_product(plain_product(product_id))


def _new_body(product_id: int) -> bytes:
    return render_product(plain_product(product_id, name=f"another name {product_id}"))


class Readers:
    """Reads products that are stored, so many a second, whether or not earlier reads have ended.

    Attributes:
        seen: how reads ended: "old" and "new" bodies, or what else came.
    """

    def __init__(self, api: RunningApi) -> None:
        self.seen: Counter[str] = Counter()
        self._api = api

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Read until the block ends; then wait for the reads under way."""
        ended = asyncio.Event()
        reading = asyncio.create_task(self._read_on(ended))
        try:
            yield
        finally:
            ended.set()
            await reading

    async def _read_on(self, ended: asyncio.Event) -> None:
        started = time.monotonic()
        sent = 0
        async with asyncio.TaskGroup() as group:
            while not ended.is_set():
                due = int((time.monotonic() - started) * READS_PER_SECOND) + 1
                for number in range(sent, due):
                    # Coprime to how many there are: every product in turn, neighbours far apart.
                    group.create_task(self._read(1 + number * 377 % STORED))
                sent = due
                await asyncio.sleep(0.005)

    async def _read(self, product_id: int) -> None:
        async with self._api.client.get(f"/products/{product_id}") as response:
            body = await response.read()
        known = {_old_body(product_id): "old", _new_body(product_id): "new"}
        other = f"status {response.status}, {body[:200]!r}"
        self.seen[known.get(body, other) if response.status == 200 else other] += 1


@pytest.mark.parametrize("via", [Via.SSTABLE, Via.DRIVER])
async def test_reads_when_a_load_runs_then_none_fails_and_each_is_old_or_new(
    via: Via, tmp_path: Path, ring_settings: RingSettings
) -> None:
    """Old bodies before, old or new ones meanwhile, new ones afterwards, nothing else ever."""
    catalog = [CatalogProduct(plain_product(number)) for number in range(1, STORED + 1)]
    settings = ApiSettings(
        request_deadline_seconds=DEADLINE_SECONDS,
        intent_seconds=2 * DEADLINE_SECONDS,
        idempotency_lease_seconds=2 * DEADLINE_SECONDS,
    )
    async with running_catalog(ring_settings, catalog, settings) as api:
        readers = Readers(api)
        async with readers.reading():
            await asyncio.sleep(1.0)
            assert set(readers.seen) == {"old"}
            before = readers.seen.total()
            await _load(tmp_path, ring_settings, via)
            during = readers.seen.total() - before
            await asyncio.sleep(1.0)
        assert set(readers.seen) == {"old", "new"}
        assert during > READS_PER_SECOND
        readers.seen.clear()
        async with readers.reading():
            await asyncio.sleep(1.0)
        assert set(readers.seen) == {"new"}
        for product_id in range(STORED + 1, LOADED + 1, 50):
            async with api.client.get(f"/products/{product_id}") as response:
                assert await response.read() == _new_body(product_id)


async def _load(directory: Path, ring_settings: RingSettings, via: Via) -> None:
    """Load all products with other names as of now."""
    lines = (
        f"{number},another name {number},slogan {number},description {number},"
        f"category {number},140\n"
        for number in range(1, LOADED + 1)
    )
    write_files(directory, {"product": "".join(lines)})
    environ = os.environ | {
        "CATALOG_CONTACT_POINTS": ",".join(ring_settings.contact_points),
        "CATALOG_KEYSPACE": ring_settings.keyspace,
    }
    as_of = str(time.time_ns() // 1_000)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "etl", "load", str(directory), "--via", via, "--as-of", as_of,
        cwd=REPOSITORY, env=environ, start_new_session=True,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, problems = await process.communicate()
    assert process.returncode == ExitStatus.CLEAN, problems.decode()
