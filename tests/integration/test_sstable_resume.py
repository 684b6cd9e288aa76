"""A replica that is dead while SSTables are delivered gets them when it is back."""

import dataclasses
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from etl.writers.node_access import fetch_ring
from etl.writers.ring_import import deliver
from etl.writers.staging import EVERYWHERE, Staged, StagedTable, TargetPlan
from ring import RingSettings
from ring.nodes.local_ring import LocalRing
from ring.nodes.process import wait_until_gone
from tests.support.ccm import open_ring, ring_settings_for_tests
from tests.support.cql_tables import run_cql
from tests.support.sstables import plan_of, program, stage

pytestmark = [pytest.mark.ring, pytest.mark.timeout(600)]
ITEMS = StagedTable(
    "items",
    "CREATE TABLE items (id bigint PRIMARY KEY, name text)",
    (("id", "bigint"), ("name", "text")),
)
KEYSPACE = (
    "CREATE KEYSPACE shop WITH replication ="
    " {'class': 'NetworkTopologyStrategy', 'replication_factor': 2}"
)
ROWS = 500


@pytest.fixture
def pair() -> Iterator[LocalRing]:
    """Two nodes that a test may kill."""
    settings = dataclasses.replace(
        ring_settings_for_tests(os.environ), nodes=2, address_prefix="127.0.14.", jmx_port=17400
    )
    # Nodes that keep what they acknowledged, their schema too, as those of a user do.
    ring = open_ring(settings, "tests-resume", fresh=True, jvm_arguments=())
    try:
        ring.start(timeout_seconds=settings.start_timeout_seconds)
        yield ring
    finally:
        ring.stop()


async def test_replica_when_dead_at_the_delivery_then_served_by_the_next(
    pair: LocalRing, tmp_path: Path
) -> None:
    """The living one has its rows at once; the record keeps what the dead one lacks."""
    first, second = pair.nodes
    settings = RingSettings(
        contact_points=(first.address,), keyspace="shop", request_timeout_seconds=10.0
    )
    await run_cql(dataclasses.replace(settings, keyspace="system"), KEYSPACE)
    await run_cql(settings, ITEMS.cql)
    target_plan = TargetPlan.of_ring(await fetch_ring(settings))
    assert set(target_plan.targets) == {EVERYWHERE}
    staged = await stage(
        plan_of(ITEMS, target_plan=target_plan),
        tmp_path / "staging",
        ("items", "SELECT i AS id, 'n' || i AS name FROM range(500) AS r(i)"),
    )
    process = second.process()
    assert process is not None
    process.signal(signal.SIGKILL)
    assert wait_until_gone([process], timeout_seconds=30)

    delivery = await deliver(staged, program(), settings)
    assert not delivery.complete
    assert len(delivery.delivered) == 1
    assert [second.address in problem for problem in delivery.pending.values()] == [True]
    assert await rows_at(settings, first.address) == ROWS

    pair.start()
    # A new process would know the folder alone.
    delivery = await deliver(Staged.read(staged.directory), program(), settings)
    assert delivery.complete
    assert len(delivery.delivered) == 2
    first.nodetool("disablegossip")
    assert await rows_at(settings, second.address) == ROWS


async def rows_at(settings: RingSettings, address: str) -> int:
    """Count the rows that a node serves alone: at ONE, a replica asks itself."""
    one = dataclasses.replace(settings, contact_points=(address,))
    return len(await run_cql(one, "SELECT id, name FROM items"))
