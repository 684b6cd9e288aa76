"""Staged SSTables in a real ring: each row that was staged is read, with the time of the load."""

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from etl.writers.node_access import fetch_ring, find_access
from etl.writers.ring_import import LINKS, RECORD, TopologyChangedError, deliver
from etl.writers.staging import EVERYWHERE, Staged, StagedTable, StagingPlan, TargetPlan
from ring import RingSettings
from ring.apply_schema import apply_schema, drop_keyspace
from ring.nodes.settings import REPOSITORY
from tests.support.cql_tables import run_cql
from tests.support.sstables import plan_of, program, schema_table, stage

ROWS = 3_000
TIMESTAMP = 1_600_000_000_123_456
BY_ID = schema_table(
    "products_by_id",
    (
        ("product_id", "bigint"),
        ("product", "blob"),
        ("product_etag", "ascii"),
        ("related", "blob"),
        ("styles", "blob"),
        ("styles_etag", "ascii"),
    ),
)
BY_BLOCK = schema_table(
    "products_by_block",
    (
        ("block", "bigint"),
        ("product_id", "bigint"),
        ("live_ids", "blob_hex"),
        ("product", "blob"),
    ),
)
# Every seventh body is null, every fifth etag empty, some bodies are large.
PRODUCTS = """
    SELECT
        i AS product_id,
        CASE WHEN i % 7 <> 0 THEN '{"id":' || i || ',"näme":"\\t☃'
            || repeat('x', CASE WHEN i % 500 = 0 THEN 300000 ELSE i % 90 END::INT) || '"}'
        END AS product,
        CASE WHEN i % 5 = 0 THEN '' ELSE left(md5(i::VARCHAR), 16) END AS product_etag
    FROM range(1, 3001) AS r(i) ORDER BY hash(i)
"""
# Rows of the same keys that come before; what is null in PRODUCTS stays from here.
EARLIER = (
    "SELECT product_id, 'old' AS product, 'old' AS product_etag, product_id::VARCHAR AS related"
    " FROM products WHERE product IS NOT NULL AND product_id <= 1000"
)
LISTED = "SELECT product_id // 1000 AS block, product_id, product FROM products"
BITMAPS = (
    "SELECT i AS block, unhex(repeat(format('{:02x}', i), 5)) AS live_ids FROM range(4) AS r(i)"
)
EVENTS = StagedTable(
    "events",
    "CREATE TABLE events (shop bigint, kind text, at timestamp, seq int, total bigint static,"
    " tiny tinyint, flag boolean, code ascii, note text, raw blob,"
    " PRIMARY KEY ((shop, kind), at, seq)) WITH CLUSTERING ORDER BY (at DESC, seq ASC)",
    (
        ("seq", "int"),
        ("shop", "bigint"),
        ("kind", "text"),
        ("at", "timestamp"),
        ("total", "bigint"),
        ("tiny", "tinyint"),
        ("flag", "boolean"),
        ("code", "ascii"),
        ("note", "text"),
        ("raw", "blob_hex"),
    ),
)
pytestmark = pytest.mark.timeout(300)


def body(product_id: int) -> bytes | None:
    """What PRODUCTS makes of an id, by Python."""
    if product_id % 7 == 0:
        return None
    tail = "x" * (300_000 if product_id % 500 == 0 else product_id % 90)
    return f'{{"id":{product_id},"näme":"\\t☃{tail}"}}'.encode()


async def plan_for(settings: RingSettings) -> StagingPlan:
    """Plan for the ring of the tests and the test's keyspace."""
    target_plan = TargetPlan.of_ring(await fetch_ring(settings))
    return plan_of(
        BY_ID,
        BY_BLOCK,
        keyspace=settings.keyspace,
        target_plan=target_plan,
        timestamp_microseconds=TIMESTAMP,
    )


