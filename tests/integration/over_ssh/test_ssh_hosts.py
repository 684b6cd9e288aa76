"""Single hosts over ssh, without a ring: what they are told, how they fail.

The tests build on each other, in the order of the file.
"""

import asyncio
import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from benchmarks.ssh_hosts import HOSTS_PYTHON, OPERATOR, HostNetwork, make_key
from ring.hosts.errors import HostError, HostUnreachableError
from ring.hosts.hosts import Hosts, open_inventory
from ring.inventory import INVENTORY_VARIABLE
from ring.nodes.install import VERSION
from ring.nodes.process import command_line
from ring.nodes.settings import REPOSITORY

pytestmark = [pytest.mark.timeout(120)]

# Fast enough for an operator who waits, long enough for a busy machine.
NOTICED_SECONDS: Final = 45.0


async def test_facts_when_a_host_was_never_used_then_they_say_so(hosts: Hosts) -> None:
    """Nothing has to be installed on a host to look at it."""
    facts = await hosts.all[0].read_facts()
    assert (facts.installed_version, facts.cluster_name, facts.data_bytes) == (None, None, 0)
    assert not facts.node_runs
    assert not facts.app_runs
    assert facts.free_disk_bytes > 0
    # It is this machine's clock.
    assert abs(facts.clock_offset_seconds) < 0.2
    assert await hosts.front.members() == ()


@pytest.mark.parametrize("connected", [False, True])
async def test_call_when_the_network_is_cut_then_it_ends_and_works_again_once_it_heals(
    hosts: Hosts, network: HostNetwork, *, connected: bool
) -> None:
    """Packets vanish without a word, before the first connection or after."""
    first, second = hosts.all
    if connected:
        await first.read_facts()
    network.cut(OPERATOR, first.entry.name)
    try:
        started = time.monotonic()
        with pytest.raises(HostUnreachableError) as caught:
            await first.read_facts()
        assert time.monotonic() - started < NOTICED_SECONDS
        assert first.entry.name in str(caught.value)
        assert caught.value.advice
        await second.read_facts()
    finally:
        network.heal(OPERATOR, first.entry.name)
    await first.read_facts()


async def test_call_when_the_hosts_key_is_another_then_it_is_refused(
    network: HostNetwork, tmp_path: Path
) -> None:
    """Whoever answers at the address must be who the known hosts say."""
    keys = network.known_hosts_file.read_text(encoding="ascii").splitlines()
    one, other = (line.split(maxsplit=1) for line in keys)
    known = tmp_path / "known_hosts"
    known.write_text(f"{one[0]} {other[1]}\n", encoding="ascii")
    async with _operator(network, tmp_path, str(network.known_hosts_file), str(known)) as hosts:
        with pytest.raises(HostUnreachableError, match="Host key verification failed") as caught:
            await hosts.all[0].read_facts()
        assert "ssh-keyscan" in caught.value.advice


async def test_call_when_the_key_is_not_accepted_then_it_says_what_to_check(
    network: HostNetwork, tmp_path: Path
) -> None:
    """No question is asked: nobody may be there to answer it."""
    other = tmp_path / "key"
    make_key(other)
    async with _operator(network, tmp_path, str(network.key_file), str(other)) as hosts:
        with pytest.raises(HostUnreachableError, match="Permission denied") as caught:
            await hosts.all[0].read_facts()
        assert "key_file" in caught.value.advice


async def test_call_when_the_host_has_no_such_python_then_it_says_so(
    network: HostNetwork, tmp_path: Path
) -> None:
    """A host that answers but cannot run the agent is not unreachable."""
    async with _operator(network, tmp_path, HOSTS_PYTHON, "/bin/no-python") as hosts:
        with pytest.raises(HostError, match="no-python") as caught:
            await hosts.all[0].read_facts()
        assert not isinstance(caught.value, HostUnreachableError)
        assert "Python" in caught.value.advice


async def test_install_when_the_disk_is_too_small_then_nothing_is_sent(
    hosts: Hosts, network: HostNetwork
) -> None:
    """The host says how much it needs and has; it is as it was before."""
    host = network.hosts[0]
    host.directory.mkdir(exist_ok=True)
    host.run("mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", "/srv/catalog")
    try:
        with pytest.raises(HostError, match=r"MiB free, an installation needs \d+ MiB"):
            await hosts.all[0].install(VERSION)
        assert (await hosts.all[0].read_facts()).installed_version is None
    finally:
        await hosts.aclose()
        host.run("umount", "/srv/catalog")


async def test_install_when_it_is_interrupted_or_harmed_then_the_next_one_mends_it(
    hosts: Hosts, network: HostNetwork
) -> None:
    """Nothing half-installed is ever taken; what is whole is not sent again."""
    host, folder = hosts.all[1], network.hosts[1].directory
    installing = asyncio.create_task(host.install(VERSION))
    await _until(lambda: bool(list(folder.glob("cassandra/.new.*/0"))))
    installing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await installing
    assert (await host.read_facts()).installed_version is None
    assert await host.install(VERSION)
    assert not list(folder.glob("*/.new.*"))
    assert not await host.install(VERSION)
    jar = next(folder.glob("cassandra/installed/lib/cassandra-all-*.jar"))
    content = bytearray(jar.read_bytes())
    content[1000] ^= 1
    jar.write_bytes(content)
    assert await host.install(VERSION)
    content[1000] ^= 1
    jar = next(folder.glob("cassandra/installed/lib/cassandra-all-*.jar"))
    assert jar.read_bytes() == content
    assert (await host.read_facts()).installed_version == VERSION


