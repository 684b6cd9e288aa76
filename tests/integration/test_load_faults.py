"""Loads that meet trouble: no row is lost, and running the load again finishes it."""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from etl.__main__ import main
from etl.errors import NotTakenError, RefusedError
from etl.exit_status import ExitStatus
from etl.settings import EtlSettings
from etl.writers.listing import list_products
from etl.writers.patient import PatientRing, one_by_one
from ring import (
    RingClient,
    RingOverloadedError,
    RingSettings,
    RingTimeoutError,
    RingUnavailableError,
    RowBatch,
)
from ring.nodes.settings import REPOSITORY
from schema.documents import block_of, pack_live_ids
from schema.statements import LOAD_STATEMENTS
from schema.statements.load import WRITE_BLOCK_ROW, WRITE_PRODUCT
from tests.support.api import running_catalog
from tests.support.catalog_documents import NEW, send
from tests.support.legacy_files import write_files
from tests.support.stored_tables import READY_SECONDS, load_directory, read_tables

_FAULTS = (RingTimeoutError, RingOverloadedError, RingUnavailableError)


class UnreliableRing:
    """A real client, some of whose calls fail: before they are sent, or after they were applied.

    Attributes:
        sent: every batch in the order of the attempts, failed ones too.
    """

    def __init__(self, ring: RingClient, *, failing_share: float) -> None:
        self.gather = ring.gather
        self.sent: list[RowBatch] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._ring = ring
        self._failing_share = failing_share
        self._random = random.Random(1)  # noqa: S311 - a seeded sequence is the point

    async def execute(self, name: str, values: Sequence[object], **more: Any) -> list[Any]:
        """Run the statement, or fail with one of the errors that are worth another try."""
        async with self._fate():
            return await self._ring.execute(name, values, **more)

    async def write(self, batch: RowBatch, **more: Any) -> None:
        """Write the rows, or fail likewise."""
        self.sent.append(batch)
        async with self._fate():
            await self._ring.write(batch, **more)

    @asynccontextmanager
    async def _fate(self) -> AsyncIterator[None]:
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            fate = self._random.random()
            if fate < self._failing_share / 2:
                raise self._random.choice(_FAULTS)("not sent")
            yield
            if fate < self._failing_share:
                raise self._random.choice(_FAULTS)("applied, but nobody said so")
        finally:
            self.in_flight -= 1


@asynccontextmanager
async def _unreliable(
    settings: RingSettings, failing_share: float
) -> AsyncIterator[UnreliableRing]:
    ring = await RingClient.open(settings, LOAD_STATEMENTS)
    try:
        await ring.wait_ready(READY_SECONDS)
        yield UnreliableRing(ring, failing_share=failing_share)
    finally:
        await ring.aclose()


def _patient(ring: UnreliableRing, **changes: Any) -> PatientRing:
    return PatientRing(cast("RingClient", ring), EtlSettings(**changes))


async def _write(ring: PatientRing, product_ids: Iterable[int]) -> None:
    as_of = time.time_ns() // 1_000
    bodies = [(one, b"{}", "e", b"[]", "e", b"{}", b"{}", "e", as_of) for one in product_ids]
    places = [(block_of(row[0]), row[0], b'{"id":%d}' % row[0], as_of) for row in bodies]
    await ring.for_each(one_by_one(ring.gather(WRITE_PRODUCT.name, bodies)), ring.write)
    await ring.for_each(one_by_one(ring.gather(WRITE_BLOCK_ROW.name, places)), ring.write)


def _live_ids(product_ids: Sequence[int]) -> dict[int, bytes]:
    blocks = {block_of(one) for one in product_ids}
    return {
        block: pack_live_ids(one for one in product_ids if block_of(one) == block)
        for block in blocks
    }


