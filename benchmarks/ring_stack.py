"""A catalog of its own, run by `catalog-ring` as a person runs it: nodes, app servers, nginx."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from benchmarks.cql_load import LoadError
from benchmarks.node import installation
from benchmarks.paths import NODE_STATE, REPOSITORY
from benchmarks.ring_load.plan import LoadPlan
from ring.nodes.process import ProcessRecord
from ring.nodes.settings import StackSettings
from ring.nodes.stack import Stack
from ring.settings import RingSettings

UP_SECONDS: Final = 600.0
DOWN_SECONDS: Final = 200.0
PROGRAM_SECONDS: Final = 300.0
HEAP_MIB: Final = 400
JMX_PORT: Final = 7740
MOST_NODES: Final = 5
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


class RingStack:
    """One catalog in its place, and the commands that are run on it."""

    def __init__(self, place: StackPlace, *, products: int) -> None:
        self.place = place
        self.products = products
        self.state = NODE_STATE / place.name
        self.data = NODE_STATE / f"ring_stack_data_{products}"

    def __repr__(self) -> str:
        """What runs, for messages."""
        return f"<RingStack {self.state} running={sorted(self.processes())}>"

    @cached_property
    def environ(self) -> dict[str, str]:
        """The environment of every command on this stack."""
        place = self.place
        outer = {name: value for name, value in os.environ.items() if "CATALOG_" not in name}
        return outer | {
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

    @property
    def addresses(self) -> tuple[str, ...]:
        """Of every node that there may be; those that are not there are passed over."""
        return tuple(self.address(number) for number in range(1, MOST_NODES + 1))

    def address(self, number: int) -> str:
        """Return the address of node `number`, from 1."""
        return f"{self.place.address_prefix}{number}"

    def up(self, nodes: int) -> None:
        """Start a new ring of so many nodes with its data, whatever an earlier run left.

        Raises:
            LoadError: it did not come up; with what was printed.
        """
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

    def run(
        self, *arguments: str, timeout_seconds: float = PROGRAM_SECONDS, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `catalog-ring` to its end and return what it printed."""
        return self._run("ring", *arguments, timeout_seconds=timeout_seconds, **environ)

    def start(self, *arguments: str, log: Path, **environ: str) -> "subprocess.Popen[bytes]":
        """Start `catalog-ring` in a session of its own and return at once; it prints into `log`."""
        with log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "ring", *arguments],
                cwd=REPOSITORY,
                env={**self.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def processes(self) -> dict[str, ProcessRecord]:
        """Return what runs, by name: node1, app1, nginx."""
        settings = StackSettings(state_directory=str(self.state))
        return Stack(settings, RingSettings()).processes()

    def plan(self) -> LoadPlan:
        """Return the plan of a load on this stack; makes the API key that it needs."""
        made = self._run(
            "catalog_api",
            *("keys", "create", "--note", "ring load"),
            CATALOG_CONTACT_POINTS=",".join(self.addresses),
        )
        if made.returncode != 0:
            raise LoadError(f"no API key: {made.stderr}")
        return LoadPlan(
            directory=str(NODE_STATE / f"{self.place.name}_load"),
            base_url=self.base_url,
            contact_points=self.addresses,
            data=str(self.data),
            products=self.products,
            editor_key=made.stdout.strip(),
        )

    def make_data(self) -> None:
        """Generate the products, the same every time."""
        if self.data.exists():
            return
        partial = self.data.with_name(f"{self.data.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        wanted = ["--products", str(self.products), "--seed", "1", "--dirty", "0"]
        made = self._run("etl", "generate", str(partial), *wanted)
        if made.returncode != 0:
            raise LoadError(f"no data: {made.stderr}")
        partial.rename(self.data)

    def _run(
        self,
        module: str,
        *arguments: str,
        timeout_seconds: float = PROGRAM_SECONDS,
        **environ: str,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=REPOSITORY,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )
