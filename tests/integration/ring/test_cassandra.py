"""The ring client and a real Cassandra: what is written is read, on every protocol and loop."""

import asyncio
import dataclasses
import datetime as dt
import decimal
import random
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

from ring import (
    Consistency,
    RingClient,
    RingError,
    RingRequestError,
    RingSettings,
    RingUnavailableError,
    Statement,
)
from tests.support.cql_tables import run_cql
from tests.support.scripted_ring import until

CREATE_ITEMS = (
    "CREATE TABLE items (id bigint PRIMARY KEY, name text, body blob, code ascii, amount int,"
    " big bigint, price decimal, flag boolean, at timestamp, ref uuid, tags list<text>)"
)
CREATE_EVENTS = (
    "CREATE TABLE events (kind text, day int, seq bigint, note text,"
    " PRIMARY KEY ((kind, day), seq))"
)
READ = Statement(
    "read_item",
    "SELECT name, body, code, amount, big, price, flag, at, ref, tags FROM items WHERE id = ?",
    Consistency.LOCAL_QUORUM,
    idempotent=True,
    many_cql="SELECT id, name, body, code, amount, big, price, flag, at, ref, tags"
    " FROM items WHERE id IN ?",
)
WRITE = Statement(
    "write_item",
    "INSERT INTO items (id, name, body, code, amount, big, price, flag, at, ref, tags)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    Consistency.LOCAL_QUORUM,
    idempotent=True,
)
ADD_NEW = Statement(
    "add_item",
    "INSERT INTO items (id, name) VALUES (?, ?) IF NOT EXISTS",
    Consistency.LOCAL_QUORUM,
    idempotent=False,
    serial_consistency=Consistency.LOCAL_SERIAL,
)
READ_EVENTS = Statement(
    "read_events",
    "SELECT seq, note FROM events WHERE kind = ? AND day = ?",
    Consistency.LOCAL_QUORUM,
    idempotent=True,
)
WRITE_EVENT = Statement(
    "write_event",
    "INSERT INTO events (kind, day, seq, note) VALUES (?, ?, ?, ?)",
    Consistency.LOCAL_QUORUM,
    idempotent=True,
)
STATEMENTS = (READ, WRITE, ADD_NEW, READ_EVENTS, WRITE_EVENT)
ROW: tuple[Any, ...] = (
    *("naïve ☃", bytes(range(256)) * 20, "abc", -5, -(2**63), decimal.Decimal("140.00"), True),
    dt.datetime(2021, 2, 3, 4, 5, 6),  # noqa: DTZ001 - the driver's timestamps are naive
    *(uuid.UUID(int=7), ["a", "b"]),
)


@pytest_asyncio.fixture
async def settings(ring_settings: RingSettings) -> RingSettings:
    """The run's ring with this module's tables."""
    await run_cql(ring_settings, CREATE_ITEMS, CREATE_EVENTS)
    return ring_settings


@asynccontextmanager
async def _open(settings: RingSettings, **changes: Any) -> AsyncIterator[RingClient]:
    client = await RingClient.open(dataclasses.replace(settings, **changes), STATEMENTS)
    try:
        await client.wait_ready(20.0)
        await until(lambda: all(node.is_connected for node in client.nodes.values()), 20.0)
        yield client
    finally:
        await client.aclose()


@pytest.mark.parametrize("compression", ["", "lz4"])
@pytest.mark.parametrize("version", [4, 5])
async def test_rows_when_written_then_read_the_same_on_every_protocol(
    settings: RingSettings, version: int, compression: str
) -> None:
    """Each type in use, nulls anywhere, missing rows, one key and many, pages, conditions."""
    async with _open(settings, protocol_version=version, compression=compression) as client:
        await client.execute(WRITE.name, (1, *ROW))
        await client.execute(WRITE.name, (2, *ROW[:-1], None))
        await client.execute(WRITE.name, (3, *[None] * len(ROW)))
        empty_last = (*ROW[:-1], None)
        assert await client.fetch_one(READ.name, (1,)) == ROW
        expected = {1: ROW, 2: empty_last, 3: (None,) * len(ROW), 4: None}
        keys = [random.randint(1, 4) for _ in range(200)]  # noqa: S311 - no secret
        rows = await asyncio.gather(*(client.fetch_one(READ.name, (key,)) for key in keys))
        assert rows == [expected[key] for key in keys]
        assert (await client.execute(ADD_NEW.name, (9, "first")))[0][0] is True
        refused = await client.execute(ADD_NEW.name, (9, "second"))
        assert refused[0][0] is False
        assert "first" in refused[0]
        await _check_pages(client)


async def _check_pages(client: RingClient) -> None:
    # An empty part in the key: it counts in the hash, and the rows must be found all the same.
    for kind in ("", "view"):
        writes = (
            client.execute(WRITE_EVENT.name, (kind, 7, seq, None if seq % 2 else "x" * seq))
            for seq in range(95)
        )
        await asyncio.gather(*writes)
        sizes, rows = [], []
        async for page in client.pages(READ_EVENTS.name, (kind, 7), page_rows=10):
            sizes.append(len(page))
            rows += page
        assert rows == [(seq, None if seq % 2 else "x" * seq) for seq in range(95)]
        assert max(sizes) == 10
        assert await client.execute(READ_EVENTS.name, (kind, 7)) == rows
    assert [p async for p in client.pages(READ_EVENTS.name, ("none", 0))] == [[]]


