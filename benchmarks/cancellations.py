"""Random cancellations under load: what they leave behind, in the client and in the app servers."""

import asyncio
import gc
import random
import time
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.fault_ring import FaultRing, address
from benchmarks.open_load import CANCELLED, OpenLoad, failures
from benchmarks.paths import NODE_STATE
from benchmarks.processes import open_files
from benchmarks.seeding import KEYSPACE
from ring import RingClient, RingSettings
from schema.statements.products import SELECT_PRODUCT

WORKERS: Final = 64
READ_SECONDS: Final = 5.0
LONGEST_WAIT_SECONDS: Final = 0.004
SETTLE_SECONDS: Final = 8.0
CANCEL_SHARE: Final = 0.5
WARM_READS: Final = 2000


@dataclass(frozen=True, slots=True)
class Counts:
    """What could leak: each must be after the cancellations what it was before."""

    tasks: int
    futures: int
    requests_at_nodes: int
    streams: int
    file_descriptors: int


@dataclass(frozen=True, slots=True)
class CancellationFigures:
    """How many calls were cancelled, in the client and by hanging up, and what was left."""

    client_cancelled: int
    client_answered: int
    client_before: Counts
    client_after: Counts
    hung_up: int
    hung_up_failed: dict[str, int]
    server_files_before: int
    server_files_after: int

    @property
    def leaked(self) -> bool:
        """Whether anything was left behind, or a request that nobody cancelled failed."""
        return (
            self.client_before != self.client_after
            or bool(self.hung_up_failed)
            or self.server_files_after > self.server_files_before
        )

    def text(self) -> str:
        """Return the figures as a sentence or two."""
        verdict = "something leaked" if self.leaked else "nothing leaked"
        return (
            f"Cancellations: {self.client_cancelled} of the client's calls "
            f"({self.client_answered} others answered), {self.client_before} before, "
            f"{self.client_after} after; {self.hung_up} HTTP requests hung up on, others failed: "
            f"{self.hung_up_failed or 0}, the app servers' file descriptors "
            f"{self.server_files_before} before, {self.server_files_after} after: {verdict}."
        )


def cancel_at_random(ring: FaultRing, *, count: int, rate: float) -> CancellationFigures:
    """Cancel `count` calls of a client in this process, then hang up on as many HTTP requests."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        client_side = runner.run(_cancel_calls(ring.ids, count))
    files_before = _server_files(ring)
    seconds = max(2.0, 1.1 * count / (rate * CANCEL_SHARE))
    with OpenLoad(
        ring.targets,
        rate=rate,
        seconds=seconds,
        ids=ring.ids,
        records=NODE_STATE / "cancel_records.bin",
        cancel_share=CANCEL_SHARE,
    ) as load:
        requests = load.finish()
    files_after = _settled_server_files(ring, files_before)
    hung_up = sum(request.outcome == CANCELLED for request in requests)
    failed = dict(failures(requests))
    return CancellationFigures(*client_side, hung_up, failed, files_before, files_after)


def _server_files(ring: FaultRing) -> int:
    return sum(open_files(server.pid) for server in ring.servers)


def _settled_server_files(ring: FaultRing, wanted: int) -> int:
    """Return the file descriptors once closed connections are gone."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (files := _server_files(ring)) > wanted and time.monotonic() < deadline:
        time.sleep(0.25)
    return files


async def _cancel_calls(rows: int, count: int) -> tuple[int, int, Counts, Counts]:
    settings = RingSettings(contact_points=(address(0),), keyspace=KEYSPACE)
    client = await RingClient.open(settings, [SELECT_PRODUCT])
    try:
        await client.wait_ready(60)
        for product_id in range(1, WARM_READS):
            await client.fetch_one(SELECT_PRODUCT.name, (product_id % rows + 1,))
        await asyncio.sleep(1)
        before = _counts(client)
        tally = [0, 0]
        async with asyncio.TaskGroup() as group:
            for seed in range(WORKERS):
                group.create_task(_worker(client, random.Random(seed), rows, count, tally))  # noqa: S311
        after = await _settled_counts(client, before)
        return tally[0], tally[1], before, after
    finally:
        await client.aclose()


async def _worker(
    client: RingClient, source: random.Random, rows: int, count: int, tally: list[int]
) -> None:
    """Start calls and cancel each after a random while; tally: cancelled, answered."""
    while tally[0] < count:
        call = asyncio.create_task(
            client.fetch_one(
                SELECT_PRODUCT.name, (source.randint(1, rows),), timeout_seconds=READ_SECONDS
            )
        )
        await asyncio.sleep(source.uniform(0, LONGEST_WAIT_SECONDS))
        call.cancel()
        try:
            row = await call
        except asyncio.CancelledError:
            tally[0] += 1
        else:
            assert row is not None
            tally[1] += 1


async def _settled_counts(client: RingClient, wanted: Counts) -> Counts:
    """Return the counts as soon as they equal `wanted`, else what they are in the end."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        await asyncio.sleep(0.2)
        counts = _counts(client)
        if astuple(counts) == astuple(wanted) or time.monotonic() > deadline:
            return counts


def _counts(client: RingClient) -> Counts:
    gc.collect()
    nodes = client.nodes.values()
    connections = [node.connection for node in nodes if node.connection is not None]
    return Counts(
        tasks=len(asyncio.all_tasks()),
        futures=sum(isinstance(one, asyncio.Future) for one in gc.get_objects()),
        requests_at_nodes=sum(node.in_flight for node in nodes),
        streams=sum(connection.streams_in_use for connection in connections),
        file_descriptors=sum(1 for _ in Path("/proc/self/fd").iterdir()),
    )
