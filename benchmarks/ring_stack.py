"""A catalog on loopback addresses of this machine, as `make up` starts it."""

import shutil
import signal
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from benchmarks.catalog_stack import CatalogStack, outer_environ
from benchmarks.cql_load import LoadError
from benchmarks.node import installation
from ring.nodes.process import ProcessRecord
from ring.nodes.settings import StackSettings
from ring.nodes.stack import Stack
from ring.settings import RingSettings

UP_SECONDS: Final = 600.0
DOWN_SECONDS: Final = 200.0
HEAP_MIB: Final = 400
JMX_PORT: Final = 7740
APP_PORT: Final = 7745


@dataclass(frozen=True, slots=True)
class StackPlace:
    """Where a stack lives: a folder, loopback addresses, ports; two places share none of them.

    Attributes:
        name: of the folder of its state.
        address_prefix: node N stands at this and N.
        jmx_port: of node 1, on 127.0.0.1; the next nodes take the next ones.
        status_port: of nginx's own figures, on 127.0.0.1.
        heap_mib: of each node.
    """

    name: str = "ring_stack"
    address_prefix: str = "127.0.74."
    jmx_port: int = JMX_PORT
    status_port: int = APP_PORT + 2
    heap_mib: int = HEAP_MIB

    @classmethod
    def second(cls) -> "StackPlace":
        """Return a place beside the first."""
        return cls("second_ring_stack", "127.0.174.", JMX_PORT + 20, APP_PORT + 3)


class RingStack(CatalogStack):
    """One catalog in its place."""

    def __init__(self, place: StackPlace, *, products: int) -> None:
        super().__init__(place.name, products=products)
        self.place = place

    def __repr__(self) -> str:
        """What runs, for messages."""
        return f"<RingStack {self.state} running={sorted(self.processes())}>"

    @cached_property
    def environ(self) -> dict[str, str]:
        """The environment of every command on this stack."""
        place = self.place
        return outer_environ() | {
            "CATALOG_STATE_DIRECTORY": str(self.state),
            "CATALOG_CASSANDRA_DIRECTORY": str(installation()),
            "CATALOG_ADDRESS_PREFIX": place.address_prefix,
            "CATALOG_CONTACT_POINTS": "",
            "CATALOG_JMX_PORT": str(place.jmx_port),
            "CATALOG_STORAGE_PORT": str(APP_PORT + 10),
            "CATALOG_APP_PORT": str(APP_PORT),
            "CATALOG_NGINX_HOST": self.address(1),
            "CATALOG_NGINX_PORT": str(APP_PORT + 1),
            "CATALOG_NGINX_STATUS_PORT": str(place.status_port),
            "CATALOG_HEAP_MIB": str(place.heap_mib),
            "CATALOG_DATA": str(self.data),
        }

    @property
    def base_url(self) -> str:
        """Of nginx."""
        return f"http://{self.address(1)}:{APP_PORT + 1}"

    def host(self, number: int) -> str:
        """Return the name of a host, from 1."""
        return f"node{number}"

    def address(self, number: int) -> str:
        """Return the address of a host, from 1."""
        return f"{self.place.address_prefix}{number}"

    def up(self, nodes: int) -> None:
        """Start a new ring of so many nodes with its data, whatever an earlier run left."""
        self.make_data()
        self.remove()
        self.state.mkdir(parents=True)
        # Root's nginx gives its workers to nobody, who must get to the folder of temporary files.
        self.state.chmod(0o755)
        done = self.run("up", "--nodes", str(nodes), timeout_seconds=UP_SECONDS)
        if done.returncode != 0:
            raise LoadError(f"no stack: {done.stdout}{done.stderr}")

    def remove(self) -> None:
        """Stop all that runs of this stack, and remove its data."""
        if self.state.exists():
            for record in self.processes().values():
                record.signal(signal.SIGCONT)
            self.run("down", timeout_seconds=DOWN_SECONDS)
            shutil.rmtree(self.state)

    def processes(self) -> dict[str, ProcessRecord]:
        """Return what runs, by name: node1, app1, nginx."""
        settings = StackSettings(state_directory=str(self.state))
        return Stack(settings, RingSettings()).processes()

    def kill_place(self, number: int) -> None:
        """Kill a node with the app server beside it, as the loss of their machine would."""
        running = self.processes()
        for name in (f"node{number}", f"app{number}"):
            running[name].signal(signal.SIGKILL)