async def test_statements_when_nodes_have_forgotten_them_then_no_call_notices(
    settings: RingSettings,
) -> None:
    """A dropped and recreated table, and a column added, while calls run."""
    async with _open(settings) as client:
        await client.execute(WRITE.name, (1, *ROW))
        await run_cql(settings, "ALTER TABLE items ADD more text")
        answers = await asyncio.gather(*(client.fetch_one(READ.name, (1,)) for _ in range(50)))
        assert answers == [ROW] * 50
        await run_cql(settings, "DROP TABLE items", CREATE_ITEMS)
        rows = await asyncio.gather(*(client.fetch_one(READ.name, (key,)) for key in range(50)))
        assert rows == [None] * 50
        await client.execute(WRITE.name, (1, *ROW))
        assert await client.fetch_one(READ.name, (1,)) == ROW


@pytest.mark.parametrize("version", [4, 5])
async def test_statement_when_its_column_has_another_type_now_then_read_by_the_new_one(
    settings: RingSettings, version: int
) -> None:
    """The node describes the statement anew when it is prepared again."""
    async with _open(settings, protocol_version=version) as client:
        await run_cql(
            settings,
            "DROP TABLE events",
            "CREATE TABLE events (kind text, day int, seq bigint, note bigint,"
            " PRIMARY KEY ((kind, day), seq))",
            "INSERT INTO events (kind, day, seq, note) VALUES ('a', 1, 2, 3)",
        )
        assert await client.execute(READ_EVENTS.name, ("a", 1)) == [(2, 3)]
        assert await client.execute(READ_EVENTS.name, ("a", 1)) == [(2, 3)]


async def test_table_when_dropped_then_calls_fail_with_a_reason_and_recover(
    settings: RingSettings,
) -> None:
    """Not our deadline but Cassandra's own words; when it is back, so are the calls."""
    async with _open(settings) as client:
        await run_cql(settings, "DROP TABLE items")
        with pytest.raises(RingError):
            await client.fetch_one(READ.name, (1,))
        await run_cql(settings, CREATE_ITEMS)
        assert await client.fetch_one(READ.name, (1,)) is None


async def test_cancellations_when_they_come_at_random_then_nothing_is_left_of_them(
    settings: RingSettings,
) -> None:
    """Against real nodes: no stream id, slot or place stays taken."""
    asyncio.get_running_loop().set_debug(False)
    async with _open(settings) as client:
        await client.execute(WRITE.name, (1, *ROW))
        tasks_before = len(asyncio.all_tasks())
        for _ in range(20):
            calls = [asyncio.create_task(client.fetch_one(READ.name, (k % 7,))) for k in range(120)]
            for call in random.sample(calls, 100):
                await asyncio.sleep(0) if random.random() < 0.3 else None  # noqa: S311
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        await until(lambda: not any(node.in_flight for node in client.nodes.values()))
        assert len(asyncio.all_tasks()) == tasks_before
        for node in client.nodes.values():
            assert node.connection is not None
            assert not node.connection.pending
            assert node.connection.streams_in_use == 0
        assert await client.fetch_one(READ.name, (1,)) == ROW


async def test_request_when_cassandra_refuses_it_then_request_error(settings: RingSettings) -> None:
    """A statement that parses and cannot be executed."""
    async with _open(settings) as client:
        with pytest.raises(RingRequestError):
            await client.execute(READ_EVENTS.name, (None, 1))
        with pytest.raises(RingRequestError):
            await client.execute(WRITE.name, (1, "a", b"", "not äscii", *[None] * 7))


async def test_keyspace_when_it_does_not_exist_yet_then_client_waits_for_it(
    settings: RingSettings,
) -> None:
    """The app server may start before the schema is applied."""
    name = f"{settings.keyspace}_late"
    late = dataclasses.replace(settings, keyspace=name)
    client = await RingClient.open(late, STATEMENTS)
    try:
        with pytest.raises(RingUnavailableError, match=name):
            await client.wait_ready(1.0)
        options = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        await run_cql(settings, f"CREATE KEYSPACE {name} WITH replication = {options}")
        await run_cql(late, CREATE_ITEMS, CREATE_EVENTS)
        await client.wait_ready(5.0)
        assert await client.fetch_one(READ.name, (1,)) is None
    finally:
        await client.aclose()
        await run_cql(settings, f"DROP KEYSPACE IF EXISTS {name}")


async def test_contact_point_when_nobody_listens_there_then_message_says_so(
    settings: RingSettings,
) -> None:
    """Refused, and not a time-out without a reason."""
    client = await RingClient.open(
        dataclasses.replace(settings, contact_points=("127.0.43.1",)), STATEMENTS
    )
    try:
        with pytest.raises(RingUnavailableError, match=r"127\.0\.43\.1.*(refused|failed)"):
            await client.wait_ready(0.5)
    finally:
        await client.aclose()
