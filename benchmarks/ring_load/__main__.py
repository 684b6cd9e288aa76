"""The load, as a process of its own that no fault of a ring's scripts reaches.

python -m benchmarks.ring_load PLAN.json

Goes on until SIGTERM; then it waits for what is under way, and ends. `ready` appears in the
record's folder once the load flows.
"""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Final

import aiohttp
import uvloop

from benchmarks.live_bodies import bodies_of
from benchmarks.ring_load.changes import Changes
from benchmarks.ring_load.documents import FIRST_ID
from benchmarks.ring_load.pace import keep_pace, now
from benchmarks.ring_load.plan import LoadPlan
from benchmarks.ring_load.readers import ProductReader, RowReader
from benchmarks.ring_load.record import Recorder
from benchmarks.ring_load.rows import ROW_STATEMENTS
from benchmarks.ring_load.writers import ProductWriter, RowWriter
from ring import RingClient

READY_SECONDS: Final = 60.0
FLOWING_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 10.0
FLUSH_SECONDS: Final = 0.5
READY_FILE: Final = "ready"
# More than any load creates, and still far below the ids that the API gives itself.
IDS_PER_SECOND: Final = 50


def main() -> None:
    """Run the plan named on the command line."""
    plan = LoadPlan.read(Path(sys.argv[1]))
    recorder = Recorder(Path(plan.directory))
    bodies = bodies_of(Path(plan.data), range(1, plan.products + 1))
    try:
        uvloop.run(run(plan, recorder, bodies))
    finally:
        recorder.close()


async def run(plan: LoadPlan, recorder: Recorder, bodies: dict[int, bytes]) -> None:
    """Load until told to stop.

    Raises:
        RingUnavailableError: the ring does not answer at the start.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.call_later(plan.longest_seconds, stop.set)
    ring = await RingClient.open(plan.ring_settings(), ROW_STATEMENTS)
    try:
        await ring.wait_ready(READY_SECONDS)
        async with session(plan) as http:
            await load(plan, ring, http, bodies, recorder, stop)
    finally:
        await ring.aclose()


def session(plan: LoadPlan) -> aiohttp.ClientSession:
    """Return a client of nginx; it keeps connections, and opens one more whenever none is free."""
    return aiohttp.ClientSession(
        plan.base_url,
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
        auto_decompress=False,
        skip_auto_headers=("Accept", "Accept-Encoding"),
    )


async def load(
    plan: LoadPlan,
    ring: RingClient,
    http: aiohttp.ClientSession,
    bodies: dict[int, bytes],
    recorder: Recorder,
    stop: asyncio.Event,
) -> None:
    """Read and write at the plan's rates until `stop`."""
    # No run may write keys or times of a run before it.
    first = int(now() * 1e6)
    rows = Changes(first_key=first, first_version=first, retires_unknown=False)
    products = Changes(
        first_key=FIRST_ID + first // 1_000_000 * IDS_PER_SECOND,
        first_version=first,
        retires_unknown=True,
    )
    product_writer = ProductWriter(http, plan.editor_key, products, recorder)
    acts = (
        (plan.reads_per_second, ProductReader(http, bodies, recorder).read),
        (plan.row_writes_per_second, RowWriter(ring, rows, recorder).write),
        (plan.row_reads_per_second, RowReader(ring, rows, recorder).read),
        (plan.product_writes_per_second, product_writer.write),
    )
    async with asyncio.TaskGroup() as group:
        flushing = group.create_task(keep_flushing(recorder))
        group.create_task(say_ready(Path(plan.directory) / READY_FILE))
        paces = [
            group.create_task(keep_pace(per_second, act, stop))
            for per_second, act in acts
            if per_second
        ]
        await asyncio.wait(paces)
        flushing.cancel()


async def keep_flushing(recorder: Recorder) -> None:
    """Make the record visible to those who look at it while the load goes on."""
    while True:
        await asyncio.sleep(FLUSH_SECONDS)
        recorder.flush()


async def say_ready(file: Path) -> None:
    """Make the file that others wait for."""
    await asyncio.sleep(FLOWING_SECONDS)
    await asyncio.to_thread(file.touch)


if __name__ == "__main__":
    main()
