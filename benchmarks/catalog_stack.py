"""A catalog of its own, run by `catalog-ring` as a person runs it, wherever its nodes live."""

import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.cql_load import LoadError
from benchmarks.paths import NODE_STATE, REPOSITORY
from benchmarks.ring_load.plan import LoadPlan

MOST_NODES: Final = 5
PROGRAM_SECONDS: Final = 300.0


class CatalogStack(ABC):
    """Nodes, app servers and nginx, and the commands that are run on them.

    Attributes:
        products: how many it is loaded with.
        state: folder of all that is remembered of it here.
        data: folder of the CSV files that it is loaded from.
    """

    def __init__(self, name: str, *, products: int) -> None:
        self.products = products
        self.state = NODE_STATE / name
        self.data = NODE_STATE / f"ring_stack_data_{products}"

    @property
    @abstractmethod
    def environ(self) -> Mapping[str, str]:
        """The environment of every command on this stack."""

    @property
    @abstractmethod
    def base_url(self) -> str:
        """Of nginx."""

    @abstractmethod
    def host(self, number: int) -> str:
        """Return the name of a host, from 1."""

    @abstractmethod
    def address(self, number: int) -> str:
        """Return the address of a host, from 1."""

    @abstractmethod
    def up(self, nodes: int) -> None:
        """Start a new ring of so many nodes with its data, whatever an earlier run left.

        Raises:
            LoadError: it did not come up; with what was printed.
        """

    @abstractmethod
    def remove(self) -> None:
        """Stop all that runs of this stack, and remove its data."""

    @abstractmethod
    def kill_place(self, number: int) -> None:
        """Kill a node with the app server beside it, as the loss of their machine would."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Of every node that there may be; those that are not there are passed over."""
        return tuple(self.address(number) for number in range(1, MOST_NODES + 1))

    def run(
        self, *arguments: str, timeout_seconds: float = PROGRAM_SECONDS, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `catalog-ring` to its end and return what it printed."""
        return self.run_program("ring", *arguments, timeout_seconds=timeout_seconds, **environ)

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

    def plan(self) -> LoadPlan:
        """Return the plan of a load on this stack; makes the API key that it needs.

        Raises:
            LoadError: no key could be made.
        """
        made = self.run_program(
            "catalog_api",
            *("keys", "create", "--note", "ring load"),
            CATALOG_CONTACT_POINTS=",".join(self.addresses),
        )
        if made.returncode != 0:
            raise LoadError(f"no API key: {made.stderr}")
        return LoadPlan(
            directory=str(NODE_STATE / f"{self.state.name}_load"),
            base_url=self.base_url,
            contact_points=self.addresses,
            data=str(self.data),
            products=self.products,
            editor_key=made.stdout.strip(),
        )

    def make_data(self) -> None:
        """Generate the products, the same every time; raises LoadError."""
        if self.data.exists():
            return
        partial = self.data.with_name(f"{self.data.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        wanted = ["--products", str(self.products), "--seed", "1", "--dirty", "0"]
        made = self.run_program("etl", "generate", str(partial), *wanted)
        if made.returncode != 0:
            raise LoadError(f"no data: {made.stderr}")
        partial.rename(self.data)

    def run_program(
        self,
        module: str,
        *arguments: str,
        timeout_seconds: float = PROGRAM_SECONDS,
        **environ: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run one of our programs to its end and return what it printed."""
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


def outer_environ() -> dict[str, str]:
    """Return this program's environment without the settings of whoever started it."""
    return {name: value for name, value in os.environ.items() if "CATALOG_" not in name}