async def staged_products(settings: RingSettings, directory: Path) -> Staged:
    """Stage all products, their rows in the list, and the bitmaps of the blocks."""
    return await stage(
        await plan_for(settings),
        directory,
        ("products_by_id", f"WITH products AS ({PRODUCTS}) {EARLIER}"),
        ("products_by_id", PRODUCTS),
        ("products_by_block", f"WITH products AS ({PRODUCTS}) {LISTED}"),
        ("products_by_block", BITMAPS),
    )


async def check_rows(settings: RingSettings) -> None:
    """Compare each row of products_by_id with what was staged."""
    rows: dict[int, dict[str, Any]] = {}
    for part in range(10):
        ids = ",".join(map(str, range(part * 300 + 1, part * 300 + 301)))
        found = await run_cql(
            settings,
            "SELECT product_id, product, product_etag, related, styles,"  # noqa: S608
            " writetime(product) AS wrote, writetime(product_etag) AS etag_wrote"
            " FROM products_by_id"
            f" WHERE product_id IN ({ids})",
        )
        rows |= {row["product_id"]: row for row in found}
    assert len(rows) == ROWS
    for product_id, row in rows.items():
        assert row["product"] == body(product_id)
        assert row["wrote"] == (None if product_id % 7 == 0 else TIMESTAMP)
        assert row["etag_wrote"] == TIMESTAMP
        assert (row["product_etag"] == "") == (product_id % 5 == 0)
        earlier = product_id <= 1000 and product_id % 7 != 0
        assert row["related"] == (str(product_id).encode() if earlier else None)
        assert row["styles"] is None


