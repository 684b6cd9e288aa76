"""Work on a stream: bounded, in order, and nothing left behind."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from catalog_api.services.in_order import in_order


async def _numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


async def _taken(outcomes: AsyncGenerator[int, None]) -> list[int]:
    return [outcome async for outcome in outcomes]


async def test_outcomes_when_work_ends_in_any_order_then_they_come_in_the_items_order() -> None:
    """At most `width` items at once, and as many as that."""
    running = most = 0

    async def work(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001 * (number % 5))
        running -= 1
        return number

    assert await _taken(in_order(_numbers(60), work, width=7)) == list(range(60))
    assert most == 7


async def test_outcome_when_the_next_item_is_late_then_it_comes_before() -> None:
    """Nobody waits for an item to hear of the one before it."""
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[int]:
        yield 1
        await go_on.wait()
        yield 2

    async def work(number: int) -> int:
        return number

    outcomes = in_order(slow(), work, width=4)
    async with asyncio.timeout(1):
        assert await anext(outcomes) == 1
        go_on.set()
        assert await anext(outcomes) == 2


async def test_items_when_they_fail_then_after_the_outcomes_before_and_nothing_runs_on() -> None:
    """The same when whoever takes the outcomes stops early."""

    async def failing() -> AsyncIterator[int]:
        yield 1
        raise ConnectionResetError

    async def work(number: int) -> int:
        await asyncio.sleep(0 if number < 3 else 60)
        return number

    outcomes = in_order(failing(), work, width=4)
    assert await anext(outcomes) == 1
    with pytest.raises(ConnectionResetError):
        await anext(outcomes)
    outcomes = in_order(_numbers(10), work, width=4)
    assert await anext(outcomes) == 0
    await outcomes.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}
