"""Reads of products through nginx, and of the load's own rows at QUORUM; each answer is checked."""

import random
from collections.abc import Mapping

import aiohttp

from benchmarks.open_load import HTTP_OK
from benchmarks.ring_load.changes import Changes
from benchmarks.ring_load.pace import now
from benchmarks.ring_load.record import Read, ReadKind, ReadOutcome, Recorder
from benchmarks.ring_load.rows import SELECT_ROW, payload
from ring import RingClient, RingError


class ProductReader:
    """Reads random products that nobody changes."""

    def __init__(
        self, session: aiohttp.ClientSession, bodies: Mapping[int, bytes], recorder: Recorder
    ) -> None:
        self._session = session
        self._bodies = bodies
        self._recorder = recorder
        self._random = random.Random(len(bodies))  # noqa: S311 -- no secret
        self._ids = list(bodies)

    async def read(self, due_at: float) -> None:
        """Read one and record how it went. Consistency: LOCAL_ONE, as the API reads."""
        product_id = self._random.choice(self._ids)
        outcome = await self._ask(product_id)
        self._recorder.add_read(Read(due_at, now() - due_at, ReadKind.PRODUCT, outcome))

    async def _ask(self, product_id: int) -> ReadOutcome:
        path = f"/products/{product_id}"
        try:
            async with self._session.get(path) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            self._recorder.add_problem(f"GET {path}: {error!r}")
            return ReadOutcome.FAILED
        if answer.status == HTTP_OK and body == self._bodies[product_id]:
            return ReadOutcome.GOOD
        self._recorder.add_problem(f"GET {path}: {answer.status} {body[:120]!r}")
        # A product that is stored is as wrong when it is said to be missing.
        return ReadOutcome.FAILED if answer.status >= SERVER_ERRORS else ReadOutcome.WRONG


class RowReader:
    """Reads rows of the load's own back while it goes on."""

    def __init__(self, ring: RingClient, changes: Changes, recorder: Recorder) -> None:
        self._ring = ring
        self._changes = changes
        self._recorder = recorder

    async def read(self, due_at: float) -> None:
        """Read one that nobody writes meanwhile. Consistency: QUORUM, so it must be the newest."""
        key = self._changes.take_known()
        if key is None:
            return
        try:
            row = await self._ring.fetch_one(SELECT_ROW.name, (key,))
        except RingError as error:
            self._recorder.add_problem(f"row {key} at QUORUM: {error!r}")
            outcome = ReadOutcome.FAILED
        else:
            outcome = self._judge(key, row)
        finally:
            self._changes.give_back(key)
        self._recorder.add_read(Read(due_at, now() - due_at, ReadKind.ROW, outcome))

    def _judge(self, key: int, row: tuple[int, bytes] | None) -> ReadOutcome:
        version = None if row is None else row[0]
        verdict = self._changes.ledger.judge(key, version)
        if verdict is None and (row is None or bytes(row[1]) == payload(key, row[0])):
            return ReadOutcome.GOOD
        expected = self._changes.ledger.expected(key)
        self._recorder.add_problem(f"row {key} at QUORUM: {version} in the place of {expected}")
        return ReadOutcome.WRONG


SERVER_ERRORS = 500
