"""A ring of two hosts over ssh: from nothing to two nodes with their app servers, and back.

The tests build on each other, in the order of the file.
"""

import asyncio
import hashlib
import signal
import time
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePosixPath
from typing import Final

import pytest

from benchmarks.ssh_hosts import HostNetwork
from ring import RingSettings
from ring.apply_schema import apply_schema
from ring.hosts.errors import HostError
from ring.hosts.host import Host, NodeStart
from ring.hosts.hosts import Hosts
from ring.nodes.install import VERSION
from ring.nodes.nodetool import UP_NORMAL, parse_status
from ring.nodes.probes import cql_answers
from ring.nodes.settings import REPOSITORY
from tests.support.stored_catalog import CatalogProduct, plain_product, write_catalog

pytestmark = [pytest.mark.timeout(200)]

CQL_PORT: Final = 9042
NGINX_PORT: Final = 8000
PRODUCTS: Final = range(1, 201)
UP_SECONDS: Final = 150.0
# Instead of 30 s, which only many nodes need; compiled quickly, for nodes that live minutes.
QUICK: Final = ("-Dcassandra.ring_delay_ms=4000", "-XX:TieredStopAtLevel=1")
NODE: Final = "CassandraDaemon"
APP: Final = "-m catalog_api"


async def test_first_node_when_it_is_installed_and_started_then_it_serves(hosts: Hosts) -> None:
    """Both hosts get Cassandra and the app at once; the first node needs nobody to join."""
    first, second = hosts.all
    assert all(await asyncio.gather(first.install(VERSION), second.install(VERSION)))
    alone = (*QUICK, "-Dcassandra.skip_wait_for_gossip_to_settle=0")
    start = NodeStart((first.entry.address,), auto_bootstrap=False, jvm_arguments=alone)
    await first.start_node(start)
    await _until(_answers(first), "the first node serves")
    facts = await first.read_facts()
    assert facts.node_runs
    assert facts.cluster_name == "catalog"
    assert facts.data_bytes > 0
    assert 0 < facts.free_disk_bytes < (facts.disk_bytes or 0)
    assert 0 < (facts.node_cpu_seconds or 0) < (facts.cpu_seconds or 0)
    assert facts.cpu_cores
    settings = _ring_settings(first)
    await apply_schema(settings, REPOSITORY / "schema", replication_factor=1)
    await write_catalog(settings, (CatalogProduct(plain_product(number)) for number in PRODUCTS))


async def test_second_node_when_it_joins_then_it_streams_its_half(hosts: Hosts) -> None:
    """It is up and normal for both, with the datacenter and rack of the inventory."""
    first, second = hosts.all
    since = (await second.read_log())[1]
    assert since == 0
    await second.start_node(_joining(first))
    wanted = {host.entry.address: UP_NORMAL for host in (first, second)}

    async def joined() -> bool:
        return parse_status(await first.nodetool("status")) == wanted

    await _until(joined, "the second node is up and normal")
    await _until(_answers(second), "the second node serves")
    text, size = await second.read_log()
    assert size > 0
    assert "Startup complete" in text
    assert (await second.read_log(since_bytes=size))[1] >= size
    assert "rack1" in await second.nodetool("info")


async def test_app_servers_when_they_are_started_then_nginx_serves_what_they_read(
    hosts: Hosts,
) -> None:
    """Every product is read through both app servers and through nginx on the first host."""
    addresses = tuple(host.entry.address for host in hosts.all)
    for host in hosts.all:
        assert not await host.app_is_ready()
        await host.start_app(addresses)
        assert await host.app_is_ready()
    assert await hosts.front.members() == ()
    assert await hosts.front.render(addresses)
    assert await hosts.front.members() == addresses
    assert not await hosts.front.render(addresses)
    front = f"http://{addresses[0]}:{NGINX_PORT}"
    for base in (*(f"http://{address}:8080" for address in addresses), front):
        await asyncio.to_thread(_read_all, base)
    assert "server accepts handled requests" in await hosts.front.read_figures()


async def test_daemons_when_the_operators_connection_ends_then_they_go_on(
    hosts: Hosts, network: HostNetwork
) -> None:
    """They are no children of a session; a fresh connection finds them by their records."""
    before = [network.host(host.entry.name).pids(NODE) for host in hosts.all]
    await hosts.aclose()
    for host in hosts.all:
        facts = await host.read_facts()
        assert facts.node_runs
        assert facts.app_runs
    assert [network.host(host.entry.name).pids(NODE) for host in hosts.all] == before
    # What runs is left alone.
    await hosts.all[1].start_node(_joining(hosts.all[0]))
    await hosts.all[1].start_app(tuple(host.entry.address for host in hosts.all))
    assert [network.host(host.entry.name).pids(NODE) for host in hosts.all] == before


