"""A local stack that grows by one host, through the hosts themselves; the stack follows the ring.

The second node is on the third host of an inventory, so nothing can be right by counting. The tests
build on each other, in the order of the file.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from ring.hosts.host import NodeStart
from ring.hosts.hosts import Hosts, open_inventory
from ring.inventory import inventory_of
from ring.nodes.install import VERSION
from ring.nodes.probes import cql_answers
from ring.nodes.process import ProcessRecord
from ring.nodes.settings import REPOSITORY, StackSettings
from ring.nodes.stack import Stack
from ring.settings import RingSettings
from tests.support.ccm import installed_cassandra

FIRST, SECOND = "127.0.71.1", "127.0.71.3"
APP_PORT = 7720
BASE = f"http://{FIRST}:7721"
PRODUCTS = 20
UP_SECONDS = 600.0
INVENTORY = f"""
[ring]
way = "local"
app_port = {APP_PORT}
storage_port = 7723
jmx_port = 7710
heap_mib = 400

[nginx]
host = "{FIRST}"
port = 7721
status_port = 7722

[[hosts]]
name = "alpha"
address = "{FIRST}"
rack = "left"

[[hosts]]
name = "beta"
address = "127.0.71.2"

[[hosts]]
name = "gamma"
address = "{SECOND}"
rack = "right"
settings = {{ concurrent_reads = 5 }}
"""

pytestmark = [pytest.mark.timeout(UP_SECONDS)]


@dataclass(frozen=True, slots=True)
class Local:
    """A stack in a folder of its own, its command, and its hosts."""

    environ: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `catalog-ring` and return what it printed."""
        return subprocess.run(
            [sys.executable, "-m", "ring", *arguments],
            cwd=REPOSITORY,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=UP_SECONDS,
            check=False,
        )

    @property
    def hosts(self) -> Hosts:
        """The hosts, opened anew as each command does."""
        return open_inventory(self.environ)

    @property
    def processes(self) -> dict[str, ProcessRecord]:
        """What runs now, by name."""
        settings = StackSettings.from_environ(self.environ)
        inventory = inventory_of(self.environ, settings)
        return Stack(settings, RingSettings(), inventory).processes()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """A stack of one node on the first of three hosts; stopped at the end."""
    state = tmp_path_factory.mktemp("local")
    # Root's nginx gives its workers to nobody, who must get to the folder of temporary files.
    for folder in (state, state.parent):
        folder.chmod(0o755)
    inventory = state / "inventory.toml"
    inventory.write_text(INVENTORY, encoding="utf-8")
    environ = {name: value for name, value in os.environ.items() if "CATALOG_" not in name}
    environ |= {
        "CATALOG_STATE_DIRECTORY": str(state),
        "CATALOG_CASSANDRA_DIRECTORY": str(installed_cassandra(os.environ)),
        "CATALOG_INVENTORY": str(inventory),
        "CATALOG_SAMPLE_PRODUCTS": str(PRODUCTS),
        # Nobody else changes this ring: gossip need not settle for half a minute.
        "CATALOG_JVM_ARGUMENTS": "-Dcassandra.ring_delay_ms=3000"
        " -Dcassandra.skip_wait_for_gossip_to_settle=0 -XX:TieredStopAtLevel=1",
    }
    local = Local(environ)
    try:
        done = local.run("up")
        assert done.returncode == 0, done.stdout + done.stderr
        yield local
    finally:
        local.run("down")


@asynccontextmanager
async def readers() -> AsyncIterator[list[str]]:
    """Read through nginx without a pause while the block runs; yields what failed."""
    failures: list[str] = []
    answered = 0
    ended = False

    async def read(session: aiohttp.ClientSession) -> None:
        nonlocal answered
        while not ended:
            try:
                async with session.get(f"{BASE}/products/{answered % PRODUCTS + 1}") as answer:
                    await answer.read()
                    if answer.status != 200:
                        failures.append(str(answer.status))
            except (aiohttp.ClientError, TimeoutError) as error:
                failures.append(repr(error))
            answered += 1

    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        tasks = [asyncio.create_task(read(session)) for _ in range(8)]
        yield failures
        ended = True
        await asyncio.gather(*tasks)
    assert answered > 100


