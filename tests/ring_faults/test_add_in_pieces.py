"""One `add` that is killed again and again, at each of its points in turn, until it is done."""

from collections.abc import Iterator

import pytest

from ring.operations.add import Add
from ring.statements import Consistency
from tests.support.operated_ring import KEYSPACE, OperatedRing, operated_ring

pytestmark = [pytest.mark.ring_faults, pytest.mark.timeout(3600)]

TABLE = "products_by_id"
# Within steps, besides those before each of them.
WITHIN = {
    "join": ("started", "streaming"),
    "cleanup": ("cleaned",),
    "replicate": ("announced",),
}


@pytest.fixture
def ring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatedRing]:
    """One node, its app server and nginx."""
    state = tmp_path_factory.mktemp("pieces")
    with operated_ring(state, prefix="127.0.73.", jmx_port=7733, ports=(7737, 7738)) as started:
        yield started


def points() -> Iterator[str]:
    """Iterate over the points of `add` in the order in which they are reached."""
    yield "add.lock"
    for step in Add.step_names:
        yield f"add.{step}"
        for within in WITHIN.get(step, ()):
            yield f"add.{step}.{within}"
    yield "add.unlock"


def test_add_when_killed_at_every_point_in_turn_then_it_goes_on_from_each(
    ring: OperatedRing,
) -> None:
    """A step that is done is not done again; at the end nothing is owed, and no row is missing."""
    rows = ring.count(1, TABLE)
    for point in points():
        ring.kill_at(point, "add", "node2")
        code, output = ring.run("unlock")
        assert code == 0, f"{point}: {output}"
    code, output = ring.run("add", "node2")
    assert code == 0, output
    status = ring.status()
    assert status["well"], status
    assert status["replication"][KEYSPACE] == {"datacenter1": 2}
    for number in (1, 2):
        assert ring.count(number, TABLE, consistency=Consistency.ONE) == rows
    # Every step but the last, which leaves no trace in the ring, was ended by one run alone.
    noted = ring.query(1, f"SELECT step, outcome FROM {KEYSPACE}.ring_journal")  # noqa: S608
    done = [row["step"] for row in noted if row["outcome"] == "done"]
    assert sorted(set(done) - {"seeds", ""}) == sorted(set(Add.step_names) - {"seeds"})
