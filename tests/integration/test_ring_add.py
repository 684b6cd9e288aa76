"""A node added to a running catalog by one command, while it is read from.

One stack for the whole file. The tests build on each other, in the order of the file.
"""

import signal
import time
from collections.abc import Iterator

import pytest

from ring.statements import Consistency
from tests.support.operated_ring import KEYSPACE, OperatedRing, operated_ring
from tests.support.steady_reader import reading

PRODUCTS = 200
TABLES = ("products_by_id", "products_by_block", "reviews_by_product", "questions_by_product")

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatedRing]:
    """One node, its app server and nginx."""
    state = tmp_path_factory.mktemp("add")
    with operated_ring(
        state, prefix="127.0.73.", jmx_port=7730, ports=(7735, 7736), products=PRODUCTS
    ) as started:
        yield started


@pytest.fixture(scope="module")
def counts(ring: OperatedRing) -> dict[str, int]:
    """Rows of each table before anything was done."""
    return {table: ring.count(1, table) for table in TABLES}


def test_add_when_dry_then_the_plan_and_no_change(
    ring: OperatedRing, counts: dict[str, int]
) -> None:
    """Nothing is noted, installed or started."""
    code, output = ring.run("add", "node2", "--dry-run")
    assert code == 0, output
    names = [line.split()[1] for line in output.splitlines() if "/" in line.split()[0]]
    assert names[:4] == ["install", "owe", "join", "check"]
    assert "(done" not in output
    status = ring.status()
    assert status["well"], status
    assert [node["host"] for node in status["nodes"]] == ["node1"]
    assert counts["products_by_id"] == PRODUCTS


def test_add_when_run_then_the_node_serves_all_rows_and_no_read_failed(
    ring: OperatedRing, counts: dict[str, int]
) -> None:
    """Node, app server, nginx, replication, cleanup; the lock is free again."""
    with reading(ring.base, products=PRODUCTS) as reader:
        code, output = ring.run("add", "node2")
    assert code == 0, output
    assert not reader.failures
    assert reader.answered > 100
    status = ring.status()
    assert status["well"], status
    assert [node["state"] for node in status["nodes"]] == ["UN", "UN"]
    assert status["replication"][KEYSPACE] == {"datacenter1": 2}
    assert status["nginx"] == [ring.address(1), ring.address(2)]
    assert status["lock"] is None
    assert status["owed_cleanups"] == status["unrepaired"] == []
    for table, rows in counts.items():
        assert ring.count(1, table, consistency=Consistency.QUORUM) == rows, table


def test_journal_when_read_then_what_was_done_in_its_order(ring: OperatedRing) -> None:
    """Cleanup only after the node had joined, replication only after the cleanup."""
    rows = ring.query(1, f"SELECT at, step, outcome, owner FROM {KEYSPACE}.ring_journal")  # noqa: S608
    rows.sort(key=lambda row: row["at"].time)
    done = [row["step"] for row in rows if row["outcome"] == "done"]
    assert done == [
        *("install", "owe", "join", "check", "app", "nginx", "cleanup"),
        *("replicate", "repair", "repair", "settle", "seeds", ""),
    ]
    assert len({row["owner"] for row in rows}) == 1
    code, output = ring.run("journal")
    assert code == 0
    assert len(output.splitlines()) == len(rows)


def test_add_when_run_again_then_nothing_is_done(ring: OperatedRing) -> None:
    """All that the ring can tell is done already."""
    code, output = ring.run("add", "node2")
    assert code == 0, output
    steps = [line for line in output.splitlines() if "/8 " in line]
    assert len(steps) == 8, output
    # The nodes' own files are no part of the ring: they are written anew.
    (again,) = [line for line in steps if "done already" not in line]
    assert again.split()[1] == "seeds"


def test_verify_when_replicas_hold_the_same_then_well(ring: OperatedRing) -> None:
    """Rows sampled from each table, read from both replicas."""
    code, output = ring.run("verify", "--rows", "20")
    assert code == 0, output
    assert ", 0 differ" in output


def test_new_node_when_the_old_one_is_dead_then_it_alone_has_all_rows(
    ring: OperatedRing, counts: dict[str, int]
) -> None:
    """Every row was streamed or repaired to it; and the dead one is told from a well one."""
    dead = ring.node(1)
    assert dead is not None
    dead.signal(signal.SIGKILL)
    while ring.node(1) is not None:
        time.sleep(0.1)
    for table, rows in counts.items():
        assert ring.count(2, table, consistency=Consistency.ONE) == rows, table
    status = ring.status()
    assert not status["well"]
    assert f"{ring.address(1)} is down (DN)" in status["problems"]
    code, output = ring.run("cleanup", "--all")
    assert code == 3, output
    assert "catalog-ring replace" in output
