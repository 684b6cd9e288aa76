"""What a loader left in Cassandra: its last row, the number of rows, and what some of them hold."""

import asyncio
import random
import time
from itertools import pairwise
from typing import Final

from benchmarks.cql_load import LoadError
from benchmarks.finished_rows import TABLE, FinishedFiles
from benchmarks.node import CQL_PORT, Node
from ring import Consistency, RingClient, RingSettings, Statement
from ring.transport import ConnectionOptions, Endpoint, connect, query

READY_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.01

_SELECT: Final = Statement(
    "select_finished_row",
    f"SELECT product FROM {TABLE} WHERE product_id = ?",  # noqa: S608 -- a name of our own
    Consistency.LOCAL_ONE,
    idempotent=True,
)
_COUNT: Final = Statement(
    "count_finished_rows",
    f"SELECT count(*) FROM {TABLE} WHERE token(product_id) >= ? AND token(product_id) <= ?",  # noqa: S608
    Consistency.LOCAL_ONE,
    idempotent=True,
)
_COUNT_RANGES: Final = 64
_COUNT_SECONDS: Final = 60.0
_CHECKED_ROWS: Final = 500
_TOKENS: Final = 2**64
_LEAST_TOKEN: Final = -(2**63)


def wait_for_row(node: Node, keyspace: str, product_id: int) -> None:
    """Return when a read answers this row.

    Raises:
        LoadError: it does not within `READY_SECONDS`.
    """
    asyncio.run(_wait_for_row(node.address, keyspace, product_id))


async def _wait_for_row(address: str, keyspace: str, product_id: int) -> None:
    cql = f"SELECT product_id FROM {keyspace}.{TABLE} WHERE product_id = {product_id}"  # noqa: S608 -- as above
    connection = await connect(Endpoint(address, CQL_PORT), ConnectionOptions(), READY_SECONDS)
    try:
        ends_at = time.monotonic() + READY_SECONDS
        while not await query(connection, cql, timeout_seconds=READY_SECONDS):
            if time.monotonic() > ends_at:
                raise LoadError(f"row {product_id} is not there")
            await asyncio.sleep(POLL_SECONDS)
    finally:
        await connection.aclose()


def check_stored(node: Node, keyspace: str, files: FinishedFiles) -> None:
    """Count the rows in Cassandra and compare some of them.

    Raises:
        LoadError: the table holds other rows than the files.
    """
    settings = RingSettings(contact_points=(node.address,), keyspace=keyspace)
    asyncio.run(_check_stored(settings, files))


async def _check_stored(settings: RingSettings, files: FinishedFiles) -> None:
    ring = await RingClient.open(settings, (_COUNT, _SELECT))
    try:
        await ring.wait_ready(READY_SECONDS)
        stored = 0
        for low, high in _token_ranges():
            counted = await ring.execute(_COUNT.name, (low, high), timeout_seconds=_COUNT_SECONDS)
            stored += counted[0][0]
        if stored != files.rows:
            raise LoadError(f"{stored:,} rows are stored of {files.rows:,}")
        source = random.Random(stored)  # noqa: S311 -- no secrets
        ids = [1, files.rows, *(source.randint(1, files.rows) for _ in range(_CHECKED_ROWS))]
        for product_id, body in (await asyncio.to_thread(files.bodies, ids)).items():
            found = await ring.fetch_one(_SELECT.name, (product_id,))
            if found is None or bytes(found[0]) != body:
                raise LoadError(f"row {product_id} is not what the file says: {found!r:.80}")
    finally:
        await ring.aclose()


def _token_ranges() -> list[tuple[int, int]]:
    edges = [_LEAST_TOKEN + _TOKENS * part // _COUNT_RANGES for part in range(_COUNT_RANGES + 1)]
    return [(low, high - 1) for low, high in pairwise(edges)]
