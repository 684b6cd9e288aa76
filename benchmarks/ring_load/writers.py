"""Writes: rows of the load's own at QUORUM, and products through nginx as an editor."""

from typing import Final

import aiohttp

from benchmarks.ring_load.changes import Change, Changes
from benchmarks.ring_load.documents import document
from benchmarks.ring_load.ledger import Outcome, Table, Write
from benchmarks.ring_load.pace import now
from benchmarks.ring_load.record import Recorder
from benchmarks.ring_load.rows import DELETE_ROW, WRITE_ROW, payload
from ring import RingClient, RingError, RingOverloadedError

_DONE: Final = (200, 201, 204)
_NOT_FOUND: Final = 404
_CLIENT_ERRORS: Final = range(400, 500)


class RowWriter:
    """Writes rows with times of its own, so that the order of its writes is the order of times."""

    def __init__(self, ring: RingClient, changes: Changes, recorder: Recorder) -> None:
        self._ring = ring
        self._changes = changes
        self._recorder = recorder
        self._last_microseconds = 0

    async def write(self, due_at: float) -> None:
        """Make the next change and record it. Consistency: QUORUM."""
        del due_at
        change, began = self._changes.take(), now()
        outcome = await self._try(change)
        self._changes.settle(change, outcome)
        self._recorder.add_write(
            Write(Table.ROWS, change.key, change.version, began, now(), outcome)
        )

    async def _try(self, change: Change) -> Outcome:
        moment = self._later_microseconds()
        try:
            if change.version is None:
                await self._ring.execute(DELETE_ROW.name, (moment, change.key))
            else:
                body = payload(change.key, change.version)
                values = (change.key, change.version, body, moment)
                await self._ring.execute(WRITE_ROW.name, values)
        except RingOverloadedError:
            return Outcome.REFUSED
        except RingError as error:
            self._recorder.add_problem(f"row {change.key} written at QUORUM: {error!r}")
            return Outcome.UNKNOWN
        return Outcome.ACKNOWLEDGED

    def _later_microseconds(self) -> int:
        self._last_microseconds = max(self._last_microseconds + 1, int(now() * 1e6))
        return self._last_microseconds


class ProductWriter:
    """Puts and deletes products through the API; nginx repeats no write."""

    def __init__(
        self, session: aiohttp.ClientSession, key: str, changes: Changes, recorder: Recorder
    ) -> None:
        self._session = session
        self._headers = {"Authorization": f"Bearer {key}"}
        self._changes = changes
        self._recorder = recorder

    async def write(self, due_at: float) -> None:
        """Make the next change and record it. Consistency: LOCAL_QUORUM, by a transaction."""
        del due_at
        change, began = self._changes.take(), now()
        outcome = await self._try(change)
        self._changes.settle(change, outcome)
        self._recorder.add_write(
            Write(Table.PRODUCTS, change.key, change.version, began, now(), outcome)
        )

    async def _try(self, change: Change) -> Outcome:
        gone = change.version is None
        method = "DELETE" if gone else "PUT"
        path = f"/v1/products/{change.key}"
        body = None if change.version is None else document(change.version)
        try:
            async with self._session.request(
                method, path, json=body, headers=self._headers
            ) as answer:
                text = await answer.text()
        except aiohttp.ClientConnectorError as error:
            self._recorder.add_problem(f"{method} {path}: {error!r}")
            return Outcome.REFUSED
        except (aiohttp.ClientError, TimeoutError) as error:
            self._recorder.add_problem(f"{method} {path}: {error!r}")
            return Outcome.UNKNOWN
        # Deleted before, or by the first of two attempts at this.
        if answer.status in _DONE or (gone and answer.status == _NOT_FOUND):
            return Outcome.ACKNOWLEDGED
        self._recorder.add_problem(f"{method} {path}: {answer.status} {text}")
        return Outcome.REFUSED if answer.status in _CLIENT_ERRORS else Outcome.UNKNOWN
