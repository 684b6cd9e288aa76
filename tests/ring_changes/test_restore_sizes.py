"""A ring of two nodes, backed up while it is written to, restored into rings of every other kind.

One backup in a folder for the whole file. The tests build on each other, in its order.
"""

import asyncio
import random
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from ring.statements import Consistency
from tests.support.backed_ring import (
    EXTRA,
    RingPlace,
    digests,
    fill,
    rings,
    start_ring,
    stop_ring,
    write_rows,
)
from tests.support.operated_ring import KEYSPACE, OperatedRing
from tests.support.table_digests import TableDigests

TWO: Final = RingPlace("two", 1, 2, 7750)
THREE: Final = RingPlace("three", 11, 3, 7752)
WRITTEN: Final = "legacy_carts_by_session"
"""The table that is written to during the backup."""
INSERT: Final = "INSERT INTO legacy_carts_by_session (user_session, cart_id) VALUES (?, 1)"

pytestmark = [pytest.mark.ring, pytest.mark.faults, pytest.mark.timeout(2400)]


class _Writer(threading.Thread):
    """Writes rows at QUORUM, one after the other, and keeps when each was acknowledged."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self._address = address
        self._ended = threading.Event()
        self.acknowledged: dict[int, float] = {}

    def run(self) -> None:
        number = 0
        while not self._ended.is_set():
            batch = range(number, number + 5)
            asyncio.run(write_rows(self._address, KEYSPACE, INSERT, ((n,) for n in batch)))
            now = time.time()
            self.acknowledged |= dict.fromkeys(batch, now)
            number += 5

    def end(self) -> None:
        self._ended.set()
        self.join(timeout=60)


@dataclass
class Backed:
    """The backup, and what the ring held when it was made."""

    source: OperatedRing
    target: OperatedRing
    place: str
    before: Mapping[str, TableDigests] = field(default_factory=dict)
    acknowledged: list[int] = field(default_factory=list)


@pytest.fixture(scope="module")
def backed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backed]:
    """A backup of two nodes that were written to; both rings are stopped, the second is new."""
    directory = tmp_path_factory.mktemp("sizes")
    with rings(directory, TWO, THREE, started=False) as (source, target):
        start_ring(source, TWO)
        code, output = source.run("apply-schema")
        assert code == 0, output
        asyncio.run(fill(source.address(1)))
        backed = Backed(source, target, str(directory / "kept"))
        writer = _Writer(source.address(2))
        writer.start()
        time.sleep(2.0)
        began = time.time()
        code, output = source.run("backup", backed.place)
        writer.end()
        assert code == 0, output
        backed.acknowledged = [n for n, at in writer.acknowledged.items() if at < began]
        assert 0 < len(backed.acknowledged) < len(writer.acknowledged)
        backed.before = digests(source.address(1))
        stop_ring(source)
        yield backed


def _check(backed: Backed, ring: OperatedRing, *numbers: int) -> None:
    """See that these nodes read every row as it was, and every one that was acknowledged."""
    for number in numbers:
        after = digests(ring.address(number))
        assert after.keys() == backed.before.keys()
        other = {name for name, old in backed.before.items() if after[name].ranges != old.ranges}
        # It was written to after its snapshot.
        assert other <= {f"{KEYSPACE}.{WRITTEN}"}
        cql = f"SELECT user_session FROM {KEYSPACE}.{WRITTEN}"  # noqa: S608 - a test's own name
        found = {row["user_session"] for row in ring.query(number, cql)}
        assert set(backed.acknowledged) <= found
    hits = f"SELECT n FROM {EXTRA}.hits WHERE k = 'a'"  # noqa: S608 - a test's own name
    assert ring.query(numbers[0], hits, consistency=Consistency.QUORUM) == [{"n": 5}]


def test_restore_when_nodes_keep_different_rows_then_each_row_goes_where_it_belongs(
    backed: Backed,
) -> None:
    """Three nodes, one replica: streamed. Killed at some moment, it goes on."""
    start_ring(backed.target, THREE)
    with backed.target.start("restore", backed.place, "--replication-factor", "1") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "streamed" in line:
                time.sleep(random.random() * 5)  # noqa: S311
                process.send_signal(signal.SIGKILL)
                break
        process.wait()
    code, output = backed.target.run("restore", backed.place)
    assert code == 0, output
    assert "streamed" in output
    _check(backed, backed.target, 11)
    rows = [backed.target.count(number, "products_by_id") for number in (11, 12, 13)]
    assert rows[0] == rows[1] == rows[2]


def test_restore_when_nodes_keep_all_rows_then_each_has_them_by_itself(backed: Backed) -> None:
    """Three nodes, three replicas: imported, with the rows of before replaced."""
    for keyspace in (KEYSPACE, EXTRA):
        backed.target.query(11, f"DROP KEYSPACE {keyspace}")
    code, output = backed.target.run("restore", backed.place)
    assert code == 0, output
    assert "imported" in output
    _check(backed, backed.target, 11, 12, 13)
    code, output = backed.target.run("restore", backed.place, "--replace")
    assert code == 0, output
    assert "removing the rows" in output
    _check(backed, backed.target, 12)
    stop_ring(backed.target)


def test_restore_when_tokens_are_the_same_then_each_node_gets_its_own(backed: Backed) -> None:
    """The ring lost all its data, and is made anew with the tokens that it had."""
    shutil.rmtree(Path(backed.source.state) / "ring")
    start_ring(backed.source, TWO)
    code, output = backed.source.run("restore", backed.place)
    assert code == 0, output
    assert "imported" in output
    _check(backed, backed.source, 1, 2)