async def served_by(address: str, port: int) -> int:
    """Return how many products an app server (or nginx) answers."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
        found = 0
        for product_id in range(1, PRODUCTS + 1):
            async with session.get(f"http://{address}:{port}/products/{product_id}") as answer:
                found += answer.status == 200
    return found


async def test_host_when_its_node_joins_then_the_ring_has_it(local: Local) -> None:
    """A node on the third host joins in its rack, with options of its own."""
    alpha, gamma = (local.hosts.find(name) for name in ("alpha", "gamma"))
    before = await gamma.read_facts()
    assert (before.data_bytes, before.node_runs, before.installed_version) == (0, False, None)
    assert await gamma.install(VERSION)
    assert not await gamma.install(VERSION)
    await gamma.start_node(NodeStart(seeds=(FIRST,), allocation_replicas=1))
    async with asyncio.timeout(300):
        # A node that joins answers no CQL before it has joined.
        while not cql_answers(SECOND, 9042):
            assert (await gamma.read_facts()).node_runs, (await gamma.read_log())[0]
            await asyncio.sleep(0.5)
    status = await alpha.nodetool("status")
    (line,) = (line for line in status.splitlines() if SECOND in line)
    assert line.startswith("UN")
    assert line.split()[-1] == "right"
    assert line.split()[4] == "16"
    after = await gamma.read_facts()
    assert after.node_runs
    assert after.data_bytes > 0
    assert (after.installed_version, after.cluster_name) == (VERSION, "catalog")
    text, length = await gamma.read_log()
    assert "Starting listening for CQL clients" in text
    assert await gamma.read_log(since_bytes=length) == ("", length)
    assert "ReadStage" in (stages := await gamma.nodetool("getconcurrency", "ReadStage"))
    assert stages.split()[-1] == "5"


async def test_front_when_app_servers_come_and_go_then_no_request_fails(local: Local) -> None:
    """An app server comes, goes and comes again by reloads under load."""
    hosts = local.hosts
    gamma = hosts.find(SECOND)
    assert not await gamma.app_is_ready()
    await gamma.start_app((FIRST,))
    await gamma.start_app((FIRST,))
    assert await gamma.app_is_ready()
    assert await served_by(SECOND, APP_PORT) == PRODUCTS
    assert await hosts.front.members() == (FIRST,)
    async with readers() as failures:
        for members in ((FIRST, SECOND), (SECOND,), (FIRST, SECOND)):
            assert await hosts.front.render(members)
            assert await hosts.front.members() == members
    assert failures == []
    assert not await hosts.front.render((FIRST, SECOND))
    assert await served_by(FIRST, 7721) == PRODUCTS


def test_stack_when_the_ring_has_grown_then_up_starts_nothing(local: Local) -> None:
    """`up` finds all as it is; another number of nodes is refused."""
    before = local.processes
    assert sorted(before) == ["alpha", "app-alpha", "app-gamma", "gamma", "nginx"]
    done = local.run("up", "--nodes", "2")
    assert done.returncode == 0, done.stderr
    assert f"2 node(s) at {FIRST}, {SECOND}" in done.stdout
    assert local.processes == before
    refused = local.run("up", "--nodes", "1")
    assert refused.returncode == 1
    assert "NODES=2" in refused.stderr


async def test_stack_when_down_and_up_then_the_ring_as_it_is_on_disk(local: Local) -> None:
    """Both nodes start again, an app server beside each, nginx before both."""
    assert (await asyncio.to_thread(local.run, "down")).returncode == 0
    assert local.processes == {}
    done = await asyncio.to_thread(local.run, "up")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(local.processes) == ["alpha", "app-alpha", "app-gamma", "gamma", "nginx"]
    assert await local.hosts.front.members() == (FIRST, SECOND)
    for address in (FIRST, SECOND):
        assert await served_by(address, APP_PORT) == PRODUCTS


async def test_node_when_it_has_left_and_is_frozen_then_stopped_and_not_started_again(
    local: Local,
) -> None:
    """What was decommissioned and not wiped yet is left alone by `up`, with its app server."""
    gamma = local.hosts.find("gamma")
    # The system's keyspaces have more copies than one node can keep.
    await gamma.nodetool("decommission", "--force", timeout_seconds=180)
    process = local.processes["gamma"]
    assert process.signal(signal.SIGSTOP)
    assert (await gamma.read_facts()).node_runs
    await gamma.stop_node()
    assert not process.alive
    done = await asyncio.to_thread(local.run, "up")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gamma has not joined the ring, and is left alone" in done.stdout
    assert sorted(local.processes) == ["alpha", "app-alpha", "nginx"]
    assert await local.hosts.front.members() == (FIRST,)
    assert await served_by(FIRST, 7721) == PRODUCTS


async def test_host_when_wiped_then_nothing_of_its_node_is_left_but_its_log(local: Local) -> None:
    """It cannot start again; whoever wants it back adds it anew."""
    gamma = local.hosts.find("gamma")
    assert (await gamma.read_facts()).data_bytes > 0
    await gamma.wipe_node()
    facts = await gamma.read_facts()
    assert (facts.node_runs, facts.app_runs, facts.data_bytes) == (False, False, 0)
    state = Path(local.environ["CATALOG_STATE_DIRECTORY"])
    assert not (state / "ring" / "catalog" / "gamma").exists()
    assert "DECOMMISSIONED" in (state / "log" / "gamma-system.log").read_text(encoding="utf-8")
