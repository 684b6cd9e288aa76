"""Rows that are written together: one replica for all, and every fault survived or told."""

import asyncio

import pytest

from ring import (
    BatchLimits,
    RingClient,
    RingRequestError,
    RingTimeoutError,
    RingUnavailableError,
    RowBatch,
    fetch_batch_limits,
)
from ring.transport import ErrorCode
from tests.support.scripted_actions import (
    ADD,
    READ,
    WRITE,
    Answer,
    Cut,
    Forget,
    Refuse,
    Silence,
)
from tests.support.scripted_node import ScriptedNode
from tests.support.scripted_ring import asked, open_client, scripted_ring, until


def _gather(client: RingClient, keys: range) -> list[RowBatch]:
    return list(client.gather(WRITE.name, ((key,) for key in keys)))


def _written(nodes: list[ScriptedNode]) -> list[int]:
    return sorted(key for node in nodes for one in node.executions for key in one.keys)


async def test_rows_when_gathered_and_written_then_each_node_gets_its_own_once() -> None:
    """Every batch goes to the first replica of all its rows, as each row alone would."""
    async with scripted_ring(3) as nodes, open_client(nodes) as client:
        batches = _gather(client, range(200))
        await asyncio.gather(*(client.write(batch) for batch in batches))
        assert _written(nodes) == list(range(200))
        assert 200 / 10 <= len(batches) <= 200 / 10 + len(nodes)
        together = [one.keys for node in nodes for one in node.executions]
        for keys in together:
            routes = [_first(client, key) for key in keys]
            assert routes == routes[:1] * len(keys)
        assert {_first(client, node.executions[0].keys[0]) for node in nodes} == {
            node.address for node in nodes
        }
        assert not [violation for node in nodes for violation in node.violations]


def _first(client: RingClient, key: int) -> str:
    prepared = client._catalogue.find(WRITE.name).prepared
    route = client._membership.routing.route(prepared.encode((key,))[1])
    return route.replicas[0].endpoint.address


async def test_rows_when_a_node_forgot_the_statement_then_prepared_and_written() -> None:
    """UNPREPARED, told of a batch, is cured as that of one row is."""
    async with scripted_ring(1) as nodes, open_client(nodes) as client:
        nodes[0].script.append(Forget())
        (batch,) = _gather(client, range(5))
        await client.write(batch)
        assert nodes[0].executions[-1].keys == (0, 1, 2, 3, 4)
        assert nodes[0].prepares.count(WRITE.cql) == 2


@pytest.mark.parametrize("action", [Cut(), Refuse(ErrorCode.OVERLOADED), Refuse(0x1100)])
async def test_rows_when_the_first_replica_fails_then_the_next_takes_them(
    action: Cut | Refuse,
) -> None:
    """Rows in a batch may be written twice, so another node is asked at once."""
    async with scripted_ring(2) as nodes, open_client(nodes) as client:
        batch = _gather(client, range(50))[0]
        for node in nodes:
            if node.address == _first(client, int(str(batch.rows[0][0]))):
                node.script.append(action)
        await client.write(batch)
        assert asked(nodes) == 2
        assert nodes[0].executions[0].keys == nodes[1].executions[0].keys


async def test_rows_when_refused_then_a_request_error_and_nobody_else_is_asked() -> None:
    """A refusal is the rows' fault wherever they go; each can be tried alone to find which."""
    async with scripted_ring(2) as nodes, open_client(nodes) as client:
        batch = _gather(client, range(50))[0]
        for node in nodes:
            node.default = Refuse(ErrorCode.INVALID)
        with pytest.raises(RingRequestError):
            await client.write(batch)
        assert asked(nodes) == 1
        for node in nodes:
            node.default = Answer()
        for part in batch.parts():
            await client.write(part)
        alone = [one.keys for node in nodes for one in node.executions if len(one.keys) == 1]
        assert sorted(alone) == sorted(tuple(row) for row in batch.rows)


async def test_rows_when_a_node_is_slow_then_no_second_one_is_asked() -> None:
    """A second copy would cost the ring every row twice; a read is hurried all the same."""
    async with (
        scripted_ring(2) as nodes,
        open_client(nodes, speculative_max_seconds=0.02, silence_seconds=5.0) as client,
    ):
        for node in nodes:
            node.default = Answer(0.1)
        await client.write(_gather(client, range(50))[0])
        assert asked(nodes) == 1
        await client.execute(READ.name, (1,))
        await until(lambda: asked(nodes) == 3)


async def test_rows_when_no_answer_comes_then_a_time_out() -> None:
    """The deadline counts for a batch as for a row, and says that they may have been written."""
    async with scripted_ring(1) as nodes, open_client(nodes) as client:
        nodes[0].default = Silence()
        with pytest.raises(RingTimeoutError, match=WRITE.name):
            await client.write(_gather(client, range(5))[0], timeout_seconds=0.1)


async def test_rows_when_every_node_is_gone_then_unavailable() -> None:
    """Told at once, and nothing is lost: the batch can be written later as it is."""
    async with scripted_ring(1) as nodes, open_client(nodes) as client:
        (batch,) = _gather(client, range(5))
        await nodes[0].stop()
        await until(lambda: not any(node.is_connected for node in client.nodes.values()))
        with pytest.raises(RingUnavailableError):
            await client.write(batch)
        await nodes[0].start()
        await until(lambda: any(node.is_connected for node in client.nodes.values()))
        await client.write(batch)
        assert _written(nodes) == [0, 1, 2, 3, 4]


async def test_gather_when_a_statement_may_not_be_repeated_then_refused() -> None:
    """Some rows of a failed batch are written, so only idempotent writes may be batched."""
    async with scripted_ring(1) as nodes, open_client(nodes) as client:
        for statement in (ADD, READ):
            with pytest.raises(RingRequestError, match=statement.name):
                client.gather(statement.name, [(1,)])
        with pytest.raises(RingRequestError, match=r"of \['one'\]"):
            list(client.gather(WRITE.name, [(1,), ("one",)]))


def _settings(size: str, partitions: str) -> dict[str, str]:
    return {
        "batch_size_warn_threshold": size,
        "unlogged_batch_across_partitions_warn_threshold": partitions,
    }


async def test_limits_when_nodes_tell_theirs_then_the_narrowest_of_all() -> None:
    """Any node may get any batch; and none gets more than saves anything."""
    async with scripted_ring(2) as nodes, open_client(nodes) as client:
        nodes[0].told_settings = _settings("9KiB", "20")
        nodes[1].told_settings = _settings("1MiB", "1000")
        limits = await fetch_batch_limits(client.nodes.values())
        assert limits == BatchLimits(rows=64, bytes=9 * 1024, partitions=20)
        nodes[0].told_settings = nodes[1].told_settings
        limits = await fetch_batch_limits(client.nodes.values())
        assert limits == BatchLimits(rows=64, bytes=16 * 1024, partitions=32)


@pytest.mark.parametrize("told", [None, {}, _settings("much", "")])
async def test_limits_when_a_node_does_not_tell_then_as_cassandra_is_shipped(
    told: dict[str, str] | None,
) -> None:
    """A managed one may hide its settings, another version may name them otherwise."""
    async with scripted_ring(2) as nodes, open_client(nodes) as client:
        nodes[0].told_settings = told
        nodes[1].told_settings = _settings("1MiB", "1000")
        assert await fetch_batch_limits(client.nodes.values()) == BatchLimits()