async def test_app_server_when_it_is_killed_then_it_is_started_again(
    hosts: Hosts, network: HostNetwork
) -> None:
    """Its supervisor does that, without an operator; an address taken out of nginx gets nothing."""
    second = hosts.all[1]
    assert network.host(second.entry.name).signal(APP, signal.SIGKILL)

    async def ready() -> bool:
        return await second.app_is_ready()

    await _until(ready, "the app server is back")
    assert await hosts.front.render([second.entry.address])
    assert await hosts.front.members() == (second.entry.address,)
    await hosts.all[0].stop_app()
    await asyncio.to_thread(_read_all, f"http://{hosts.all[0].entry.address}:{NGINX_PORT}")


async def test_file_when_it_is_fetched_and_put_then_it_is_the_same(
    hosts: Hosts, network: HostNetwork, tmp_path: Path
) -> None:
    """Paths are below the node's data, and lead nowhere else."""
    first, second = hosts.all
    await first.nodetool("flush", "catalog")
    listed = await first.list_files(PurePosixPath("catalog"))
    path = next(path for path in listed if path.name.endswith("-Data.db"))
    stored = network.host(first.entry.name).directory / "node" / "data" / "catalog" / path
    copy = tmp_path / "copy"
    await first.fetch_file(PurePosixPath("catalog") / path, copy)
    assert _digest(copy) == _digest(stored)
    assert copy.stat().st_size == listed[path]
    await second.put_file(copy, PurePosixPath("restored/table/data.db"))
    assert await second.list_files(PurePosixPath("restored")) == {
        PurePosixPath("table/data.db"): listed[path]
    }
    with pytest.raises(HostError, match="not a path below"):
        await second.put_file(copy, PurePosixPath("../conf/cassandra.yaml"))
    with pytest.raises(HostError, match="No such file"):
        await second.fetch_file(PurePosixPath("catalog/nothing"), copy)


async def test_node_when_it_is_killed_or_frozen_then_it_stays_so_until_it_is_started(
    hosts: Hosts, network: HostNetwork
) -> None:
    """Nobody starts a node that ended; one that is frozen runs, and can be stopped and wiped."""
    second, machine = hosts.all[1], network.host(hosts.all[1].entry.name)
    assert machine.signal(NODE, signal.SIGKILL)
    facts = await second.read_facts()
    assert not facts.node_runs
    assert facts.app_runs
    await second.write_seeds((second.entry.address, hosts.all[0].entry.address))
    conf = (machine.directory / "node" / "conf" / "cassandra.yaml").read_text(encoding="utf-8")
    assert f"{second.entry.address},{hosts.all[0].entry.address}" in conf
    await second.start_node(_joining(hosts.all[0]))
    with pytest.raises(HostError, match="the node runs"):
        await second.wipe_node()
    machine.signal(NODE, signal.SIGSTOP)
    assert (await second.read_facts()).node_runs
    await second.stop_app()
    await second.stop_node(timeout_seconds=20)
    assert machine.pids(NODE) == []
    await second.wipe_node()
    facts = await second.read_facts()
    assert (facts.data_bytes, facts.cluster_name, facts.node_runs) == (0, None, False)
    assert facts.installed_version == VERSION


def _joining(first: Host) -> NodeStart:
    return NodeStart((first.entry.address,), allocation_replicas=1, jvm_arguments=QUICK)


def _ring_settings(host: Host) -> RingSettings:
    return RingSettings(
        contact_points=(host.entry.address,), cql_port=CQL_PORT, request_timeout_seconds=10.0
    )


def _answers(host: Host) -> Callable[[], Awaitable[bool]]:
    async def answers() -> bool:
        if cql_answers(host.entry.address, CQL_PORT):
            return True
        if not (await host.read_facts()).node_runs:
            pytest.fail((await host.read_log())[0][-3000:])
        return False

    return answers


async def _until(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    give_up_at = time.monotonic() + UP_SECONDS
    while not await holds():
        if time.monotonic() > give_up_at:
            pytest.fail(f"not in {UP_SECONDS:.0f} s: {what}")
        await asyncio.sleep(1.0)


def _read_all(base: str) -> None:
    for number in PRODUCTS:
        url = f"{base}/products/{number}"
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 -- http
            assert f"name {number}".encode() in response.read()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
