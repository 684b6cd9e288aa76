"""A catalog on hosts that only ssh reaches: network namespaces on a bridge."""

import asyncio
import shutil
import time
from functools import cached_property
from pathlib import Path
from typing import Final

from benchmarks.catalog_stack import CatalogStack, outer_environ
from benchmarks.cql_load import LoadError
from benchmarks.node import installation
from benchmarks.ssh_hosts import FIRST_HOST, PREFIX, HostNetwork
from ring.hosts.host import NodeStart
from ring.hosts.hosts import open_inventory
from ring.hosts.node_files import TIMER_SLACK
from ring.nodes.install import VERSION
from ring.nodes.local_ring import CORES_SHARED
from ring.nodes.probes import cql_answers

HOSTS: Final = 4
NGINX_PORT: Final = 8000
CQL_PORT: Final = 9042
START_SECONDS: Final = 300.0
POLL_SECONDS: Final = 0.5


class SshStack(CatalogStack):
    """One catalog on the hosts of a network that runs."""

    def __init__(self, network: HostNetwork, *, products: int) -> None:
        super().__init__("ssh_stack", products=products)
        self._network = network

    def __repr__(self) -> str:
        """Where its hosts are, for messages."""
        return f"<SshStack {self._network.directory}>"

    @cached_property
    def environ(self) -> dict[str, str]:
        """The environment of every command on this stack."""
        self.state.mkdir(parents=True, exist_ok=True)
        inventory = self._network.write_inventory(self.state / "inventory.toml")
        return outer_environ() | {
            "CATALOG_INVENTORY": str(inventory),
            "CATALOG_STATE_DIRECTORY": str(self.state),
            "CATALOG_CASSANDRA_DIRECTORY": str(installation()),
            "CATALOG_CONTACT_POINTS": ",".join(self.addresses),
            # All hosts' nodes share this machine's cores.
            TIMER_SLACK: CORES_SHARED[TIMER_SLACK],
        }

    @property
    def base_url(self) -> str:
        """Of nginx, which runs on the first host."""
        return f"http://{self.address(1)}:{NGINX_PORT}"

    def host(self, number: int) -> str:
        """Return the name of a host, from 1."""
        return f"host{number}"

    def address(self, number: int) -> str:
        """Return the address of a host, from 1."""
        return f"{PREFIX}{FIRST_HOST - 1 + number}"

    def up(self, nodes: int) -> None:
        """Start a ring of one node with its data; `add` brings the others."""
        if nodes != 1:
            raise LoadError("the first node is started alone; add the others")
        self.make_data()
        asyncio.run(self._start_node())
        self._require("ring", "apply-schema", "--replication-factor", "1")
        self._require("etl", "load", str(self.data))
        asyncio.run(self._start_app())

    async def _start_node(self) -> None:
        hosts = open_inventory(self.environ)
        try:
            first = hosts.find(self.host(1))
            await first.install(VERSION)
            await first.start_node(NodeStart((self.address(1),), auto_bootstrap=False))
            give_up_at = time.monotonic() + START_SECONDS
            while not cql_answers(self.address(1), CQL_PORT):
                if time.monotonic() > give_up_at:
                    raise LoadError(f"the first node does not start: {await first.read_log()}")
                await asyncio.sleep(POLL_SECONDS)
        finally:
            await hosts.aclose()

    async def _start_app(self) -> None:
        hosts = open_inventory(self.environ)
        try:
            await hosts.find(self.host(1)).start_app((self.address(1),))
            await hosts.front.render([self.address(1)])
        finally:
            await hosts.aclose()

    def _require(self, module: str, *arguments: str) -> None:
        done = self.run_program(module, *arguments)
        if done.returncode != 0:
            raise LoadError(f"{module} {arguments[0]}: {done.stdout}{done.stderr}")

    def remove(self) -> None:
        """Forget what is remembered of it here; the hosts end with their network."""
        shutil.rmtree(self.state, ignore_errors=True)

    def kill_place(self, number: int) -> None:
        """Cut a host's power: node, app server, sshd."""
        self._network.host(self.host(number)).power_off()


def network_of(directory: Path) -> HostNetwork:
    """Return the hosts of a stack, not started; only on a machine of its own."""
    shutil.rmtree(directory, ignore_errors=True)
    return HostNetwork(directory, HOSTS)
