"""Cassandra is killed in the middle of a load and comes back: the load goes on and loses no row."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ring import RingSettings
from ring.apply_schema import apply_schema
from ring.nodes.local_ring import LocalRing
from ring.nodes.settings import REPOSITORY
from tests.support.ccm import ring_of_one
from tests.support.legacy_files import write_files
from tests.support.stored_tables import load_directory, read_tables

ADDRESS_PREFIX = "127.0.12."
ADDRESS = ADDRESS_PREFIX + "1"
JMX_PORT = 17_290
PRODUCTS = 4_000

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
    load = asyncio.create_task(load_directory(tmp_path, settings, slice_products=1_000))
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
