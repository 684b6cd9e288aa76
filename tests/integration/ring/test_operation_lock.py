"""The lock of operations, on a real ring."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator

import pytest

from ring import RingClient, RingSettings
from ring.operation_lock import (
    LOCK_STATEMENTS,
    OperationLockedError,
    OperationLockLostError,
    fetch_holder,
    hold_operation_lock,
    take_away,
)
from tests.support.cql_tables import run_cql
from tests.support.stored_tables import READY_SECONDS


@pytest.fixture
async def ring(ring_settings: RingSettings) -> AsyncIterator[RingClient]:
    """A client that may hold locks."""
    client = await RingClient.open(ring_settings, LOCK_STATEMENTS)
    await client.wait_ready(READY_SECONDS)
    yield client
    await client.aclose()


async def test_lock_when_held_then_others_are_told_by_whom(ring: RingClient) -> None:
    """One holds it, everybody else is refused, and afterwards it is free."""
    async with hold_operation_lock(ring, "ring", owner="host-1", purpose="a load"):
        with pytest.raises(OperationLockedError, match=r"a load \(host-1, since 20"):
            async with hold_operation_lock(ring, "ring", owner="host-2", purpose="another"):
                pytest.fail("two hold one lock")
        async with hold_operation_lock(ring, "other", owner="host-2", purpose="another"):
            pass
    assert await fetch_holder(ring, "ring") is None
    async with hold_operation_lock(ring, "ring", owner="host-2", purpose="another"):
        pass


async def test_lock_when_many_ask_at_once_then_one_gets_it(ring: RingClient) -> None:
    """The lightweight transaction decides."""
    holding = 0
    refused = 0

    async def ask(owner: str) -> None:
        nonlocal holding, refused
        try:
            async with hold_operation_lock(ring, "ring", owner=owner, purpose="a load"):
                holding += 1
                await asyncio.sleep(3.0)
        except OperationLockedError:
            refused += 1

    await asyncio.gather(*(ask(f"host-{number}") for number in range(6)))
    assert (holding, refused) == (1, 5)


async def test_lock_when_held_longer_than_its_lease_then_renewed(ring: RingClient) -> None:
    """The lease is for those who die."""
    async with hold_operation_lock(ring, "ring", owner="a", purpose="a load", lease_seconds=4.0):
        await asyncio.sleep(7.0)
        holder = await fetch_holder(ring, "ring")
        assert holder is not None
        assert holder.owner == "a"


async def test_lock_when_taken_away_then_the_body_is_cancelled(
    ring: RingClient, ring_settings: RingSettings
) -> None:
    """An operation that lost its lock does not go on."""

    async def hold() -> None:
        async with hold_operation_lock(
            ring, "ring", owner="a", purpose="a load", lease_seconds=4.0
        ):
            await run_cql(
                ring_settings, "DELETE FROM operation_locks WHERE name = 'ring' IF EXISTS"
            )
            await asyncio.sleep(30.0)

    with pytest.raises(OperationLockLostError, match="somebody else"):
        await hold()


async def test_lock_when_the_body_fails_then_its_error_and_the_lock_is_free(
    ring: RingClient,
) -> None:
    """No group of errors reaches the caller."""
    with pytest.raises(ZeroDivisionError):
        async with hold_operation_lock(ring, "ring", owner="a", purpose="a load"):
            raise ZeroDivisionError
    assert await fetch_holder(ring, "ring") is None


async def test_lock_when_its_owner_stood_still_then_it_says_that_it_may_be_lost(
    ring: RingClient,
) -> None:
    """A frozen process wakes up after its lease, and must not act before it has renewed it."""
    async with hold_operation_lock(
        ring, "ring", owner="a", purpose="a load", lease_seconds=4.0
    ) as lock:
        lock.require()
        # As if the whole process had been stopped since the last renewal.
        lock._renewed_at -= 4.5
        with pytest.raises(OperationLockLostError, match="not renewed in time"):
            lock.require()


async def test_lock_when_taken_away_by_its_owners_name_then_free_and_nobody_elses_is(
    ring: RingClient,
) -> None:
    """Who unlocks names the holder that was seen; one that came since keeps its lock."""
    async with hold_operation_lock(ring, "ring", owner="a", purpose="a load") as lock:
        holder = await fetch_holder(ring, "ring")
        assert holder is not None
        assert 0 < holder.lease_seconds <= 60
        stranger = dataclasses.replace(holder, owner="b")
        assert not await take_away(ring, "ring", stranger)
        assert await fetch_holder(ring, "ring") is not None
        assert await take_away(ring, "ring", holder)
        assert await fetch_holder(ring, "ring") is None
        lock.require()