async def test_record_when_another_process_has_the_number_then_it_is_left_alone(
    hosts: Hosts, network: HostNetwork
) -> None:
    """A process id alone is nobody's: its start must match too."""
    host, machine = hosts.all[1], network.hosts[1]
    record = {"pid": 1, "start_ticks": 1, "boot_id": _boot_id()}
    for kind in ("pid", "supervisor"):
        file = machine.directory / "run" / f"node.{kind}.json"
        file.write_text(json.dumps(record), encoding="ascii")
    assert not (await host.read_facts()).node_runs
    await host.stop_node()
    # It would have been the sshd.
    assert not (await host.read_facts()).node_runs


async def test_front_when_app_servers_change_then_no_request_is_lost(hosts: Hosts) -> None:
    """On a host that has only nginx; pages come from disk, so no app server has to run."""
    own = hosts.inventory.nginx
    addresses = [host.entry.address for host in hosts.all]
    assert await hosts.front.render(addresses)
    failures: list[str] = []
    reading = asyncio.create_task(_read_pages(f"http://{own.host}:{own.port}/", failures))
    for number in range(4):
        assert await hosts.front.render([addresses[number % 2]])
        assert await hosts.front.members() == (addresses[number % 2],)
    reading.cancel()
    assert await asyncio.gather(reading, return_exceptions=True)
    assert failures[1:] == []
    assert int(failures[0]) > 20


async def test_front_when_nginx_refuses_the_files_then_it_keeps_those_it_has(
    hosts: Hosts, network: HostNetwork
) -> None:
    """The reason is told; on the disk is what nginx runs with."""
    folder = network.host(hosts.inventory.nginx.runs_on).directory
    conf = folder / "nginx" / "conf" / "upstream.conf"
    before = conf.read_text(encoding="utf-8")
    template = folder / "app" / "installed" / "nginx" / "templates" / "upstream.conf.in"
    sound = template.read_text(encoding="utf-8")
    template.write_text(sound + "nonsense on;\n", encoding="utf-8")
    members = await hosts.front.members()
    with pytest.raises(HostError, match='unknown directive "nonsense"'):
        await hosts.front.render([host.entry.address for host in hosts.all])
    assert conf.read_text(encoding="utf-8") == before
    assert await hosts.front.members() == members
    template.write_text(sound, encoding="utf-8")
    assert not await hosts.front.render(members)


async def test_app_when_no_node_answers_then_its_start_says_what_it_said(
    hosts: Hosts, network: HostNetwork
) -> None:
    """It is stopped again, and its secrets were never to be seen."""
    host, machine = hosts.all[1], network.hosts[1]
    await host.install(VERSION)
    starting = asyncio.create_task(host.start_app((host.entry.address,)))
    await _until(lambda: bool(machine.pids("-m catalog_api")))
    secret_file = machine.directory / "secrets" / "session_secret"
    secret = secret_file.read_text(encoding="ascii").strip()
    assert len(secret) >= 32
    assert secret_file.stat().st_mode & 0o777 == 0o600
    for pid in machine.pids(""):
        assert secret not in " ".join(command_line(pid))
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    # Whoever comes next does not wait for an app server that nobody waits for.
    started = time.monotonic()
    await host.stop_app()
    assert time.monotonic() - started < NOTICED_SECONDS
    assert machine.pids("-m catalog_api") == []
    assert not await host.app_is_ready()


async def test_operator_when_it_is_killed_then_its_connections_end(
    network: HostNetwork, tmp_path: Path
) -> None:
    """Nothing of ssh outlives the process that opened it."""
    environ = {
        **os.environ,
        INVENTORY_VARIABLE: str(network.write_inventory(tmp_path / "inventory.toml")),
    }
    program = (
        "import asyncio, time\n"
        "from ring.hosts.hosts import open_inventory\n"
        "async def main():\n"
        "    await open_inventory().all[0].read_facts()\n"
        "    print('connected', flush=True)\n"
        "    time.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    operator = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=REPOSITORY, env=environ, stdout=asyncio.subprocess.PIPE
    )
    assert operator.stdout is not None
    assert await operator.stdout.readline() == b"connected\n"
    assert _ssh_clients()
    operator.send_signal(signal.SIGKILL)
    await operator.wait()
    await _until(lambda: not _ssh_clients())


@asynccontextmanager
async def _operator(
    network: HostNetwork, folder: Path, given: str, other: str
) -> AsyncIterator[Hosts]:
    """Open the inventory with something else in the place of what is given."""
    file = network.write_inventory(folder / "inventory.toml")
    text = file.read_text(encoding="utf-8")
    assert given in text
    file.write_text(text.replace(given, other), encoding="utf-8")
    hosts = open_inventory({INVENTORY_VARIABLE: str(file)})
    try:
        yield hosts
    finally:
        await hosts.aclose()


async def _read_pages(url: str, failures: list[str]) -> None:
    """Read a page until cancelled; how often, and each failure."""
    failures.append("0")
    while True:
        try:
            await asyncio.to_thread(_read, url)
        except OSError as error:
            failures.append(str(error))
        failures[0] = str(int(failures[0]) + 1)


def _read(url: str) -> None:
    with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 -- http
        response.read()


def _ssh_clients() -> list[int]:
    pids = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
    return [pid for pid in pids if command_line(pid)[:1] == ("ssh",)]


async def _until(holds: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + NOTICED_SECONDS
    while not holds():
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.02)


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
