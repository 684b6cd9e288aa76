import signal
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath

import pytest
import pytest_asyncio
import yaml  # type: ignore[import-untyped]

from ring.hosts.errors import HostError
from ring.hosts.host import NodeStart
from ring.hosts.local import LocalHost
from ring.hosts.local_machine import LocalMachine
from ring.nodes.install import VERSION
from ring.nodes.local_node import node_process
from ring.nodes.local_ring import LocalRing
from ring.nodes.process import ProcessRecord
from tests.support.local_machine import HOSTS, PREFIX, idle_machine

FIRST = f"{PREFIX}1"
SECOND = f"{PREFIX}2"


@pytest_asyncio.fixture
async def machine(tmp_path: Path) -> AsyncIterator[LocalMachine]:
    """A machine with a ring of two nodes on disk, which do not run; all stopped at the end."""
    machine = idle_machine(tmp_path, versions=(VERSION, "5.0.99"))
    LocalRing.open(machine.plan((FIRST, SECOND)))
    yield machine
    for entry in HOSTS:
        await LocalHost(entry, machine).stop_node(timeout_seconds=5)


def node_yaml(machine: LocalMachine, name: str) -> dict[str, object]:
    """Return the configuration that a node would read."""
    file = machine.settings.ring_directory / "catalog" / name / "conf" / "cassandra.yaml"
    options: dict[str, object] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return options


def seeds_of(machine: LocalMachine, name: str) -> object:
    """Return the seeds in a node's configuration."""
    provider = node_yaml(machine, name)["seed_provider"]
    assert isinstance(provider, list)
    return provider[0]["parameters"][0]["seeds"]


def process_of(machine: LocalMachine, name: str) -> ProcessRecord:
    """Return the process of a node, which must run."""
    record = node_process(machine.settings.ring_directory / "catalog" / name)
    assert record is not None
    return record


async def joining(machine: LocalMachine, start: NodeStart | None = None) -> LocalHost:
    """Start a node on the third host."""
    host = LocalHost(HOSTS[2], machine)
    await host.install(VERSION)
    await host.start_node(start or NodeStart(seeds=(FIRST, SECOND), allocation_replicas=1))
    return host


async def test_host_when_its_node_is_to_join_then_configured_for_that(
    machine: LocalMachine,
) -> None:
    """It bootstraps, allocates its own tokens, is in the inventory's rack and no seed."""
    host = await joining(machine)
    options = node_yaml(machine, "node3")
    assert options["auto_bootstrap"] is True
    assert options["initial_token"] is None
    assert options["allocate_tokens_for_local_replication_factor"] == 1
    assert options["listen_address"] == options["rpc_address"] == f"{PREFIX}3"
    assert (options["storage_port"], options["native_transport_port"]) == (7761, 7760)
    assert seeds_of(machine, "node3") == f"{FIRST},{SECOND}"
    rack = machine.settings.ring_directory / "catalog/node3/conf/cassandra-rackdc.properties"
    assert rack.read_text() == "dc=datacenter1\nrack=rack3\n"
    facts = await host.read_facts()
    assert (facts.node_runs, facts.installed_version) == (True, VERSION)
    assert facts.cluster_name == "catalog"
    assert [node.name for node in machine.nodes_on_disk() if node.joined] == ["node1", "node2"]


async def test_host_when_its_node_replaces_one_then_told_so_and_that_one_starts_no_more(
    machine: LocalMachine,
) -> None:
    """The one replaced would take its tokens back from the one that has them now."""
    await joining(machine, NodeStart(seeds=(FIRST,), replace_address=SECOND))
    asked = machine.settings.ring_directory / "catalog" / "node3" / "asked"
    assert f"-Dcassandra.replace_address_first_boot={SECOND}" in asked.read_text()
    assert [node.name for node in machine.nodes_on_disk() if node.joined] == ["node1"]


async def test_host_when_started_twice_then_one_node_runs(machine: LocalMachine) -> None:
    """An operation that was interrupted asks again."""
    host = await joining(machine)
    before = process_of(machine, "node3")
    await host.start_node(NodeStart(seeds=(FIRST,)))
    assert process_of(machine, "node3") == before


async def test_host_when_its_node_is_a_member_then_restarted_as_it_was(
    machine: LocalMachine,
) -> None:
    """What is said for a first boot changes nothing: tokens stay, nothing is streamed."""
    tokens = node_yaml(machine, "node1")["initial_token"]
    assert tokens
    await LocalHost(HOSTS[0], machine).start_node(NodeStart(seeds=(SECOND,)))
    options = node_yaml(machine, "node1")
    assert (options["initial_token"], options["auto_bootstrap"]) == (tokens, False)
    assert seeds_of(machine, "node1") == SECOND


async def test_host_when_its_node_is_frozen_then_it_runs_and_can_be_stopped(
    machine: LocalMachine,
) -> None:
    """SIGTERM alone would wait for ever in a frozen process."""
    host = await joining(machine)
    process = process_of(machine, "node3")
    assert process.signal(signal.SIGSTOP)
    assert (await host.read_facts()).node_runs
    await host.stop_node(timeout_seconds=10)
    assert not process.alive
    assert not (await host.read_facts()).node_runs


async def test_host_when_wiped_then_its_node_is_forgotten_and_its_log_kept(
    machine: LocalMachine,
) -> None:
    """It cannot start again, neither here nor by `make up`; what is installed stays."""
    host = await joining(machine)
    with pytest.raises(HostError, match="node3 runs") as caught:
        await host.wipe_node()
    assert caught.value.advice == "Stop it first."
    await host.stop_node()
    folder = machine.settings.ring_directory / "catalog" / "node3"
    (folder / "data0" / "rows").write_bytes(b"12345")
    (folder / "logs" / "system.log").write_text("last words\n", encoding="ascii")
    assert (await host.read_facts()).data_bytes == 5
    for _ in range(2):
        await host.wipe_node()
        facts = await host.read_facts()
        assert (facts.data_bytes, facts.installed_version) == (0, VERSION)
        assert not folder.exists()
        assert [node.name for node in machine.nodes_on_disk()] == ["node1", "node2"]
    kept = machine.settings.state / "log" / "node3-system.log"
    assert kept.read_text() == "last words\n"