async def check_blocks(settings: RingSettings) -> None:
    """Compare each row of products_by_block, and each static cell, with what was staged."""
    for block in range(ROWS // 1000 + 1):
        rows = await run_cql(
            settings,
            "SELECT product_id, live_ids, product, writetime(live_ids) AS wrote"  # noqa: S608
            f" FROM products_by_block WHERE block = {block}",
        )
        first, last = max(1, block * 1000), min(ROWS, block * 1000 + 999)
        assert [row["product_id"] for row in rows] == list(range(first, last + 1))
        assert all(row["product"] == body(row["product_id"]) for row in rows)
        assert {(row["live_ids"], row["wrote"]) for row in rows} == {
            (bytes([block]) * 5, TIMESTAMP)
        }


@pytest.mark.parametrize("stream_only", [False, True])
async def test_rows_when_delivered_then_every_replica_serves_each_of_them(
    ring_settings: RingSettings, tmp_path: Path, *, stream_only: bool
) -> None:
    """As links into the nodes' tables, and as streams; each node alone has all rows (RF 3)."""
    staged = await staged_products(ring_settings, tmp_path / "staging")
    assert staged.tables["products_by_id"].rows == ROWS
    assert staged.tables["products_by_id"].duplicates == 1000 - 1000 // 7
    assert staged.tables["products_by_block"].partitions == ROWS // 1000 + 1
    delivery = await deliver(staged, program(), ring_settings, stream_only=stream_only)
    assert delivery.pending == {}
    assert delivery.complete
    assert (staged.directory / LINKS).exists() != stream_only
    for address in ring_settings.contact_points:
        # run_cql asks at ONE, and a node with a replica asks itself.
        one = dataclasses.replace(ring_settings, contact_points=(address,))
        await check_rows(one)
        await check_blocks(one)
    again = await deliver(staged, program(), ring_settings, stream_only=stream_only)
    assert again == delivery
    staged.discard()
    await check_rows(ring_settings)


async def test_delivery_when_stopped_before_its_record_then_nothing_is_given_twice(
    ring_settings: RingSettings, tmp_path: Path
) -> None:
    """Also where it was stopped while it made links for a node."""
    staged = await staged_products(ring_settings, tmp_path / "staging")
    half = staged.directory / LINKS / staged.plan.target_plan.targets[EVERYWHERE][0]
    (half / EVERYWHERE / ring_settings.keyspace / ".products_by_id.partial").mkdir(parents=True)
    delivery = await deliver(staged, program(), ring_settings)
    assert delivery.complete
    (staged.directory / RECORD).unlink()
    assert await deliver(staged, program(), ring_settings) == delivery
    await check_rows(ring_settings)
    for access in (await find_access((await fetch_ring(ring_settings)).nodes, ring_settings))[0]:
        assert access.data_directory is not None
        folders = (access.data_directory / ring_settings.keyspace).glob("products_by_id-*")
        assert sum(len(list(folder.glob("*-Data.db"))) for folder in folders) == 1


async def test_rows_when_each_has_one_replica_then_its_owner_alone_gets_it(
    ring_settings: RingSettings, tmp_path: Path
) -> None:
    """More nodes than copies: a set of SSTables a node, with its tokens and no others."""
    single = dataclasses.replace(ring_settings, keyspace=f"{ring_settings.keyspace}_rf1")
    await apply_schema(single, REPOSITORY / "schema", replication_factor=1)
    try:
        staged = await staged_products(single, tmp_path / "staging")
        assert set(staged.tables["products_by_id"].files) == set(staged.plan.target_plan.targets)
        assert len(staged.plan.target_plan.targets) == len(ring_settings.contact_points)
        assert staged.tables["products_by_id"].rows == ROWS
        delivery = await deliver(staged, program(), single)
        assert delivery.complete
        # What lies on the wrong node no coordinator would find.
        await check_rows(single)
        await check_blocks(single)
    finally:
        await drop_keyspace(single)


async def test_staging_when_the_ring_is_another_by_then_nothing_is_given(
    ring_settings: RingSettings, tmp_path: Path
) -> None:
    """SSTables made for other owners would leave rows where nobody looks."""
    plan = await plan_for(ring_settings)
    moved = dataclasses.replace(plan.target_plan, ring=plan.target_plan.ring[1:])
    staged = await stage(
        dataclasses.replace(plan, target_plan=moved),
        tmp_path / "staging",
        ("products_by_id", "SELECT 1 AS product_id, '{}' AS product"),
    )
    with pytest.raises(TopologyChangedError):
        await deliver(staged, program(), ring_settings)
    assert await run_cql(ring_settings, "SELECT * FROM products_by_id") == []
    assert not (staged.directory / RECORD).exists()


async def test_cells_when_of_any_type_then_read_as_they_were_given(
    ring_settings: RingSettings, tmp_path: Path
) -> None:
    """A key of two parts, an order that descends, a static column, the limits of each type."""
    await run_cql(ring_settings, EVENTS.cql)
    times = [dt.datetime(1969, 12, 31), dt.datetime(2024, 2, 29, 1, 2, 3, 456_000)]  # noqa: DTZ001
    given: list[tuple[Any, ...]] = [
        (times[0], -(2**31), -128, True, "~", "", bytes(range(256))),
        (times[1], 7, 127, False, "", "tab\tand # and ☃", b""),
        (times[1], -7, None, None, None, None, None),
    ]
    names = ("at", "seq", "tiny", "flag", "code", "note", "raw")
    listed = ", ".join(f'"{name}"' for name in names)
    rows = ", ".join(f"({', '.join('?' * len(names))})" for _ in given)
    key = f"-({2**62})::BIGINT AS shop, 'ü' AS kind"
    plan = plan_of(
        EVENTS,
        keyspace=ring_settings.keyspace,
        target_plan=TargetPlan.of_ring(await fetch_ring(ring_settings)),
    )
    staged = await stage(
        plan,
        tmp_path / "staging",
        ("events", f"SELECT {key}, {listed} FROM (VALUES {rows}) AS given({listed})"),  # noqa: S608
        ("events", f"SELECT {key}, 9 AS total"),
        parameters=[value for row in given for value in row],
    )
    delivery = await deliver(staged, program(), ring_settings)
    assert delivery.complete
    query = f"SELECT * FROM events WHERE shop = {-(2**62)} AND kind = 'ü'"  # noqa: S608
    found = await run_cql(ring_settings, query)
    assert {row["total"] for row in found} == {9}
    read = [tuple(row[name] for name in names) for row in found]
    assert read == [given[2], given[1], given[0]]
