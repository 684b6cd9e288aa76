"""The Java program: what it refuses, what it leaves when it is stopped, how it counts."""

import asyncio
import dataclasses
import os
import signal
import struct
from pathlib import Path

import duckdb
import pytest

from etl.writers.sstable import (
    SstableWriter,
    StagingDiskFullError,
    StagingRowError,
)
from etl.writers.staging import (
    EVERYWHERE,
    MANIFEST,
    Staged,
    StagedTable,
    StagingError,
    TargetPlan,
)
from ring.token_ring import range_of_token, token_of_key
from tests.support.scripted_ring import until
from tests.support.sstables import ITEMS, LIMITS, plan_of, program, stage, stage_lines

SEEN = StagedTable(
    "seen",
    "CREATE TABLE seen (owner bigint, kind text, seq int, total bigint static, note text,"
    " PRIMARY KEY (owner, kind, seq)) WITH CLUSTERING ORDER BY (kind DESC, seq ASC)",
    (("owner", "bigint"), ("kind", "text"), ("seq", "int"), ("total", "bigint"), ("note", "text")),
)
PAIRS = StagedTable(
    "pairs",
    "CREATE TABLE pairs (a bigint, b text, n int, PRIMARY KEY ((a, b)))",
    (("a", "bigint"), ("b", "text"), ("n", "int")),
)
EMPTY_PARTITION_BYTES = 17
GOOD_LINE = b"A\t1\tname\tcode\t5\ttrue\t00ff\n"


def files_of(staged: Staged, table: str, target: str = EVERYWHERE) -> set[str]:
    """The names of a table's files, as they are on disk."""
    return {path.name for path in staged.folder(target, table).iterdir()}


async def test_rows_when_staged_then_the_manifest_accounts_for_them(tmp_path: Path) -> None:
    """Rows of several tables, mixed, some keys twice; what is on disk is what it says."""
    plan = plan_of(ITEMS, SEEN, PAIRS)
    lines = [
        GOOD_LINE,
        b"B\t7\tview\t1\t\tfirst\n",
        b"A\t1\t\t\t6\t\t\n",
        b"B\t7\tview\t1\t\t\x02\x02\n",
        b"B\t7\t\t\t99\t\n",
        b"B\t8\tview\t-5\t\t\x02x\ty#\x02\n",
        b"C\t7\tb\t1\n",
        b"C\t7\tc\t\n",
    ]
    staged = await stage_lines(plan, tmp_path / "staging", b"".join(lines))
    assert staged == Staged.read(tmp_path / "staging")
    rows = {
        name: (t.rows_in, t.rows, t.partitions, t.duplicates) for name, t in staged.tables.items()
    }
    assert rows == {"items": (2, 1, 1, 1), "seen": (4, 3, 2, 1), "pairs": (2, 2, 2, 0)}
    for table, counted in staged.tables.items():
        assert counted.files[EVERYWHERE].keys() == files_of(staged, table)
        assert "da-1-bti-Data.db" in files_of(staged, table)
    left = {path.name for path in (tmp_path / "staging").iterdir()}
    assert left == {EVERYWHERE, MANIFEST, "plan.json", "specification.json"}


