"""Reads while a replication factor has been raised and the new replicas hold nothing yet."""

import dataclasses
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ring import RingClient
from ring.apply_schema import apply_schema, drop_keyspace
from ring.connection_options import connection_options
from ring.nodes.settings import REPOSITORY
from ring.settings import RingSettings
from ring.transport import Endpoint, connect, query
from schema.statements import API_STATEMENTS
from tests.support.api import RunningApi, running_api
from tests.support.stored_catalog import (
    READY_SECONDS,
    CatalogProduct,
    plain_product,
    write_catalog,
)

PRODUCTS = 60
STATEMENT_SECONDS = 60.0


@pytest_asyncio.fixture
async def one_copy(
    ring_settings: RingSettings, contact_points: tuple[str, ...]
) -> AsyncIterator[RingSettings]:
    """Settings of a keyspace whose rows are on one node each."""
    settings = dataclasses.replace(ring_settings, keyspace=f"test_{uuid.uuid4().hex[:16]}")
    if len(contact_points) < 2:
        pytest.skip("one node has all rows at any replication factor")
    await apply_schema(settings, REPOSITORY / "schema", replication_factor=1)
    yield settings
    await drop_keyspace(settings)


async def raise_replication(settings: RingSettings, factor: int) -> None:
    """Only say that there are more replicas; no repair gives them their rows."""
    options = dataclasses.replace(connection_options(settings), keyspace=None)
    endpoint = Endpoint(settings.contact_points[0], settings.cql_port)
    connection = await connect(endpoint, options, 10.0)
    try:
        await query(
            connection,
            f'ALTER KEYSPACE "{settings.keyspace}" WITH replication ='
            f" {{'class': 'NetworkTopologyStrategy', 'datacenter1': {factor}}}",
            timeout_seconds=STATEMENT_SECONDS,
        )
    finally:
        await connection.aclose()


async def missing(api: RunningApi) -> list[str]:
    """Return the paths that are not answered as if nothing had happened."""
    ids = range(1, PRODUCTS + 1)
    paths = [f"/products/{number}{part}" for number in ids for part in ("", "/styles", "/related")]
    wrong = []
    for path in paths:
        async with api.client.get(path) as answer:
            if answer.status != 200:
                wrong.append(path)
    async with api.client.get(f"/products?count={PRODUCTS}") as answer:
        if [product["id"] for product in await answer.json()] != list(ids):
            wrong.append("/products")
    asked = ",".join(map(str, ids))
    async with api.client.get(f"/v1/products?ids={asked}") as answer:
        if (await answer.json())["missing"]:
            wrong.append("/v1/products")
    return wrong


async def test_reads_when_new_replicas_are_empty_then_every_product_is_found(
    one_copy: RingSettings,
) -> None:
    """From one copy to two: the node beside each app server may be a replica without the row.

    One step only: of three replicas two empty ones could make a quorum.
    """
    await write_catalog(
        one_copy, [CatalogProduct(plain_product(number)) for number in range(1, PRODUCTS + 1)]
    )
    await raise_replication(one_copy, 2)
    for address in one_copy.contact_points:
        beside = dataclasses.replace(one_copy, local_address=address)
        ring = await RingClient.open(beside, API_STATEMENTS)
        await ring.wait_ready(READY_SECONDS)
        async with running_api(ring) as api:
            assert await missing(api) == []
            async with api.client.get(f"/products/{PRODUCTS + 1}") as answer:
                assert answer.status == 404
