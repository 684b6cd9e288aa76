"""Two hosts with an sshd each; `test_over_ssh.py` makes the machine that they need."""

import gc
import os
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from benchmarks.ssh_hosts import MARK, HostNetwork
from ring.hosts.hosts import Hosts, open_inventory
from ring.hosts.node_files import TIMER_SLACK
from ring.inventory import INVENTORY_VARIABLE
from tests.support.ccm import installed_cassandra

collect_ignore_glob = [] if os.environ.get(MARK) == "1" else ["test_*.py"]


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostNetwork]:
    """Two hosts on a bridge."""
    with HostNetwork(tmp_path_factory.mktemp("hosts"), 2).running() as network:
        yield network


@pytest_asyncio.fixture
async def hosts(
    network: HostNetwork, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Hosts]:
    """The inventory of both, opened; at the end its connections are closed and leave nothing."""
    folder = tmp_path_factory.mktemp("operator")
    environ = {
        INVENTORY_VARIABLE: str(network.write_inventory(folder / "inventory.toml")),
        "CATALOG_STATE_DIRECTORY": str(folder / "state"),
        "CATALOG_CASSANDRA_DIRECTORY": str(installed_cassandra(os.environ)),
        # Both hosts' nodes share this machine's cores.
        TIMER_SLACK: "1000000",
    }
    opened = open_inventory(environ)
    yield opened
    await opened.aclose()
    gc.collect()