async def test_nothing_when_staged_then_whole_and_empty(tmp_path: Path) -> None:
    """A table without rows has no files, and that is no fault."""
    staged = await stage_lines(plan_of(ITEMS), tmp_path / "staging", b"")
    assert staged.tables["items"].rows_in == 0
    assert staged.tables["items"].files == {}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"X\t1\t\t\t\t\t\n", "tag of no table"),
        (b"\n", "tag of no table"),
        (b"A\n", "tag of no table"),
        (b"\xff\t1\t\t\t\t\t\n", "tag of no table"),
        (b"A\t1\t\t\t\t\n", "6 columns, the line fewer"),
        (b"A\t1\t\t\t\t\t\t\n", "6 columns, the line more"),
        (b"A\t\t\t\t\t\t\n", "id is null"),
        (b"A\tx\t\t\t\t\t\n", "id is bigint: no whole number"),
        (b"A\t9223372036854775808\t\t\t\t\t\n", "id is bigint: out of range"),
        (b"A\t1\t\t\t2147483648\t\t\n", "n is int: out of range"),
        (b"A\t1\t\t\t\tyes\t\n", "flag is boolean: neither true nor false"),
        (b"A\t1\t\t\xc3\xa9\t\t\t\n", "code is ascii"),
        (b"A\t1\t\xff\t\t\t\t\n", "name is text"),
        (b"A\t1\t\t\t\t\t0g\n", "body is blob: not hexadecimal"),
        (b"A\t1\t\x02a\nb\x02\t\t\t\t\n", "name holds a line break or byte 2"),
        (b"A\t1\ta\x02b\t\t\t\t\n", "name holds byte 2"),
        (b"A\t1\t\x02\x02\x02\x02\t\t\t\t\n", "name holds a line break or byte 2"),
        (b"A\t1\t\t\t\t\t" + b"00" * 600_000 + b"\n", "a row of 1200009 bytes, more than 1048576"),
        (b"A\t1\tcut off", "the last line has no end"),
        (b"B\t1\tview\t\t\tx\n", "a part of the clustering key is null"),
        (b"B\t1\tview\t1\t5\tx\n", "total is static, yet given with a clustering key"),
        (b"B\t1\t\t\t5\tx\n", "note is given without a clustering key"),
    ],
)
async def test_line_when_it_is_no_row_then_the_staging_fails_and_says_where(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    """Between good lines, at whatever place: no row is dropped, and nothing looks finished."""
    lines = GOOD_LINE * 3 + line + (b"" if line.endswith(b"cut off") else GOOD_LINE)
    with pytest.raises(StagingRowError) as caught:
        await stage_lines(plan_of(ITEMS, SEEN), tmp_path / "staging", lines)
    assert reason in str(caught.value)
    assert f"rows-0.pipe, byte {len(GOOD_LINE) * 3}" in str(caught.value)
    assert not (tmp_path / "staging").exists()


async def test_numbers_when_at_their_limits_then_taken(tmp_path: Path) -> None:
    """The smallest and the largest of each type."""
    lines = (
        b"A\t-9223372036854775808\t\t\t-2147483648\t\t\n"
        b"A\t9223372036854775807\t\t\t2147483647\t\t\n"
        b"A\t0\t\t\t-0\tfalse\t\n"
    )
    staged = await stage_lines(plan_of(ITEMS), tmp_path / "staging", lines)
    assert staged.tables["items"].rows == 3


async def test_rows_when_targets_share_them_then_each_token_goes_to_its_own(
    tmp_path: Path,
) -> None:
    """Java's tokens and ranges are those of `ring.token_ring`, for keys of every size."""
    ends = [-(2**62), 0, 2**61]
    owners = [(0,), (0, 1), (1, 2)]
    targets = {name: (name,) for name in ("x", "y", "z")}
    ranges = tuple(zip(ends, owners, strict=True))
    keys = [*range(-300, 300), 2**53, -(2**63), 2**63 - 1]
    expected = dict.fromkeys(targets, 0)
    for key in keys:
        for owner in owners[range_of_token(ends, token_of_key(struct.pack(">q", key)))]:
            expected["xyz"[owner]] += 1
    lines = b"".join(b"A\t%d\t\t\t\t\t\n" % key for key in keys)
    plan = plan_of(ITEMS, target_plan=TargetPlan(targets, ranges, (), {}))
    staged = await stage_lines(plan, tmp_path / "staging", lines)
    assert staged.tables["items"].rows == len(keys)
    found = {name: partitions_of(staged.folder(name, "items")) for name in targets}
    assert found == expected
    assert sum(expected.values()) > len(keys)


def partitions_of(folder: Path) -> int:
    """Count the partitions of rows that have no cells, all of which have the same size."""
    return sum(path.stat().st_size for path in folder.glob("*-Data.db")) // EMPTY_PARTITION_BYTES


async def test_writer_when_killed_then_nothing_counts_as_finished(tmp_path: Path) -> None:
    """Whoever writes learns of it, and the next start begins anew."""
    directory = tmp_path / "staging"
    plan = plan_of(ITEMS)
    writer = await SstableWriter.start(program(), plan, directory, limits=LIMITS)
    with duckdb.connect() as database:
        await writer.copy(database, "items", "SELECT i AS id FROM range(1000) AS r(i)")
        os.kill(writer.pid, signal.SIGKILL)
        with pytest.raises(StagingError, match="was ended"):
            await writer.copy(database, "items", "SELECT i AS id FROM range(9000000) AS r(i)")
    with pytest.raises(StagingError, match="was ended"):
        await writer.finish()
    with pytest.raises(StagingError, match="no whole staging"):
        Staged.read(directory)
    staged = await stage(plan, directory, ("items", "SELECT 1 AS id"))
    assert staged.tables["items"].rows == 1
    with pytest.raises(StagingError, match="was not delivered yet"):
        await SstableWriter.start(program(), plan, directory, limits=LIMITS)
    assert Staged.read(directory) == staged


async def test_pipes_when_closed_by_the_death_of_the_loader_then_not_finished(
    tmp_path: Path,
) -> None:
    """A killed loader closes its pipes as one does that is done, maybe at the end of a line."""
    writer = await SstableWriter.start(program(), plan_of(ITEMS), tmp_path / "s", limits=LIMITS)
    with duckdb.connect() as database:
        await writer.copy(database, "items", "SELECT i AS id FROM range(1000) AS r(i)")
    writer._close_pipes()
    assert await writer._process.wait() == 5
    assert b"went away" in await writer._errors
    assert not (tmp_path / "s" / MANIFEST).exists()
    await writer.abort()


async def test_rows_when_fewer_arrive_than_were_sent_then_not_finished(tmp_path: Path) -> None:
    """The program counts what DuckDB says that it wrote."""
    writer = await SstableWriter.start(program(), plan_of(ITEMS), tmp_path / "s", limits=LIMITS)
    with duckdb.connect() as database:
        await writer.copy(database, "items", "SELECT i AS id FROM range(1000) AS r(i)")
    writer._rows_sent = 1001
    with pytest.raises(StagingError, match="of 1001 rows that were sent, 1000 have arrived"):
        await writer.finish()
    assert not (tmp_path / "s").exists()


async def test_copy_when_cancelled_then_the_program_and_its_files_are_gone(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a query that would go on for long."""
    writer = await SstableWriter.start(program(), plan_of(ITEMS), tmp_path / "s", limits=LIMITS)
    with duckdb.connect() as database:
        endless = "SELECT i AS id, repeat('x', 100) AS name FROM range(1000000000) AS r(i)"
        copying = asyncio.create_task(writer.copy(database, "items", endless))
        await until(lambda: writer.progress.rows_in > 0, 30.0)
        copying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await copying
    assert writer._process.returncode == -signal.SIGKILL
    assert not (tmp_path / "s").exists()


async def test_query_when_it_fails_then_its_own_error_is_told(tmp_path: Path) -> None:
    """A cast that fails half way is DuckDB's to explain; the program is told to go."""
    writer = await SstableWriter.start(program(), plan_of(ITEMS), tmp_path / "s", limits=LIMITS)
    query = (
        "SELECT (CASE WHEN i < 90000 THEN '1' ELSE 'x' END)::BIGINT AS id FROM range(99999) r(i)"
    )
    with duckdb.connect() as database, pytest.raises(duckdb.ConversionException):
        await writer.copy(database, "items", query)
    await writer.abort()
    assert not (tmp_path / "s").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
async def test_disk_when_full_then_said_so(tmp_path: Path) -> None:
    """On a file system of four MiB."""
    small = tmp_path / "small"
    small.mkdir()
    mount = await asyncio.create_subprocess_exec(
        "mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(small)
    )
    if await mount.wait() != 0:
        pytest.skip("mounting is not allowed here")
    try:
        query = "SELECT i AS id, repeat('x', 500) AS name FROM range(60000) AS r(i)"
        with pytest.raises(StagingDiskFullError, match="no space left"):
            await stage(plan_of(ITEMS), small / "staging", ("items", query))
    finally:
        unmount = await asyncio.create_subprocess_exec("umount", str(small))
        assert await unmount.wait() == 0


async def test_buckets_when_larger_than_expected_then_sorted_in_pieces(tmp_path: Path) -> None:
    """The same SSTables, byte for byte, whether the estimate was right or far too low."""
    query = (
        "SELECT i AS id, md5(i::VARCHAR) AS name, i % 1000 AS n FROM range(60000) AS r(i)"
        " UNION ALL SELECT i AS id, NULL, 5 FROM range(1000) AS r(i)"
    )
    found = []
    for name, expected_bytes in (("low", 1), ("right", 4_000_000), ("unknown", 0)):
        table = dataclasses.replace(ITEMS, expected_bytes=expected_bytes)
        limits = dataclasses.replace(LIMITS, bucket_bytes=64 * 1024)
        writer = await SstableWriter.start(
            program(), plan_of(table), tmp_path / name, limits=limits
        )
        with duckdb.connect() as database:
            await writer.copy(database, "items", query)
        staged = await writer.finish()
        assert staged.tables["items"].duplicates == 1_000
        folder = staged.folder(EVERYWHERE, "items")
        found.append((folder / "da-1-bti-Data.db").read_bytes())
    assert found[0] == found[1] == found[2]
