"""A load that is killed at any moment, and run again, ends like one that nobody disturbed."""

import asyncio
import os
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from etl.__main__ import main
from etl.exit_status import ExitStatus
from ring import RingSettings
from ring.nodes.settings import REPOSITORY
from tests.support.stored_tables import read_tables

PRODUCTS = 400
_ENDED = re.compile(r"^(?:\r|\x1b\[[0-9A-Z]+)*([^:]+): (?!stopped)[0-9,]+ rows", re.MULTILINE)
_AGAIN = ("write lists", "write rejects", "cut into slices", "render rows", "write rows")
"""Stages that are no steps of their own: they go on within, or are done by every run."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All fourteen files, dirty rows among them."""
    directory = tmp_path_factory.mktemp("files")
    arguments = ["--products", str(PRODUCTS), "--seed", "5", "--dirty", "0.05"]
    assert main(["generate", str(directory), *arguments]) == 0
    return directory


class KilledLoad:
    """The command, run and killed as often as is asked for."""

    def __init__(self, files: Path, settings: RingSettings, via: str, work: Path) -> None:
        self._command = [sys.executable, "-m", "etl", "load", str(files), "--via", via]
        self._command += ["--rejects", str(work / "rejects")]
        self._environ = os.environ | {
            "CATALOG_CONTACT_POINTS": ",".join(settings.contact_points),
            "CATALOG_KEYSPACE": settings.keyspace,
            "CATALOG_LOAD_TEMP_DIRECTORY": str(work),
            "CATALOG_LOAD_SLICE_PRODUCTS": "40",
            "CATALOG_LOAD_ROWS_PER_SECOND": "6000",
        }
        self._work = work
        self.said: list[str] = []

    async def run(self, kill_after_seconds: float = 600.0) -> int:
        """Run it; kill it after so long, counted from its first word."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            cwd=REPOSITORY, env=self._environ, start_new_session=True,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stderr is not None
        first = await process.stderr.readline()
        try:
            await asyncio.wait_for(process.wait(), kill_after_seconds)
        except TimeoutError:
            process.kill()
            await process.wait()
        self.said.append((first + await process.stderr.read()).decode())
        return process.returncode or 0

    def is_left(self) -> bool:
        """Whether there is something to go on with."""
        return any(self._work.glob("catalog-load-*"))

    def steps_ended(self) -> Counter[str]:
        """How often each stage has ended well, over all runs."""
        names = (name for text in self.said for name in _ENDED.findall(text))
        return Counter(name for name in names if name not in _AGAIN)


async def _kill_and_finish(
    start: Callable[[], KilledLoad], *, kills: int, seconds: float
) -> list[KilledLoad]:
    """Kill a load at random moments; one that ends before is begun again. Then let it finish.

    A load has ended, too, that was killed with nothing left to do but to exit.
    """
    moments = random.Random(kills)  # noqa: S311 - a seeded sequence is the point
    loads = [start()]
    killed = 0
    while killed < kills:
        # Every run does a part, so that one load lives through several.
        code = await loads[-1].run(moments.uniform(0.0, seconds / 3))
        if code != ExitStatus.REJECTS:
            assert code == -signal.SIGKILL, loads[-1].said[-1]
            killed += 1
        if code == ExitStatus.REJECTS or not loads[-1].is_left():
            loads.append(start())
    assert await loads[-1].run() == ExitStatus.REJECTS, loads[-1].said[-1]
    return loads


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("via", ["driver", "sstable"])
@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.faults)])
async def test_tables_when_the_load_was_killed_then_as_undisturbed(
    kills: int,
    via: str,
    files: Path,
    ring_settings: RingSettings,
    second_ring_settings: RingSettings,
    tmp_path: Path,
) -> None:
    """Every run goes on where the one before was killed; finished steps are not done again."""
    undisturbed = KilledLoad(files, ring_settings, via, tmp_path)
    started = time.monotonic()
    assert await undisturbed.run() == ExitStatus.REJECTS, undisturbed.said
    seconds = time.monotonic() - started
    loads = await _kill_and_finish(
        lambda: KilledLoad(files, second_ring_settings, via, tmp_path), kills=kills, seconds=seconds
    )
    wanted, found = await read_tables(ring_settings), await read_tables(second_ring_settings)
    assert found.rendered() == wanted.rendered()
    assert found.listed_ids() == wanted.listed_ids()
    assert found.counted() == wanted.counted()
    for load in loads:
        twice = {name: times for name, times in load.steps_ended().items() if times > 1}
        assert not twice, load.said
    assert not await asyncio.to_thread(lambda: list(tmp_path.glob("catalog-load-*")))
