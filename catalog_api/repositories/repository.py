"""What all repositories have: the ring client, a deadline, and writes that go side by side."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

from catalog_api.repositories.rows import RowSource
from ring.statements import Statement


class Repository:
    """Runs statements through the ring client.

    Args:
        rows: the ring client.
        timeout_seconds: deadline of each statement.
    """

    def __init__(self, rows: RowSource, *, timeout_seconds: float) -> None:
        self._rows = rows
        self._timeout_seconds = timeout_seconds

    async def _execute(
        self,
        statement: Statement,
        values: Sequence[object] = (),
        timeout_seconds: float | None = None,
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a statement, within the repository's deadline unless one is given."""
        if timeout_seconds is None:
            timeout_seconds = self._timeout_seconds
        return await self._rows.execute(statement.name, values, timeout_seconds=timeout_seconds)


async def together(works: Iterable[Coroutine[Any, Any, object]]) -> None:
    """Run all side by side; the first failure ends the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(work)
    except* Exception as failures:
        raise failures.exceptions[0] from failures
