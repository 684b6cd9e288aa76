"""A node removed from a running catalog, and another restarted, while it is read from.

One stack for the whole file. The tests build on each other, in the order of the file.
"""

from collections.abc import Iterator

import pytest

from ring.statements import Consistency
from tests.support.operated_ring import KEYSPACE, OperatedRing, operated_ring
from tests.support.steady_reader import reading

PRODUCTS = 100
TABLES = ("products_by_id", "products_by_block", "reviews_by_product")

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatedRing]:
    """Three nodes with two replicas, so that one can go."""
    with operated_ring(
        tmp_path_factory.mktemp("moves"),
        prefix="127.0.77.",
        jmx_port=7770,
        ports=(7775, 7776),
        nodes=3,
        products=PRODUCTS,
        settings={"CATALOG_REPLICATION_FACTOR": "2"},
    ) as started:
        yield started


@pytest.fixture(scope="module")
def counts(ring: OperatedRing) -> dict[str, int]:
    """Rows of each table before anything was done."""
    return {table: ring.count(1, table, consistency=Consistency.ALL) for table in TABLES}


def test_restart_when_a_quorum_would_be_lost_then_refused(ring: OperatedRing) -> None:
    """Two replicas do not outlive the loss of one."""
    code, output = ring.run("restart")
    assert code == 3, output
    assert "--accept-outage" in output


def test_remove_when_run_then_the_others_have_all_rows_and_no_read_failed(
    ring: OperatedRing, counts: dict[str, int]
) -> None:
    """Out of nginx first, wiped at the end; gossip, nginx and lock know nothing of it any more."""
    with reading(ring.base, products=PRODUCTS) as reader:
        code, output = ring.run("remove", "node3")
    assert code == 0, output
    assert "streaming" in output
    assert not reader.failures
    assert reader.answered > 100
    status = ring.status()
    assert status["well"], status
    assert [node["host"] for node in status["nodes"]] == ["node1", "node2"]
    assert status["nginx"] == [ring.address(1), ring.address(2)]
    assert status["lock"] is None
    assert ring.node(3) is None
    assert not (ring.state / "ring" / "catalog" / "node3").exists()
    for table, rows in counts.items():
        for number in (1, 2):
            assert ring.count(number, table, consistency=Consistency.ALL) == rows, table


def test_remove_when_run_again_then_nothing_is_left_to_do(ring: OperatedRing) -> None:
    """A run that was killed at its very end is run again, too."""
    code, output = ring.run("remove", "node3")
    assert code == 0, output
    assert "node3 is no node of the ring" in output


def test_remove_when_too_few_nodes_would_stay_then_refused(ring: OperatedRing) -> None:
    """Two replicas need two nodes."""
    code, output = ring.run("remove", "node2")
    assert code == 3, output
    assert "catalog keeps 2 replicas, and 1 node(s) would stay" in output


def test_restart_when_run_then_the_node_is_a_new_process_and_no_read_failed(
    ring: OperatedRing,
) -> None:
    """The app reads products at LOCAL_ONE, which the other node answers meanwhile."""
    before = ring.node(2)
    with reading(ring.base, products=PRODUCTS) as reader:
        code, output = ring.run("restart", "node2", "--accept-outage")
    assert code == 0, output
    assert not reader.failures
    assert ring.node(2) not in (None, before)
    status = ring.status()
    assert status["well"], status
    rows = ring.query(1, f"SELECT step, outcome FROM {KEYSPACE}.ring_journal")  # noqa: S608
    done = {row["step"] for row in rows if row["outcome"] == "done"}
    assert {"front-out", "warm", "front-in"} <= done
