"""Removals, restarts and replacements that are killed again and again, until they are done.

Each kill is a SIGKILL of the script at one of its points; the nodes go on by themselves.
"""

import signal
import time
from collections.abc import Iterator, Sequence

import pytest

from ring.operations.remove import Remove
from ring.operations.replace import Replace
from ring.operations.restart import Restart
from ring.statements import Consistency
from tests.support.operated_ring import OperatedRing, operated_ring
from tests.support.steady_reader import reading

pytestmark = [pytest.mark.ring_faults, pytest.mark.timeout(5400)]

PRODUCTS = 100
TABLE = "products_by_id"
NODE4 = "node4"


@pytest.fixture
def one_replica(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatedRing]:
    """Three nodes with one replica of each row: what is not handed over is lost."""
    with operated_ring(
        tmp_path_factory.mktemp("one"),
        prefix="127.0.77.",
        jmx_port=7770,
        ports=(7775, 7776),
        nodes=3,
        products=PRODUCTS,
        settings={"CATALOG_REPLICATION_FACTOR": "1"},
    ) as started:
        yield started


@pytest.fixture
def three_replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatedRing]:
    """Three nodes with three replicas of each row."""
    with operated_ring(
        tmp_path_factory.mktemp("three"),
        prefix="127.0.77.",
        jmx_port=7770,
        ports=(7775, 7776),
        nodes=3,
        products=PRODUCTS,
    ) as started:
        yield started


def points(name: str, steps: Sequence[str], within: Sequence[str] = ()) -> Iterator[str]:
    """Iterate over an operation's points in the order in which they are reached."""
    yield f"{name}.lock"
    for step in steps:
        yield f"{name}.{step}"
        yield from (f"{name}.{point}" for point in within if point.startswith(f"{step}."))
    yield f"{name}.unlock"


def run_in_pieces(ring: OperatedRing, all_points: Iterator[str], *arguments: str) -> str:
    """Kill a command at each point in turn, then let it end; return what the last run printed."""
    for point in all_points:
        ring.kill_at(point, *arguments)
        code, output = ring.run("unlock")
        assert code == 0, f"{point}: {output}"
    code, output = ring.run(*arguments)
    assert code == 0, output
    return output


def test_remove_when_killed_at_every_point_in_turn_then_no_row_is_lost(
    one_replica: OperatedRing,
) -> None:
    """Rows of one replica are on the nodes that stay, or nowhere."""
    ring = one_replica
    rows = ring.count(1, TABLE, consistency=Consistency.ALL)
    all_points = points("remove", Remove.step_names, within=("leave.leaving",))
    output = run_in_pieces(ring, all_points, "remove", "node3")
    assert "no data of one is left" in output
    ring.kill_at("remove.leave.streaming", "remove", "node2")
    ring.run("unlock")
    code, output = ring.run("remove", "node2")
    assert code == 0, output
    status = ring.status()
    assert status["well"], status
    assert [node["host"] for node in status["nodes"]] == ["node1"]
    assert status["nginx"] == [ring.address(1)]
    assert ring.count(1, TABLE, consistency=Consistency.ALL) == rows
    for number in (2, 3):
        assert ring.node(number) is None
        assert not (ring.state / "ring" / "catalog" / f"node{number}").exists()


def test_remove_when_the_leaving_node_dies_then_it_is_started_and_leaves(
    one_replica: OperatedRing,
) -> None:
    """It is a member still, with all its rows; a leaving that was cut off is begun again."""
    ring = one_replica
    rows = ring.count(1, TABLE, consistency=Consistency.ALL)
    ring.kill_at("remove.leave.leaving", "remove", "node3")
    ring.run("unlock")
    kill(ring, 3)
    code, output = ring.run("remove", "node3")
    assert code == 3, output
    assert "catalog-ring restart node3" in output
    code, output = ring.run("restart", "node3")
    assert code == 0, output
    assert ring.count(1, TABLE, consistency=Consistency.ALL) == rows
    code, output = ring.run("remove", "node3")
    assert code == 0, output
    assert ring.count(1, TABLE, consistency=Consistency.ALL) == rows


def test_restart_when_killed_at_every_point_in_turn_then_the_node_comes_back_once(
    three_replicas: OperatedRing,
) -> None:
    """No read fails, and a node that was restarted is not restarted for having been so."""
    ring = three_replicas
    with reading(ring.base, products=PRODUCTS) as reader:
        run_in_pieces(ring, points("restart", Restart.step_names), "restart", "node2")
    assert not reader.failures
    assert ring.status()["well"]
    before = [ring.node(number) for number in (1, 2, 3)]
    ring.kill_at("restart.warm", "restart", "node1")
    restarted = ring.node(1)
    ring.run("unlock")
    code, output = ring.run("restart", "node1")
    assert code == 0, output
    assert [ring.node(number) for number in (1, 2, 3)] == [restarted, *before[1:]]


