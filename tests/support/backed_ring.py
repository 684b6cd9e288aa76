"""Rings of nodes alone, without app servers and nginx, that are backed up and restored into."""

import asyncio
import datetime as dt
import os
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ring.backups.bounded import side_by_side
from ring.hosts.local_machine import LocalMachine
from ring.inventory import inventory_of
from ring.nodes.local_ring import LocalRing
from ring.nodes.settings import StackSettings
from ring.operations.tables import BOOKKEEPING
from ring.settings import RingSettings
from ring.statements import Consistency
from ring.transport import (
    ConnectionOptions,
    CqlConnection,
    Endpoint,
    connect,
    execute,
    prepare,
    query,
)
from tests.support.ccm import installed_cassandra
from tests.support.operated_ring import CQL_PORT, KEYSPACE, OperatedRing
from tests.support.table_digests import TableDigests, read_digests

PREFIX: Final = "127.0.75."
EXTRA: Final = "extra"
"""A keyspace that is not the catalog's."""
PRODUCTS: Final = 600
_QUERY_SECONDS: Final = 60.0
_AT_ONCE: Final = 16
_LONG: Final = 100_000
_DAY: Final = dt.date(2026, 11, 22)


@dataclass(frozen=True, slots=True)
class RingPlace:
    """Where a ring of a test lives: its first node's number, how many, their JMX ports."""

    name: str
    first: int
    nodes: int
    jmx_port: int


@contextmanager
def rings(
    directory: Path, *places: RingPlace, started: bool = True
) -> Iterator[list[OperatedRing]]:
    """Yield rings, started at the same time; stopped at the end, their logs stay."""
    found = [_ring(directory / place.name, place) for place in places]
    with ExitStack() as stack:
        for ring in found:
            stack.callback(stop_ring, ring)
        if started:
            with ThreadPoolExecutor() as pool:
                list(pool.map(start_ring, found, places))
        yield found


def start_ring(ring: OperatedRing, place: RingPlace) -> None:
    """Start a ring, made anew when its folder is gone."""
    numbers = range(place.first, place.first + place.nodes)
    LocalRing.open(_machine(ring).plan(tuple(map(ring.address, numbers)))).start()


def stop_ring(ring: OperatedRing) -> None:
    """Stop all nodes of a ring; their data stays."""
    machine = _machine(ring)
    if machine.nodes_on_disk():
        LocalRing.open(machine.plan()).stop()


def _machine(ring: OperatedRing) -> LocalMachine:
    settings = StackSettings.from_environ(ring.environ)
    return LocalMachine.of(inventory_of(ring.environ, settings), settings, ring.environ)


def _ring(state: Path, place: RingPlace) -> OperatedRing:
    state.mkdir()
    inventory = state / "inventory.toml"
    lines = ["[ring]", 'way = "local"', f'name = "{place.name}"', f"jmx_port = {place.jmx_port}"]
    lines += ["heap_mib = 400", f'directory = "{state}"']
    for number in range(place.first, place.first + place.nodes):
        lines += ["[[hosts]]", f'name = "node{number}"', f'address = "{PREFIX}{number}"']
    inventory.write_text("\n".join(lines), encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if "CATALOG_" not in name}
    environ |= {
        "CATALOG_INVENTORY": str(inventory),
        "CATALOG_STATE_DIRECTORY": str(state),
        "CATALOG_CASSANDRA_DIRECTORY": str(installed_cassandra(os.environ)),
        "CATALOG_JVM_ARGUMENTS": "-XX:TieredStopAtLevel=1",
        "CATALOG_CONTACT_POINTS": f"{PREFIX}{place.first}",
    }
    return OperatedRing(state, PREFIX, environ)


@asynccontextmanager
async def _connected(address: str, keyspace: str | None) -> AsyncIterator[CqlConnection]:
    options = ConnectionOptions(protocol_version=4, keyspace=keyspace)
    connection = await connect(Endpoint(address, CQL_PORT), options)
    try:
        yield connection
    finally:
        await connection.aclose()


async def write_rows(
    address: str, keyspace: str, cql: str, rows: Iterable[Sequence[object]]
) -> None:
    """Run a statement with the values of each row at QUORUM, some of them at once."""
    async with _connected(address, keyspace) as connection:
        prepared = await prepare(connection, cql)

        async def write(values: Sequence[object]) -> None:
            await execute(
                connection,
                prepared,
                values,
                consistency=Consistency.QUORUM,
                timeout_seconds=_QUERY_SECONDS,
            )

        await side_by_side(_AT_ONCE, rows, write)


