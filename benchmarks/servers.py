"""The servers of a comparison: how each is installed, started, and at which setting."""

import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.cql_load import LoadError, go_program
from benchmarks.paths import NODE_STATE, PEER_STATE, PEERS, REPOSITORY
from benchmarks.processes import Process

INSTALL_TIMEOUT_SECONDS: Final = 900.0
PYTHON_PEER: Final = PEER_STATE / "venv" / "bin" / "python"
NODE_PEER: Final = PEER_STATE / "node_fastify"


@dataclass(frozen=True, slots=True)
class Server:
    """One server of a comparison.

    Attributes:
        name: in tables.
        kind: how it is installed and started, a key of `_COMMANDS`.
        workers: processes.
        reads_cassandra: whether its CPU is shared with Cassandra's.
        environ: settings besides address, port, keyspace and workers.
    """

    name: str
    kind: str
    workers: int = 1
    reads_cassandra: bool = True
    environ: Mapping[str, str] = field(default_factory=dict)

    def process(
        self,
        *,
        address: str,
        port: int,
        contact: str,
        keyspace: str,
        environ: Mapping[str, str] | None = None,
    ) -> Process:
        """Return the server, not started, that is to listen on `address:port`.

        Args:
            address: to listen on.
            port: to listen on.
            contact: address of the node that it asks first.
            keyspace: where products_by_id is.
            environ: further settings of this one process.
        """
        common = {
            "BENCH_HOST": address,
            "BENCH_PORT": str(port),
            "BENCH_CONTACT_POINT": contact,
            "BENCH_KEYSPACE": keyspace,
            "BENCH_WORKERS": str(self.workers),
            "CATALOG_CONTACT_POINTS": contact,
            "CATALOG_LOCAL_ADDRESS": contact,
            "CATALOG_KEYSPACE": keyspace,
        }
        return Process(
            self.name,
            self.command(address, port),
            log=NODE_STATE / "logs" / f"{self.kind}-{self.workers}-{address}-{port}.log",
            environ={**common, **self.environ, **(environ or {})},
            directory=REPOSITORY,
        )

    def command(self, address: str, port: int) -> list[str]:
        """Return the command line."""
        if self.kind == "catalog":
            server = [sys.executable, "-m", "catalog_api", "--host", address]
            return [*server, "--port", str(port), "--workers", str(self.workers)]
        if self.kind == "go_gocql":
            return [str(PEER_STATE / "bin" / "go_gocql")]
        if self.kind == "node_fastify":
            return [program("node"), str(NODE_PEER / "server.js")]
        # The floor is that of the very aiohttp that ours runs on.
        python = sys.executable if self.kind == "aiohttp_constant" else str(PYTHON_PEER)
        return [python, "-m", f"benchmarks.peers.{self.kind}"]

    def install(self) -> None:
        """Bring what the server needs by its own package manager; quick when it is there."""
        if self.kind == "go_gocql":
            go_program(PEERS / "go_gocql", "go_gocql")
        elif self.kind == "node_fastify":
            install_node_peer()
        elif self.kind in ("aiohttp_driver", "fastapi_driver"):
            install_python_peers()


def install_node_peer() -> None:
    """`npm ci` in a copy of the peer, so that the checkout stays clean."""
    source = PEERS / "node_fastify"
    lock = (source / "package-lock.json").read_bytes()
    installed = NODE_PEER / "installed-package-lock.json"
    NODE_PEER.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", "server.js"):
        shutil.copyfile(source / name, NODE_PEER / name)
    if not installed.exists() or installed.read_bytes() != lock:
        run([program("npm"), "ci", "--no-audit", "--no-fund"], directory=NODE_PEER)
        installed.write_bytes(lock)


def install_python_peers() -> None:
    """Install the Python peers' pinned packages into a virtual environment of their own."""
    wanted = PEERS / "requirements.txt"
    installed = PEER_STATE / "installed-requirements.txt"
    if installed.exists() and installed.read_bytes() == wanted.read_bytes():
        return
    venv.create(PYTHON_PEER.parent.parent, with_pip=True, clear=True)
    command = [str(PYTHON_PEER), "-m", "pip", "install", "--quiet", "-r", str(wanted)]
    run(command, directory=REPOSITORY)
    shutil.copyfile(wanted, installed)


def program(name: str) -> str:
    """Return where a program is.

    Raises:
        LoadError: it is not installed.
    """
    found = shutil.which(name)
    if found is None:
        raise LoadError(f"{name} is not installed; the peers need it")
    return found


def run(command: list[str], *, directory: Path) -> None:
    """Run an installer to its end.

    Raises:
        LoadError: it failed; with the end of what it said.
    """
    done = subprocess.run(
        command,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=INSTALL_TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise LoadError(f"{command[0]} failed: {(done.stderr or done.stdout)[-800:]}")


CONSTANT: Final = Server("aiohttp, constant body", "aiohttp_constant", reads_cassandra=False)
OURS: Final = Server("catalog, 1 worker", "catalog")
OURS_TWO_WORKERS: Final = Server("catalog, 2 workers", "catalog", workers=2)
GO: Final = Server("Go net/http + gocql", "go_gocql")
# By default gocql waits up to 200 µs for more to write, which costs a lone request that much.
GO_AT_ONCE: Final = Server(
    "Go net/http + gocql, writing at once",
    "go_gocql",
    environ={"BENCH_COALESCE_MICROSECONDS": "0"},
)
NODE: Final = Server("Node fastify + cassandra-driver", "node_fastify", workers=2)
AIOHTTP: Final = Server("aiohttp + cassandra-driver, 1 worker", "aiohttp_driver")
AIOHTTP_TWO_WORKERS: Final = Server(
    "aiohttp + cassandra-driver, 2 workers", "aiohttp_driver", workers=2
)
FASTAPI: Final = Server("FastAPI + cassandra-driver, 1 worker", "fastapi_driver")
FASTAPI_TWO_WORKERS: Final = Server(
    "FastAPI + cassandra-driver, 2 workers", "fastapi_driver", workers=2
)
