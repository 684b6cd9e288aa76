"""The load and its check notice what they are there for: each wrong is done behind their backs.

One stack of one node for the whole file; the tests build on each other, in the order of the file.
"""

# ruff: noqa: S608 -- a table's name and numbers of our own

import asyncio
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.ring_load.check import Checked
from benchmarks.ring_load.ledger import Outcome, Table, Verdict, Write
from benchmarks.ring_load.record import recorded_writes
from benchmarks.ring_load.rows import TABLE, payload
from benchmarks.ring_load.running import RingLoad
from benchmarks.ring_load.stored import QUORUM, connected
from benchmarks.ring_stack import RingStack, StackPlace
from ring.transport import query

PRODUCTS = 300
LOAD_SECONDS = 8.0
WRONG_SECONDS = 3.0

pytestmark = [pytest.mark.ring, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stack() -> Iterator[RingStack]:
    """One node, its app server, nginx."""
    stack = RingStack(StackPlace.second(), products=PRODUCTS)
    stack.up(1)
    try:
        yield stack
    finally:
        stack.remove()


@pytest.fixture(scope="module")
def load(stack: RingStack) -> Iterator[RingLoad]:
    """A load that flows until a test stops it."""
    load = RingLoad(stack.plan())
    with load.running():
        yield load


def change(load: RingLoad, cql: str) -> list[dict[str, Any]]:
    """Run CQL behind the load's back; it is in effect when this returns."""

    async def run() -> list[dict[str, Any]]:
        async with connected(load.plan.ring_settings()) as connection:
            return await query(connection, cql)

    return asyncio.run(run())


def some_key(load: RingLoad, *, deleted: bool) -> Write:
    """Return the last write of a row that stands, or of one that was deleted."""
    writes = recorded_writes(Path(load.plan.directory))
    last = {write.key: write for write in writes if write.table is Table.ROWS}
    return next(
        write
        for write in last.values()
        if (write.version is None) is deleted and write.outcome is Outcome.ACKNOWLEDGED
    )


def both(load: RingLoad) -> list[Checked]:
    """Check at QUORUM, and each replica."""
    return [load.check_quorum(), load.check_replicas()]


def put_back(load: RingLoad, write: Write) -> None:
    """Bring a row back to what the load left."""
    if write.version is None:
        change(load, f"DELETE FROM {TABLE} WHERE key = {write.key}")
    else:
        write_row(load, write.key, write.version, payload(write.key, write.version))


def write_row(load: RingLoad, key: int, version: int, body: bytes) -> None:
    """Write a row behind the load's back, with the time of now."""
    values = f"{key}, {version}, 0x{body.hex()}"
    change(load, f"INSERT INTO {TABLE} (key, version, payload) VALUES ({values})")


def test_load_when_nothing_is_wrong_then_flows_and_finds_nothing(
    stack: RingStack, load: RingLoad
) -> None:
    """Reads and writes come at their rates, and a check in their midst finds all as it must be."""
    start = time.time()
    time.sleep(LOAD_SECONDS)
    seen = load.figures(start, time.time() - 1.0)
    assert seen.bad_reads == 0, load.problems()
    assert seen.row_reads_failed == 0
    assert seen.reads > 0.9 * load.plan.reads_per_second * (LOAD_SECONDS - 1)
    assert seen.writes[Outcome.ACKNOWLEDGED] > 0.9 * 50 * (LOAD_SECONDS - 1)
    assert 0 < seen.p50 <= seen.p99
    for checked in both(load):
        assert checked.findings == [], checked.text()
    assert checked.keys == {stack.address(1): checked.keys[stack.address(1)]}
    assert checked.keys[stack.address(1)] > PRODUCTS


def test_load_when_a_product_is_changed_behind_its_back_then_wrong_reads(load: RingLoad) -> None:
    """An answer of 200 with another body is a wrong read."""
    column = f"product = 0x{b'{}'.hex()}"
    ids = ", ".join(map(str, range(1, PRODUCTS + 1)))
    bodies = {
        row["product_id"]: row["product"]
        for row in change(
            load, f"SELECT product_id, product FROM products_by_id WHERE product_id IN ({ids})"
        )
    }
    start = time.time()
    for product_id in bodies:
        change(load, f"UPDATE products_by_id SET {column} WHERE product_id = {product_id}")
    time.sleep(WRONG_SECONDS)
    seen = load.figures(start, time.time() - 1.0)
    assert seen.wrong > 10
    assert seen.failed == 0
    assert {one.verdict for one in load.check_quorum().findings} == {Verdict.MANGLED}
    for product_id, body in bodies.items():
        old = f"product = 0x{body.hex()}"
        change(load, f"UPDATE products_by_id SET {old} WHERE product_id = {product_id}")


def test_load_when_the_app_server_dies_then_failed_reads_and_a_gap(
    stack: RingStack, load: RingLoad
) -> None:
    """With nobody to answer, reads fail for as long as the gap is."""
    start = time.time()
    assert stack.processes()["app1"].signal(signal.SIGKILL)
    time.sleep(WRONG_SECONDS)
    assert stack.run("up").returncode == 0
    time.sleep(1.5)
    seen = load.figures(start, time.time() - 1.0)
    assert seen.failed > 0.5 * load.plan.reads_per_second * WRONG_SECONDS
    assert seen.longest_gap_seconds > WRONG_SECONDS - 1
    assert load.check_quorum().findings == []


def test_check_when_the_load_has_stopped_then_all_is_there(load: RingLoad) -> None:
    """What was stored before is stored at the end, and nothing else."""
    load.stop()
    for checked in both(load):
        assert checked.findings == [], checked.text()


def test_check_when_a_row_is_deleted_behind_its_back_then_lost(
    stack: RingStack, load: RingLoad
) -> None:
    """One acknowledged row that is gone is found at QUORUM and on its replica."""
    write = some_key(load, deleted=False)
    change(load, f"DELETE FROM {TABLE} WHERE key = {write.key}")
    found = both(load)
    assert [
        [(one.where, one.key, one.verdict) for one in checked.findings] for checked in found
    ] == [
        [(QUORUM, write.key, Verdict.LOST)],
        [(stack.address(1), write.key, Verdict.LOST)],
    ]
    assert [checked.lost for checked in found] == [1, 1]
    put_back(load, write)


def test_check_when_a_deleted_row_is_back_then_resurrected(load: RingLoad) -> None:
    """A row that was deleted, acknowledged, and stands there again."""
    write = some_key(load, deleted=True)
    write_row(load, write.key, 1, payload(write.key, 1))
    for checked in both(load):
        assert [(one.key, one.verdict) for one in checked.findings] == [
            (write.key, Verdict.RESURRECTED)
        ]
        assert checked.resurrected == 1
    put_back(load, write)


def test_check_when_a_row_is_old_or_other_bytes_then_found(load: RingLoad) -> None:
    """An older version is a lost write; bytes that nobody wrote are not taken for a row."""
    write = some_key(load, deleted=False)
    assert write.version is not None
    write_row(load, write.key, write.version - 1, payload(write.key, write.version - 1))
    assert [one.verdict for one in load.check_quorum().findings] == [Verdict.LOST]
    write_row(load, write.key, write.version, b"other")
    assert [one.verdict for one in load.check_quorum().findings] == [Verdict.MANGLED]
    put_back(load, write)


def test_check_when_sstables_are_taken_away_then_every_row_in_them_is_lost(
    stack: RingStack, load: RingLoad
) -> None:
    """The check reads what lies on the disk: files removed behind Cassandra's back are missed."""
    rows = len(change(load, f"SELECT key FROM {TABLE}"))
    assert stack.run("down").returncode == 0
    files = [
        file
        for file in (stack.state / "ring").glob(f"**/data*/catalog/{TABLE}-*/*")
        if file.is_file()
    ]
    assert files
    for file in files:
        file.unlink()
    assert stack.run("up").returncode == 0
    for checked in both(load):
        assert checked.lost == rows > 0
        assert checked.resurrected == 0
