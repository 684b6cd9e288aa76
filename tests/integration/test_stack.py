"""The local stack as a person runs it: up, again, killed parts, other data, down.

One three-node stack for the whole file, on addresses and ports of its own, started by the same
command that `make up` runs. The tests build on each other, in the order of the file.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from ring.nodes.process import ProcessRecord
from ring.nodes.settings import REPOSITORY, StackSettings
from ring.nodes.stack import Stack
from ring.settings import RingSettings
from tests.support.ccm import installed_cassandra

PREFIX = "127.0.40."
BASE = f"http://{PREFIX}1:8000"
UP_SECONDS = 420.0
PRODUCTS = 1000

pytestmark = [pytest.mark.timeout(UP_SECONDS)]


@dataclass(frozen=True, slots=True)
class Catalog:
    """A stack in a folder of its own, and the command that runs it."""

    state: Path
    environ: dict[str, str]

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `catalog-ring` and return what it printed."""
        return subprocess.run(
            [sys.executable, "-m", "ring", *arguments],
            cwd=REPOSITORY,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=UP_SECONDS,
            check=False,
        )

    @property
    def processes(self) -> dict[str, ProcessRecord]:
        """What runs now, by name."""
        settings = StackSettings(state_directory=str(self.state))
        return Stack(settings, RingSettings()).processes()


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """Three nodes, three app servers and nginx, with the sample; stopped at the end."""
    state = tmp_path_factory.mktemp("stack")
    # Root's nginx gives its workers to nobody, who must get to the folder of temporary files.
    for folder in (state, state.parent):
        folder.chmod(0o755)
    environ = {name: value for name, value in os.environ.items() if "CATALOG_" not in name}
    environ |= {
        "CATALOG_STATE_DIRECTORY": str(state),
        "CATALOG_CASSANDRA_DIRECTORY": str(installed_cassandra(os.environ)),
        "CATALOG_ADDRESS_PREFIX": PREFIX,
        "CATALOG_JMX_PORT": "17140",
        "CATALOG_NGINX_HOST": f"{PREFIX}1",
        "CATALOG_NGINX_STATUS_PORT": "18041",
        "CATALOG_SAMPLE_PRODUCTS": str(PRODUCTS),
        "CATALOG_HEAP_MIB": "450",
    }
    catalog = Catalog(state, environ)
    try:
        done = catalog.run("up", "--nodes", "3")
        assert done.returncode == 0, done.stdout + done.stderr
        yield catalog
    finally:
        catalog.run("down")


