"""A ring of two nodes backed up to S3 and restored into a ring of one.

Two rings and one S3 server for the whole file. The tests build on each other, in its order.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from ring.statements import Consistency
from tests.support.backed_ring import PRODUCTS, RingPlace, digests, fill, rings, write_rows
from tests.support.operated_ring import KEYSPACE, OperatedRing
from tests.support.s3_server import s3_server

PLACE: Final = "s3://backups/catalog"
S3_ADDRESS: Final = "127.0.75.9"
S3_PORT: Final = 7760
COPIED: Final = re.compile(r"copied (\d+) of (\d+) files")
LISTED: Final = re.compile(r"^\d{8}T\d{6}Z ", re.MULTILINE)

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Rings:
    """The ring that is backed up, the one that is restored into, and the server's objects."""

    source: OperatedRing
    target: OperatedRing
    objects: Path

    @property
    def largest(self) -> Path:
        """The largest file that the server keeps."""
        files = (path for path in self.objects.rglob("*") if path.is_file())
        return max(files, key=lambda path: path.stat().st_size)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rings]:
    """Two nodes with rows of every kind, one node with nothing, and a server with a bucket."""
    directory = tmp_path_factory.mktemp("backup")
    places = (RingPlace("source", 1, 2, 7750), RingPlace("target", 11, 1, 7753))
    s3 = directory / "s3"
    s3.mkdir()
    with (
        s3_server(s3, S3_ADDRESS, S3_PORT) as access,
        rings(directory, *places) as (source, target),
    ):
        for ring in (source, target):
            ring.environ.update(access)
        code, output = source.run("apply-schema")
        assert code == 0, output
        asyncio.run(fill(source.address(1)))
        yield Rings(source, target, s3 / "objects")


def _copied(output: str) -> tuple[int, int]:
    found = COPIED.search(output)
    assert found is not None, output
    return int(found[1]), int(found[2])


def _snapshots(ring: OperatedRing) -> set[str]:
    rows = [
        row
        for number in (1, 2)
        for row in ring.query(number, "SELECT name FROM system_views.snapshots")
    ]
    return {row["name"] for row in rows}


def test_backup_when_killed_before_its_manifest_then_there_is_none(both: Rings) -> None:
    """All files are there, and nobody can take them for a backup."""
    output = both.source.kill_at("backup.manifest", "backup", PLACE)
    copied, files = _copied(output)
    assert copied == len({path.name for path in both.objects.rglob("*") if len(path.name) == 64})
    assert files > copied > 20
    code, output = both.source.run("backup", PLACE, "--list")
    assert code == 0
    assert not LISTED.search(output)
    code, output = both.target.run("restore", PLACE)
    assert code == 1
    assert "holds no backup" in output
    assert len(_snapshots(both.source)) == 1


def test_backup_when_run_again_then_nothing_is_copied_twice_and_no_snapshot_stays(
    both: Rings,
) -> None:
    """What the killed one left on the nodes is cleared, what it brought to the place is used."""
    code, output = both.source.run("backup", PLACE)
    assert code == 0, output
    assert _copied(output)[0] == 0
    assert _snapshots(both.source) == set()
    code, output = both.source.run("backup", PLACE, "--verify")
    assert code == 0, output
    assert "1 of 1 backups are whole" in output


def test_restore_when_killed_and_run_again_then_every_row_is_as_it_was(both: Rings) -> None:
    """Into a ring of another size without a keyspace: schema, rows, times, indexes, counters."""
    output = both.target.kill_at("restore.indexes", "restore", PLACE)
    assert "imported" in output
    code, output = both.target.run("restore", PLACE)
    assert code == 0, output
    assert "imported" not in output
    before, after = digests(both.source.address(1)), digests(both.target.address(11))
    assert before.keys() == after.keys()
    assert {name for name in before if before[name].ranges != after[name].ranges} == set()
    assert after[f"{KEYSPACE}.products_by_id"].rows == PRODUCTS - 3
    assert both.target.query(11, "SELECT n FROM extra.hits WHERE k = 'a'") == [{"n": 5}]
    found = both.target.query(
        11, "SELECT product_id FROM catalog.products_by_order WHERE terms CONTAINS 'n7'"
    )
    assert [row["product_id"] for row in found] == [7]
    replication = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = 'extra'"
    assert both.target.query(11, replication)[0]["replication"]["datacenter1"] == "1"
    status = both.target.status()
    assert status["lock"] is None


def test_restore_when_tables_have_rows_then_it_is_refused(both: Rings) -> None:
    """Nothing is removed without consent."""
    code, output = both.target.run("restore", PLACE)
    assert code == 3, output
    assert "tables have rows" in output
    assert "--replace" in output


def test_compare_when_a_row_was_changed_then_it_is_found(both: Rings) -> None:
    """Transactions go on where they were; and a row that is not as it was does not pass."""
    code, output = both.target.run("restore", PLACE, "--compare")
    assert code == 0, output
    applied = both.target.query(
        11,
        "UPDATE catalog.id_blocks SET next_id = 3 WHERE kind = 'p' IF next_id = 2",
        consistency=Consistency.QUORUM,
    )
    assert applied[0]["[applied]"]
    code, output = both.target.run("restore", PLACE, "--compare")
    assert code == 1, output
    assert '"id_blocks": 1 of 1 sampled rows are missing or other, the first kind = "p"' in output
    assert output.count("sampled rows are missing") == 1


def test_verify_when_a_file_is_damaged_then_nothing_is_replaced_by_it(both: Rings) -> None:
    """It is named; no row goes for the sake of a damaged backup; a new backup brings it again."""
    damaged = both.largest
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    code, output = both.source.run("backup", PLACE, "--verify")
    assert code == 1
    assert f"{damaged.name} has other contents" in output
    code, output = both.target.run("restore", PLACE, "--replace")
    assert code == 1, output
    assert "no row was removed" in output
    assert both.target.count(11, "products_by_id") == PRODUCTS - 3
    code, output = both.source.run("backup", PLACE, "--verify", "--discard-damaged")
    assert code == 1
    code, output = both.target.run("restore", PLACE, "--replace")
    assert code == 3, output
    assert "lacks 1 files" in output


def test_backup_when_some_rows_are_new_then_only_new_files_are_copied(both: Rings) -> None:
    """Beside the one that was lost; older backups go, and their files that nobody needs."""
    insert = "INSERT INTO products_by_id (product_id, product) VALUES (?, ?)"
    asyncio.run(write_rows(both.source.address(1), KEYSPACE, insert, [(100_000, b"new")]))
    code, output = both.source.run("backup", PLACE, "--keep", "1")
    assert code == 0, output
    copied, files = _copied(output)
    assert 1 < copied < files // 3
    assert "removed 1 backups" in output
    code, output = both.source.run("backup", PLACE, "--list")
    assert len(LISTED.findall(output)) == 1
    code, output = both.source.run("backup", PLACE, "--verify")
    assert code == 0, output