async def test_host_when_it_holds_data_of_no_node_then_refused_until_wiped(
    machine: LocalMachine,
) -> None:
    """Rows of another ring must not come into this one."""
    foreign = machine.settings.ring_directory / "catalog" / "node3" / "data0" / "rows"
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"123")
    with pytest.raises(HostError, match="holds 3 bytes of a node") as caught:
        await joining(machine)
    assert "wipe" in caught.value.advice
    await LocalHost(HOSTS[2], machine).wipe_node()
    host = await joining(machine)
    assert (await host.read_facts()).node_runs


async def test_host_when_a_node_is_wiped_then_no_member_names_it_as_seed(
    machine: LocalMachine,
) -> None:
    """Seeds are right in every node's configuration when nodes come and go."""
    ring = LocalRing.open(machine.plan())
    ring.keep_as_joined([])
    assert seeds_of(machine, "node2") == f"{FIRST},{SECOND}"
    await LocalHost(HOSTS[0], machine).wipe_node()
    assert seeds_of(machine, "node2") == SECOND
    await LocalHost(HOSTS[1], machine).write_seeds((f"{PREFIX}9",))
    assert seeds_of(machine, "node2") == f"{PREFIX}9"
    await LocalHost(HOSTS[3], machine).write_seeds((SECOND,))


async def test_host_when_another_version_is_installed_then_its_node_starts_with_it(
    machine: LocalMachine,
) -> None:
    """A node goes on in its own version until it is started anew."""
    host = LocalHost(HOSTS[0], machine)
    await host.start_node(NodeStart(seeds=(FIRST,)))
    assert await host.install("5.0.99")
    assert not await host.install("5.0.99")
    assert (await host.read_facts()).installed_version == "5.0.99"
    assert machine.nodes_on_disk()[0].version == VERSION
    await host.stop_node()
    await host.start_node(NodeStart(seeds=(FIRST,)))
    assert [node.version for node in machine.nodes_on_disk()] == ["5.0.99", VERSION]
    assert machine.nodes_on_disk()[0].install_directory.name == "5.0.99"


async def test_host_when_nothing_is_installed_then_its_node_is_not_started(
    machine: LocalMachine,
) -> None:
    """The version of the ring must be chosen by whoever changes it."""
    host = LocalHost(HOSTS[3], machine)
    facts = await host.read_facts()
    assert (facts.installed_version, facts.cluster_name, facts.data_bytes) == (None, None, 0)
    with pytest.raises(HostError, match="no Cassandra is installed on node4"):
        await host.start_node(NodeStart(seeds=(FIRST,)))
    with pytest.raises(HostError, match="node4 has no node"):
        await host.nodetool("info")
    assert await host.read_log() == ("", 0)
    await host.stop_node()
    await host.stop_app()
    assert not await host.app_is_ready()


async def test_host_when_the_folder_of_a_dead_node_is_gone_then_the_others_still_start(
    machine: LocalMachine,
) -> None:
    """A lost disk takes one node away, not the ring's files."""
    folder = machine.settings.ring_directory / "catalog" / "node2"
    folder.rename(folder.with_name("lost"))
    assert [node.name for node in machine.nodes_on_disk()] == ["node1"]
    host = await joining(machine, NodeStart(seeds=(FIRST,), replace_address=SECOND))
    assert (await host.read_facts()).node_runs
    assert [node.name for node in machine.nodes_on_disk()] == ["node1", "node3"]


async def test_files_when_put_then_listed_and_fetched_whole(
    machine: LocalMachine, tmp_path: Path
) -> None:
    """Paths are those of the node's data, and stay below it."""
    host = LocalHost(HOSTS[0], machine)
    source = tmp_path / "source"
    source.write_bytes(b"rows")
    path = PurePosixPath("catalog/products/nb-1-big-Data.db")
    await host.put_file(source, path)
    assert await host.list_files(PurePosixPath("catalog")) == {
        PurePosixPath("products/nb-1-big-Data.db"): 4
    }
    await host.fetch_file(path, tmp_path / "back" / "file")
    assert (tmp_path / "back" / "file").read_bytes() == b"rows"
    assert await host.list_files(PurePosixPath("nothing")) == {}
    for outside in ("../conf/cassandra.yaml", "/etc/passwd"):
        with pytest.raises(HostError, match="is not below"):
            await host.fetch_file(PurePosixPath(outside), tmp_path / "stolen")
    with pytest.raises(HostError, match="node1: "):
        await host.fetch_file(PurePosixPath("missing"), tmp_path / "missing")


async def test_log_when_read_from_a_mark_then_only_what_came_since(machine: LocalMachine) -> None:
    """A log that was begun anew since is read from its start."""
    log = machine.settings.ring_directory / "catalog" / "node1" / "logs" / "system.log"
    host = LocalHost(HOSTS[0], machine)
    log.write_text("one\n", encoding="ascii")
    assert await host.read_log() == ("one\n", 4)
    assert await host.read_log(since_bytes=4) == ("", 4)
    log.write_text("one\ntwo\n", encoding="ascii")
    assert await host.read_log(since_bytes=4) == ("two\n", 8)
    log.write_text("new\n", encoding="ascii")
    assert await host.read_log(since_bytes=8) == ("new\n", 4)
