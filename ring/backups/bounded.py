"""Work side by side, with a bound."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

JobT = TypeVar("JobT")


async def side_by_side(
    bound: int, jobs: Iterable[JobT], work: Callable[[JobT], Awaitable[None]]
) -> None:
    """Do every job, `bound` at a time. The first that fails cancels the others and is raised."""
    remaining = iter(jobs)

    async def worker() -> None:
        for job in remaining:
            await work(job)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(bound):
                group.create_task(worker())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures.exceptions[0].__cause__
