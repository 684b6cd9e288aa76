"""Cassandra dies or freezes in the middle of a load and comes back: no row is lost or refused."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from etl.settings import EtlSettings
from etl.writers.patient import PatientRing
from ring import Consistency, RingClient, RingSettings, RowBatch, Statement
from ring.apply_schema import apply_schema
from ring.nodes.local_ring import LocalRing
from ring.nodes.settings import REPOSITORY
from schema.documents import block_of
from schema.statements.load import WRITE_BLOCK_ROW
from tests.support.ccm import ring_of_one
from tests.support.legacy_files import write_files
from tests.support.scripted_ring import until
from tests.support.stored_tables import load_directory, read_tables

ADDRESS_PREFIX = "127.0.12."
ADDRESS = ADDRESS_PREFIX + "1"
JMX_PORT = 17_290
PRODUCTS = 4_000
FROZEN_SECONDS = 4.0
SELECT_IDS = Statement(
    "select_ids",
    "SELECT product_id FROM products_by_block",
    Consistency.LOCAL_QUORUM,
    idempotent=True,
)

pytestmark = [
    pytest.mark.ring,
    pytest.mark.timeout(600),
    # ccm 3.1.5 reads versions the old way and leaves its children's output open.
    pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]


@pytest.fixture
def one_node() -> Iterator[LocalRing]:
    """A ring of one node of this test alone, started."""
    with ring_of_one("tests-load-ring", ADDRESS_PREFIX, JMX_PORT) as ring:
        ring.start()
        yield ring


async def test_load_when_the_only_node_dies_and_returns_then_every_row_is_stored(
    one_node: LocalRing, tmp_path: Path
) -> None:
    """Writes wait for a node to take them; what it acknowledged and lost is written again."""
    settings = RingSettings(contact_points=(ADDRESS,), keyspace="load_outage")
    await apply_schema(settings, Path(REPOSITORY) / "schema")
    rows = "".join(f'{number},"a","b","c","d",1\n' for number in range(1, PRODUCTS + 1))
    write_files(tmp_path, {"product": rows})
    load = asyncio.create_task(
        load_directory(tmp_path, settings, slice_products=1_000, rows_per_second=2_000)
    )
    while not (await read_tables(settings)).product_ids():
        assert not load.done()
    process = one_node.nodes[0].process()
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    await asyncio.sleep(1.0)
    assert not load.done()
    await asyncio.to_thread(one_node.start)
    account = await load
    stored = await read_tables(settings)
    wanted = list(range(1, PRODUCTS + 1))
    assert account.rows_written == 2 * PRODUCTS
    assert stored.product_ids() == stored.listed_ids() == wanted
    assert [row[1] for row in stored.tables["products_by_block"]] == wanted
    assert sum(stored.counted().values()) == PRODUCTS


class Writing:
    """Rows written one block after the other until told to stop.

    Attributes:
        rows: how many were given to the ring; their ids are 1 and following.
    """

    def __init__(self, ring: PatientRing) -> None:
        self.rows = 0
        self.stopping = False
        self._ring = ring
        self._as_of = time.time_ns() // 1_000

    async def run(self) -> None:
        """Write; raises as soon as a row is refused or given up."""
        await self._ring.for_each(self._batches(), self._ring.write)

    async def _batches(self) -> AsyncIterator[RowBatch]:
        while not self.stopping:
            ids = range(self.rows + 1, self.rows + 1_001)
            rows = [(block_of(one), one, b"{}" * 100, self._as_of) for one in ids]
            for batch in self._ring.gather(WRITE_BLOCK_ROW.name, rows):
                yield batch
            self.rows += len(ids)


async def test_writes_when_the_only_node_freezes_then_fewer_at_a_time_and_none_is_lost(
    one_node: LocalRing,
) -> None:
    """A slow node never makes a good row a bad one; once it is well it gets more again."""
    settings = RingSettings(contact_points=(ADDRESS,), keyspace="load_freeze")
    await apply_schema(settings, Path(REPOSITORY) / "schema")
    process = one_node.nodes[0].process()
    assert process is not None
    client = await RingClient.open(settings, (WRITE_BLOCK_ROW, SELECT_IDS))
    try:
        await client.wait_ready(30.0)
        ring = PatientRing(client, EtlSettings())
        writing = Writing(ring)
        task = asyncio.create_task(writing.run())
        await until(lambda: ring.limit.limit >= 16, 60.0)
        os.kill(process.pid, signal.SIGSTOP)
        try:
            before, decreases = ring.limit.limit, ring.limit.decreases
            await asyncio.sleep(FROZEN_SECONDS)
            assert ring.in_flight > 0
        finally:
            os.kill(process.pid, signal.SIGCONT)
        await until(lambda: ring.limit.decreases > decreases, 30.0)
        frozen = ring.limit.limit
        assert frozen < before
        await until(lambda: ring.limit.limit > frozen + 1, 60.0)
        writing.stopping = True
        await task
        assert (ring.in_flight, ring.rows_waiting) == (0, 0)
        pages = client.pages(SELECT_IDS.name, page_rows=5_000, timeout_seconds=20.0)
        stored = [row[0] async for rows in pages for row in rows]
    finally:
        await client.aclose()
    assert sorted(stored) == list(range(1, writing.rows + 1))