async def test_rows_when_writes_fail_then_tried_until_all_are_stored(
    ring_settings: RingSettings,
) -> None:
    """Timeouts, overload and dead nodes cost time, never rows; what is outstanding is bounded.

    A row is tried again with the very bytes that were tried first, its timestamp among them.
    """
    product_ids = range(1, 6_000, 3)
    async with _unreliable(ring_settings, 0.3) as ring:
        patient = _patient(ring, load_concurrency=24, load_min_concurrency=8)
        await _write(patient, product_ids)
        await list_products(patient, _live_ids(product_ids), frozenset())
    stored = await read_tables(ring_settings)
    assert stored.product_ids() == stored.listed_ids() == list(product_ids)
    assert sum(stored.counted().values()) == len(product_ids)
    assert 1 < ring.most_in_flight <= 24
    assert (patient.in_flight, patient.rows_waiting) == (0, 0)
    assert set(patient.retries) == {"timeout", "overload", "unavailable"}
    assert patient.outages == patient.retries["unavailable"]
    assert patient.limit.decreases > 0
    first = {(one.name, row[:2]): one for one in ring.sent for row in one.rows}
    assert len(ring.sent) > len({id(one) for one in first.values()})
    assert all(first[one.name, row[:2]] is one for one in ring.sent for row in one.rows)


async def test_products_when_created_while_a_load_lists_its_own_then_all_are_listed(
    ring_settings: RingSettings,
) -> None:
    """Both change the same bitmaps and counts, and neither undoes what the other did."""
    loaded, created = range(1, 4_000, 4), [*range(2, 4_000, 200)]
    async with (
        running_catalog(ring_settings, []) as api,
        _unreliable(ring_settings, 0.0) as ring,
    ):
        patient = _patient(ring, load_concurrency=8, load_min_concurrency=8)
        await _write(patient, loaded)

        async def create() -> None:
            for product_id in created:
                answer = await send(api, "PUT", f"/v1/products/{product_id}", NEW)
                assert answer.status == 201

        creating = asyncio.create_task(create())
        for _ in range(5):
            await list_products(patient, _live_ids(loaded), frozenset())
        await creating
    stored = await read_tables(ring_settings)
    assert stored.listed_ids() == sorted([*loaded, *created])
    assert sum(stored.counted().values()) == len(loaded) + len(created)


async def test_rows_when_no_node_takes_them_then_the_load_gives_up_loudly(
    ring_settings: RingSettings,
) -> None:
    """After `load_give_up_seconds` the load fails; it does not go on without the row."""
    async with _unreliable(ring_settings, 2.0) as ring:
        patient = _patient(ring, load_concurrency=2, load_give_up_seconds=0.3)
        with pytest.raises(NotTakenError, match="no node took it"):
            await _write(patient, range(1, 100))


async def test_rows_when_one_does_not_fit_then_the_load_stops_and_names_it(
    ring_settings: RingSettings,
) -> None:
    """A refusal is a bug or another schema: waiting would not help."""
    async with _unreliable(ring_settings, 0.0) as ring:
        with pytest.raises(RefusedError, match=str(2**70)):
            await _write(_patient(ring), [1, 2**70])


async def test_rows_when_cassandra_refuses_one_of_a_batch_then_that_one_is_named(
    ring_settings: RingSettings,
) -> None:
    """Of those that share its request none is blamed, and all other requests are served."""
    async with _unreliable(ring_settings, 0.0) as ring:
        patient = _patient(ring)
        rows = [
            (one, b"{}", "é" if one == 3 else "e", b"[]", "e", b"{}", b"{}", "e", 1)
            for one in range(1, 41)
        ]
        failed = []
        wanted: list[int] = []
        for batch in patient.gather(WRITE_PRODUCT.name, rows):
            ids = [int(str(row[0])) for row in batch.rows]
            # Those before the bad one in its batch are tried again alone, those after it no more.
            wanted += ids[: ids.index(3)] if 3 in ids else ids
            try:
                await patient.write(batch)
            except RefusedError as error:
                failed.append(str(error))
    assert len(failed) == 1
    assert "the row is (3, " in failed[0]
    assert not patient.retries
    stored = (await read_tables(ring_settings)).product_ids()
    assert len(wanted) < len(rows) - 1
    assert stored == sorted(wanted)


