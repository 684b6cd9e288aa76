"""Work that waits together: once for all, each failure told, each key on its own."""

import asyncio
from collections.abc import Set as AbstractSet

from catalog_api.services.gathering import Gathering


async def test_items_when_they_wait_then_one_run_deals_with_all_of_them() -> None:
    """What comes during a run is in the next one, never in the one that has begun."""
    runs: list[tuple[str, AbstractSet[int]]] = []
    go_on = asyncio.Event()

    async def work(key: str, items: AbstractSet[int]) -> None:
        runs.append((key, items))
        await go_on.wait()

    gathering = Gathering(work)
    first = asyncio.create_task(gathering.add("a", 1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(gathering.add("a", item)) for item in (2, 3, 3)]
    another = asyncio.create_task(gathering.add("b", 4))
    await asyncio.sleep(0.01)
    assert runs == [("a", {1}), ("b", {4})]
    go_on.set()
    await asyncio.gather(first, another, *others)
    assert runs[2:] == [("a", {2, 3})]


async def test_run_when_it_fails_then_those_who_wait_for_it_are_told_and_the_next_may_work() -> (
    None
):
    """A failure is no state."""
    fails = True

    async def work(_key: str, _items: AbstractSet[int]) -> None:
        if fails:
            raise ValueError

    gathering = Gathering(work)
    results = await asyncio.gather(
        *(gathering.add("a", item) for item in (1, 2)), return_exceptions=True
    )
    assert [type(one) for one in results] == [ValueError, ValueError]
    fails = False
    await gathering.add("a", 1)