async def fill(address: str) -> None:
    """Write rows of every kind that a backup must bring back.

    Rows with blobs, deleted rows, static columns with and without rows, rows that expire, keys
    without any cell, indexed sets, a row made by lightweight transactions; and in another keyspace
    a type of its own, a counter, and cells of a column that was dropped.
    """
    async with _connected(address, None) as connection:
        for statement in _EXTRA_SCHEMA:
            await query(connection, statement, timeout_seconds=_QUERY_SECONDS)
    for keyspace, cql, rows in _rows():
        await write_rows(address, keyspace, cql, rows)
    async with _connected(address, EXTRA) as connection:
        await query(connection, "ALTER TABLE things DROP w", timeout_seconds=_QUERY_SECONDS)


_EXTRA_SCHEMA: Final = (
    (
        "CREATE KEYSPACE extra WITH replication = {'class': 'NetworkTopologyStrategy',"
        " 'datacenter1': 2}"
    ),
    "CREATE TYPE extra.place (street text, house int)",
    (
        "CREATE TABLE extra.things (k int, c int, s text static, v frozen<place>, w int,"
        " PRIMARY KEY (k, c))"
    ),
    "CREATE TABLE extra.hits (k text PRIMARY KEY, n counter)",
)


def _rows() -> Iterator[tuple[str, str, Iterable[Sequence[object]]]]:
    yield (
        KEYSPACE,
        "INSERT INTO products_by_id (product_id, product, revision) VALUES (?, ?, ?)",
        ((number, os.urandom(100), number) for number in range(PRODUCTS)),
    )
    yield KEYSPACE, "DELETE FROM products_by_id WHERE product_id = ?", ((3,), (5,), (7,))
    yield (
        KEYSPACE,
        "INSERT INTO products_by_block (block, product_id, product, live_ids) VALUES (?, ?, ?, ?)",
        ((number // 50, number, b"p", bytes([number // 50])) for number in range(PRODUCTS)),
    )
    yield KEYSPACE, "INSERT INTO products_by_block (block, live_ids) VALUES (?, ?)", [(999, b"x")]
    yield (
        KEYSPACE,
        (
            "INSERT INTO products_by_order (category, ordering, shard, place, product_id, price,"
            " terms) VALUES (?, ?, ?, ?, ?, ?, ?)"
        ),
        (("=c", 1, n % 3, n, n, n, {"all", f"n{n}"}) for n in range(40)),
    )
    yield (
        KEYSPACE,
        "INSERT INTO carts_by_session (session_id, sku_id, post_id) VALUES (?, ?, ?) USING TTL ?",
        ((bytes([number]), number, uuid.uuid4(), _LONG) for number in range(40)),
    )
    yield (
        KEYSPACE,
        (
            "INSERT INTO interactions_by_day (day, spread, moment, interaction_id, element)"
            " VALUES (?, ?, ?, ?, ?) USING TTL ?"
        ),
        ((_DAY, n, n, uuid.uuid4(), "e", 1 if n % 2 else _LONG) for n in range(40)),
    )
    yield KEYSPACE, "INSERT INTO id_blocks (kind, next_id) VALUES ('p', ?) IF NOT EXISTS", [(1,)]
    yield KEYSPACE, "UPDATE id_blocks SET next_id = ? WHERE kind = 'p' IF next_id = 1", [(2,)]
    yield (
        EXTRA,
        "INSERT INTO things (k, c, s, v, w) VALUES (?, 1, 's', {street: 'it''s', house: 7}, 5)",
        ((number,) for number in range(10)),
    )
    yield EXTRA, "UPDATE hits SET n = n + ? WHERE k = 'a'", [(5,)]


def digests(address: str) -> Mapping[str, TableDigests]:
    """Return what every table of both keyspaces holds, cell by cell, read at ONE by one node."""
    found: dict[str, TableDigests] = {}
    for keyspace in (KEYSPACE, EXTRA):
        settings = RingSettings(contact_points=(address,), keyspace=keyspace)
        # Counters have no times to be compared.
        read = asyncio.run(read_digests(settings, without=BOOKKEEPING | {"hits"}))
        found |= {f"{keyspace}.{name}": digest for name, digest in read.items()}
    return found