class Reader:
    """Reads products through nginx without a pause and remembers what failed."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.failures: list[str] = []
        self.answered = 0

    async def read_until(self, stop: asyncio.Event, offset: int) -> None:
        """Read one product after the other until told to stop."""
        product_id = offset
        while not stop.is_set():
            product_id = product_id % PRODUCTS + 1
            try:
                async with self._session.get(f"{BASE}/products/{product_id}") as answer:
                    await answer.read()
                    if answer.status != 200:
                        self.failures.append(f"{product_id}: {answer.status}")
            except (aiohttp.ClientError, TimeoutError) as error:
                self.failures.append(f"{product_id}: {error!r}")
            self.answered += 1


async def failures_around(action: Callable[[], None], *, seconds: float) -> list[str]:
    """Return the failures of sixteen readers from before an action until `seconds` after it."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        reader = Reader(session)
        stop = asyncio.Event()
        tasks = [
            asyncio.create_task(reader.read_until(stop, offset))
            for offset in range(0, PRODUCTS, PRODUCTS // 16)
        ]
        await asyncio.sleep(0.5)
        action()
        await asyncio.sleep(seconds)
        stop.set()
        await asyncio.gather(*tasks)
    assert reader.answered > 100
    return reader.failures


async def not_served(ids: range) -> list[int]:
    """Return the ids that are not answered by 200 through nginx."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        left = []
        for product_id in ids:
            async with session.get(f"{BASE}/products/{product_id}") as answer:
                if answer.status != 200:
                    left.append(product_id)
        return left


async def test_stack_when_up_then_every_product_and_the_pages(catalog: Catalog) -> None:
    """After `up`, nginx serves the pages and every product of the sample; all parts run."""
    assert sorted(catalog.processes) == [
        "app1",
        "app2",
        "app3",
        "nginx",
        "node1",
        "node2",
        "node3",
    ]
    assert await not_served(range(1, PRODUCTS + 1)) == []
    async with aiohttp.ClientSession() as session:
        for page in ("/", "/about", "/docs"):
            async with session.get(BASE + page) as answer:
                assert answer.status == 200
        async with session.get(f"{BASE}/products/1/related") as answer:
            assert answer.status == 200
        async with session.get(f"{BASE}/metrics") as answer:
            assert answer.status == 404


def test_stack_when_up_again_then_quick_and_nothing_is_started(catalog: Catalog) -> None:
    """A second `up` takes below fifteen seconds, names the URLs, and leaves all as it runs."""
    before = catalog.processes
    started = time.monotonic()
    done = catalog.run("up")
    assert time.monotonic() - started < 15
    assert done.returncode == 0
    assert f"curl -s {BASE}/products/1" in done.stdout
    assert "is loaded already" in done.stdout
    assert catalog.processes == before


def test_stack_when_other_number_of_nodes_then_refused_with_advice(catalog: Catalog) -> None:
    """The ring on disk is not turned into another one, and goes on serving."""
    done = catalog.run("up", "--nodes", "2")
    assert done.returncode == 1
    assert "the ring on disk has 3 node(s)" in done.stderr
    assert "NODES=3" in done.stderr
    assert len(catalog.processes) == 7


async def test_app_server_when_killed_then_no_request_fails(catalog: Catalog) -> None:
    """`kill -9` of one app server costs at most the requests on its open connections."""
    victim = catalog.processes["app2"]
    failures = await failures_around(lambda: kill(victim), seconds=4)
    # Sixteen readers have at most sixteen requests open; nginx asks another server for most.
    assert len(failures) <= 16, failures
    assert await failures_around(lambda: None, seconds=2) == []


async def test_node_when_killed_then_every_product_within_three_seconds(catalog: Catalog) -> None:
    """`kill -9` of one Cassandra: three seconds later every id answers 200 through nginx."""
    kill(catalog.processes["node3"])
    await asyncio.sleep(3)
    assert await not_served(range(1, PRODUCTS + 1)) == []
    assert "node3" not in catalog.processes


async def test_stack_when_parts_died_then_up_restarts_just_these(catalog: Catalog) -> None:
    """`up` starts what does not run, and leaves alone what does."""
    before = catalog.processes
    assert set(before) == {"app1", "app3", "nginx", "node1", "node2"}
    done = await asyncio.to_thread(catalog.run, "up")
    assert done.returncode == 0, done.stderr
    after = catalog.processes
    assert set(after) == set(before) | {"app2", "node3"}
    assert {name: after[name] for name in before} == before
    assert await not_served(range(1, 50)) == []


async def test_stack_when_data_is_given_then_it_replaces_the_sample(
    catalog: Catalog, tmp_path: Path
) -> None:
    """After `up DATA=…` only the products of DATA are served, and a plain `up` keeps them."""
    data = tmp_path / "csv"
    generate = [sys.executable, "-m", "etl", "generate", str(data), "--products", "20"]
    generate += ["--seed", "7", "--dirty", "0"]
    await asyncio.to_thread(subprocess.run, generate, cwd=REPOSITORY, check=True, timeout=60)
    done = await asyncio.to_thread(catalog.run, "up", "--data", str(data))
    assert done.returncode == 0, done.stderr
    assert await not_served(range(1, 41)) == list(range(21, 41))
    again = await asyncio.to_thread(catalog.run, "up", "--data", str(data))
    assert "is loaded already" in again.stdout
    plain = await asyncio.to_thread(catalog.run, "up")
    assert "is loaded already" in plain.stdout
    assert await not_served(range(1, 21)) == []


def test_stack_when_data_is_no_folder_then_refused_and_all_still_runs(catalog: Catalog) -> None:
    """A wrong DATA is told, and what ran before goes on."""
    before = catalog.processes
    done = catalog.run("up", "--data", "/nowhere/at/all")
    assert done.returncode == 1
    assert "is not a folder" in done.stderr
    assert "Traceback" not in done.stderr
    assert catalog.processes == before


async def test_stack_when_a_stage_fails_then_says_why_and_keeps_what_ran(catalog: Catalog) -> None:
    """A setting that no app server accepts is told in its words; Cassandra and nginx go on."""
    before = catalog.processes
    done = await asyncio.to_thread(catalog.run, "up", CATALOG_PROFILE="1999")
    assert done.returncode == 1
    assert "app1 ended while starting" in done.stderr
    assert "CATALOG_PROFILE must be 2020 or 2021" in done.stderr
    after = catalog.processes
    assert set(before) - set(after) == {"app1"}
    assert all(after[name] == before[name] for name in after)
    assert await not_served(range(1, 21)) == []


def test_stack_when_a_port_is_taken_then_says_whose_and_starts_nothing(catalog: Catalog) -> None:
    """A taken port is told before anything is started, with the process that has it."""
    assert catalog.run("down").returncode == 0
    assert catalog.processes == {}
    with socket.create_server((f"{PREFIX}1", 8000)):
        done = catalog.run("up")
    assert done.returncode == 1
    assert "ring " not in done.stdout
    assert f"nginx needs {PREFIX}1:8000, but process {os.getpid()} " in done.stderr
    assert "What to do:" in done.stderr
    assert catalog.processes == {}


@pytest.mark.parametrize("processes", [1, 3])
def test_stack_when_interrupted_then_leaves_nothing_started(
    catalog: Catalog, processes: int
) -> None:
    """Ctrl-C in the middle of `up` stops what it had started, and the ring can start again."""
    child = subprocess.Popen(
        [sys.executable, "-m", "ring", "up"],
        cwd=REPOSITORY,
        env=catalog.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while len(catalog.processes) < processes:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    assert child.wait(timeout=120) == 130
    assert catalog.processes == {}


async def test_stack_when_down_and_up_again_then_the_data_is_still_there(
    catalog: Catalog,
) -> None:
    """`down` keeps the data; `up` serves it without loading it again."""
    done = await asyncio.to_thread(catalog.run, "up")
    assert done.returncode == 0, done.stderr
    assert "is loaded already" in done.stdout
    assert await not_served(range(1, 21)) == []


def kill(record: ProcessRecord) -> None:
    """End a process as a crash would."""
    assert record.signal(signal.SIGKILL)