def test_load_when_no_cassandra_answers_then_status_4_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Told before the long part, and without a stack trace."""
    write_files(tmp_path, {"product": '1,"a","b","c","d",1\n'})
    monkeypatch.setenv("CATALOG_CONTACT_POINTS", "127.0.99.99")
    monkeypatch.setenv("CATALOG_LOAD_READY_TIMEOUT_SECONDS", "0.5")
    assert main(["load", str(tmp_path)]) == ExitStatus.FATAL
    assert "not ready" in capsys.readouterr().err


async def _start(
    directory: Path, ring_settings: RingSettings, **environ: str
) -> asyncio.subprocess.Process:
    """Start the command, held to a rate so that it lasts; what it says can be read."""
    work = directory / ".work"
    await asyncio.to_thread(work.mkdir, exist_ok=True)
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "etl", "load", str(directory), "--rejects", f"{directory}/rejects",
        cwd=REPOSITORY,
        env=os.environ
        | {
            "CATALOG_CONTACT_POINTS": ",".join(ring_settings.contact_points),
            "CATALOG_KEYSPACE": ring_settings.keyspace,
            "CATALOG_LOAD_ROWS_PER_SECOND": "1500",
            "CATALOG_LOAD_TEMP_DIRECTORY": str(work),
        }
        | environ,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def _until_it_writes(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    async with asyncio.timeout(60):
        while b"cut into slices" not in await process.stderr.readline():
            pass


def _products(directory: Path, number: int) -> Path:
    rows = "".join(f'{product_id},"a","b","c","d",1\n' for product_id in range(1, number + 1))
    directory.mkdir(exist_ok=True)
    return write_files(directory, {"product": rows})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_load_when_interrupted_and_run_again_then_as_if_never_interrupted(
    number: signal.Signals, tmp_path: Path, ring_settings: RingSettings
) -> None:
    """Status 5 in the middle of writing; the second run finishes."""
    process = await _start(_products(tmp_path, 12_000), ring_settings)
    await _until_it_writes(process)
    await asyncio.sleep(0.3)
    process.send_signal(number)
    told, problems = await process.communicate()
    assert process.returncode == ExitStatus.INTERRUPTED, problems.decode()
    assert b"NOT finished" in told
    assert len((await read_tables(ring_settings)).product_ids()) < 12_000
    await load_directory(tmp_path, ring_settings, slice_products=1_000)
    stored = await read_tables(ring_settings)
    assert stored.product_ids() == stored.listed_ids() == list(range(1, 12_001))


async def test_load_when_another_writes_then_refused_and_the_other_is_not_disturbed(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """Status 4 for other files, status 2 for a second run of the same load."""
    first = await _start(_products(tmp_path / "first", 6_000), ring_settings)
    await _until_it_writes(first)
    # Held for less than its lease, so that it surely outlasts the others.
    first.send_signal(signal.SIGSTOP)
    other = await _start(_products(tmp_path / "other", 6_005), ring_settings)
    same = await _start(tmp_path / "first", ring_settings)
    (_, other_told), (_, same_told) = await other.communicate(), await same.communicate()
    first.send_signal(signal.SIGCONT)
    _, problems = await first.communicate()
    assert first.returncode == ExitStatus.CLEAN, problems.decode()
    assert other.returncode == ExitStatus.FATAL
    assert b"ring is locked by a bulk load (" in other_told
    assert same.returncode == ExitStatus.USAGE
    assert b"another run of this load is at work" in same_told
    assert b"Traceback" not in other_told + same_told
    stored = await read_tables(ring_settings)
    assert stored.product_ids() == stored.listed_ids() == list(range(1, 6_001))


async def test_load_when_a_file_grows_all_the_time_then_nothing_written_until_it_is_whole(
    tmp_path: Path, ring_settings: RingSettings
) -> None:
    """As while an export is still being copied to where it is loaded from."""
    process = await _start(_products(tmp_path, 4_000), ring_settings)
    ending = asyncio.create_task(process.communicate())
    product_id = 4_000
    with (tmp_path / "product.csv").open("a") as file:
        while not ending.done():
            product_id += 1
            file.write(f'{product_id},"a","b","c","d",1\n')
            file.flush()
            await asyncio.sleep(0.005)
    _, problems = await ending
    assert process.returncode == ExitStatus.FATAL, problems.decode()
    assert b"product.csv: went from" in problems
    assert b"nothing was written" in problems
    assert not (await read_tables(ring_settings)).product_ids()
    await load_directory(tmp_path, ring_settings, slice_products=1_000)
    assert (await read_tables(ring_settings)).listed_ids() == list(range(1, product_id + 1))