def test_restart_when_a_node_does_not_come_back_then_it_ends_with_the_cause(
    three_replicas: OperatedRing,
) -> None:
    """The node stays out of nginx, the others are left alone; mended, the same command goes on."""
    ring = three_replicas
    before = [ring.node(number) for number in (1, 3)]
    options = ring.state / "ring" / "catalog" / "node2" / "conf" / "jvm17-server.options"
    text = options.read_text(encoding="utf-8")
    with reading(ring.base, products=PRODUCTS) as reader:
        ring.kill_at("restart.start", "restart", "node2")
        ring.run("unlock")
        options.write_text(text + "\n-XX:+NoSuchOption\n", encoding="utf-8")
        code, output = ring.run("restart", "node2")
        assert code == 1, output
        assert "ended while starting" in output
        status = ring.status()
        assert ring.address(2) not in status["nginx"]
        code, output = ring.run("restart", "node1")
        assert code == 3, output
        assert f"{ring.address(2)} is down" in output
        options.write_text(text, encoding="utf-8")
        code, output = ring.run("restart", "node2")
        assert code == 0, output
    assert not reader.failures
    assert ring.status()["well"]
    assert [ring.node(number) for number in (1, 3)] == before


def test_replace_when_killed_at_every_point_in_turn_then_all_rows_are_there(
    three_replicas: OperatedRing,
) -> None:
    """A node killed by SIGKILL; its replacement is killed and frozen on the way, too."""
    ring = three_replicas
    rows = ring.count(1, TABLE, consistency=Consistency.ALL)
    with reading(ring.base, products=PRODUCTS) as reader:
        kill(ring, 2)
        code, output = ring.run("remove", "node2")
        assert code == 3, output
        assert "catalog-ring replace node2 HOST" in output
        for point in points("replace", Replace.step_names, within=("join.started",)):
            ring.kill_at(point, "replace", "node2", NODE4)
            ring.run("unlock")
            if point == "replace.join.started":
                # It is wiped and tried again.
                kill(ring, 4)
        code, output = ring.run("replace", "node2", NODE4)
        assert code == 0, output
    assert not reader.failures
    status = ring.status()
    assert status["well"], status
    assert [node["host"] for node in status["nodes"]] == ["node1", "node3", NODE4]
    assert status["nginx"] == [ring.address(number) for number in (1, 3, 4)]
    for number in (1, 3, 4):
        assert ring.count(number, TABLE, consistency=Consistency.ONE) == rows
    assert not (ring.state / "ring" / "catalog" / "node2").exists()


def test_replace_when_the_dead_node_comes_back_then_given_up(three_replicas: OperatedRing) -> None:
    """It keeps its tokens, and what was to take its place is gone."""
    ring = three_replicas
    kill(ring, 2)
    with ring.start("replace", "node2", NODE4) as replacing:
        deadline = time.monotonic() + 300
        while ring.node(4) is None:
            assert time.monotonic() < deadline
            time.sleep(1.0)
        code, output = ring.run("restart", "node2")
        # The lock keeps a restart from it; whoever starts the node by other means is not kept.
        assert code == 4, output
        start_by_hand(ring, 2)
        output, _ = replacing.communicate(timeout=600)
    assert replacing.returncode == 1, output
    assert "node2 has come back" in output
    assert ring.node(4) is None
    assert not (ring.state / "ring" / "catalog" / NODE4).exists()
    states = {node["host"]: node["state"] for node in ring.status()["nodes"]}
    assert states["node2"] == "UN"


def kill(ring: OperatedRing, number: int) -> None:
    """Kill a node, as a machine that loses its power would."""
    process = ring.node(number)
    assert process is not None
    process.signal(signal.SIGKILL)
    while ring.node(number) is not None:
        time.sleep(0.1)


def start_by_hand(ring: OperatedRing, number: int) -> None:
    """Start a node as its unit would after a boot: its own script, nobody asked."""
    import os
    import subprocess

    folder = ring.state / "ring" / "catalog" / f"node{number}"
    environ = {
        **os.environ,
        "CASSANDRA_INCLUDE": str(folder / "bin" / "cassandra.in.sh"),
        "JVM_EXTRA_OPTS": ring.environ["CATALOG_JVM_ARGUMENTS"],
    }
    command = [str(folder / "bin" / "cassandra"), "-R", "-p", str(folder / "cassandra.pid")]
    command += [f"-Dcassandra.logdir={folder / 'logs'}"]
    subprocess.run(command, env=environ, check=True, timeout=60)
