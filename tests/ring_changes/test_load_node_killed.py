"""One node of three is killed in the middle of a load by each writer, and comes back."""

import asyncio
import dataclasses
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.account import Account
from etl.writers.choice import Via
from etl.writers.node_access import fetch_ring
from ring import RingSettings
from ring.apply_schema import apply_schema
from ring.nodes.local_ring import LocalRing
from ring.nodes.settings import REPOSITORY
from tests.support.ccm import open_ring, ring_settings_for_tests
from tests.support.cql_tables import run_cql
from tests.support.legacy_files import write_files
from tests.support.stored_tables import load_directory, read_tables

ADDRESS_PREFIX = "127.0.16."
JMX_PORT = 17_600
PRODUCTS = 20_000
DOWN_SECONDS = 5.0

pytestmark = [
    pytest.mark.ring,
    pytest.mark.faults,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]


@pytest.fixture
def three() -> Iterator[LocalRing]:
    """Three nodes that keep what they acknowledged."""
    settings = dataclasses.replace(
        ring_settings_for_tests(os.environ), address_prefix=ADDRESS_PREFIX, jmx_port=JMX_PORT
    )
    ring = open_ring(settings, "tests-load-three", fresh=True, jvm_arguments=())
    try:
        ring.start(timeout_seconds=settings.start_timeout_seconds)
        yield ring
    finally:
        ring.stop()


async def _killed_and_back(ring: LocalRing, load: "asyncio.Task[Account]") -> None:
    """Kill the second node while the load writes, and start it again."""
    process = ring.nodes[1].process()
    assert process is not None
    assert not load.done()
    process.signal(signal.SIGKILL)
    await asyncio.sleep(DOWN_SECONDS)
    await asyncio.to_thread(ring.start)


async def _rows_of(settings: RingSettings, address: str) -> int:
    """Count the products that a node serves alone: at ONE, a replica asks itself."""
    one = dataclasses.replace(settings, contact_points=(address,))
    return len(await run_cql(one, "SELECT product_id FROM products_by_id"))


@pytest.mark.parametrize("via", [Via.DRIVER, Via.SSTABLE])
async def test_load_when_one_of_three_is_killed_and_returns_then_nothing_is_lost_or_rejected(
    via: Via, three: LocalRing, tmp_path: Path
) -> None:
    """The load ends by itself: writes go on with two of three, SSTables wait for the third."""
    settings = RingSettings(
        contact_points=tuple(node.address for node in three.nodes),
        keyspace="load_killed",
        request_timeout_seconds=10.0,
    )
    await apply_schema(settings, Path(REPOSITORY) / "schema", replication_factor=3)
    rows = "".join(f'{number},"a","b","c","d",1\n' for number in range(1, PRODUCTS + 1))
    write_files(tmp_path, {"product": rows})
    load = asyncio.create_task(load_directory(tmp_path, settings, slice_products=1_000, via=via))
    if via is Via.DRIVER:
        while not (await read_tables(settings)).product_ids():
            assert not load.done()
    else:
        while not list(tmp_path.glob(".work/*/sstables/products/plan.json")):  # noqa: ASYNC240 - small
            await asyncio.sleep(0.05)
            assert not load.done()
    await _killed_and_back(three, load)
    account = await load
    wanted = list(range(1, PRODUCTS + 1))
    assert account.rejected_rows == 0
    assert account.rows_written == 2 * PRODUCTS
    stored = await read_tables(settings)
    assert stored.product_ids() == stored.listed_ids() == wanted
    if via is Via.SSTABLE:
        state = await fetch_ring(settings)
        assert len(state.nodes) == 3
        assert [await _rows_of(settings, node.address) for node in three.nodes] == [PRODUCTS] * 3
