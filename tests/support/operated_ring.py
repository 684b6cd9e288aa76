"""A catalog of its own that `catalog-ring` is tried on: nodes, app servers, nginx."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ring.nodes.process import ProcessRecord
from ring.nodes.settings import REPOSITORY
from ring.nodes.stack import node_processes
from ring.operations.steps import FAULT_VARIABLE
from ring.transport import ConnectionOptions, Endpoint, connect, query
from tests.support.ccm import installed_cassandra

RUN_SECONDS: Final = 900.0
KEYSPACE: Final = "catalog"
CQL_PORT: Final = 9042
# Nodes of one machine need not wait half a minute for gossip to reach everyone.
_JVM_ARGUMENTS: Final = "-Dcassandra.ring_delay_ms=4000 -XX:TieredStopAtLevel=1"
_QUERY_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class OperatedRing:
    """A local stack in a folder of its own, and the command that runs it."""

    state: Path
    prefix: str
    environ: dict[str, str]

    def address(self, number: int) -> str:
        """Node N's address."""
        return f"{self.prefix}{number}"

    @property
    def base(self) -> str:
        """Where nginx listens."""
        host, port = self.environ["CATALOG_NGINX_HOST"], self.environ["CATALOG_NGINX_PORT"]
        return f"http://{host}:{port}"

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start `catalog-ring`; its output, both kinds of it, can be read."""
        return subprocess.Popen(
            [sys.executable, "-m", "ring", *arguments],
            cwd=REPOSITORY,
            env={**self.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def run(self, *arguments: str, **environ: str) -> tuple[int, str]:
        """Run `catalog-ring`; return its exit code and what it printed."""
        with self.start(*arguments, **environ) as process:
            try:
                output, _ = process.communicate(timeout=RUN_SECONDS)
            except BaseException:
                process.kill()
                raise
        return process.returncode, output

    def kill_at(self, point: str, *arguments: str) -> str:
        """Run `catalog-ring` until it kills itself at a fault point; return what it printed."""
        code, output = self.run(*arguments, **{FAULT_VARIABLE: point})
        assert code == -signal.SIGKILL, f"{point} was not reached: {code}\n{output}"
        return output

    def status(self) -> dict[str, Any]:
        """The ring's status."""
        code, output = self.run("status", "--json")
        assert code in (0, 1), output
        status: dict[str, Any] = json.loads(output)
        return status

    def node(self, number: int) -> ProcessRecord | None:
        """The running process of node N."""
        return node_processes(self.state / "ring").get(f"node{number}")

    def query(self, number: int, cql: str, *, consistency: int = 1) -> list[dict[str, Any]]:
        """Run CQL with node N as the coordinator; at ONE it reads its own copy if it has one."""

        async def ask() -> list[dict[str, Any]]:
            endpoint = Endpoint(self.address(number), CQL_PORT)
            connection = await connect(endpoint, ConnectionOptions(protocol_version=4))
            try:
                return await query(
                    connection, cql, consistency=consistency, timeout_seconds=_QUERY_SECONDS
                )
            finally:
                await connection.aclose()

        return asyncio.run(ask())

    def count(self, number: int, table: str, *, consistency: int = 1) -> int:
        """How many rows a table has, as node N reads them."""
        cql = f"SELECT count(*) FROM {KEYSPACE}.{table}"  # noqa: S608 - a test's own names
        return int(self.query(number, cql, consistency=consistency)[0]["count"])


@contextmanager
def operated_ring(
    state: Path,
    *,
    prefix: str,
    jmx_port: int,
    ports: Sequence[int],
    nodes: int = 1,
    products: int = 200,
    settings: Mapping[str, str] | None = None,
) -> Iterator[OperatedRing]:
    """Yield a running catalog with a sample; stopped at the end, its logs stay.

    Args:
        state: an empty folder.
        prefix: of its loopback addresses.
        jmx_port: of node 1.
        ports: two, of nginx and of nginx's figures.
        nodes: that it begins with.
        products: of the sample.
        settings: others, by their variables.
    """
    # Root's nginx gives its workers to nobody, who must get to the folder of temporary files.
    for folder in (state, state.parent):
        folder.chmod(0o755)
    environ = {name: value for name, value in os.environ.items() if "CATALOG_" not in name}
    environ |= {
        "CATALOG_STATE_DIRECTORY": str(state),
        "CATALOG_CASSANDRA_DIRECTORY": str(installed_cassandra(os.environ)),
        "CATALOG_ADDRESS_PREFIX": prefix,
        "CATALOG_JMX_PORT": str(jmx_port),
        "CATALOG_NGINX_HOST": f"{prefix}1",
        "CATALOG_NGINX_PORT": str(ports[0]),
        "CATALOG_NGINX_STATUS_PORT": str(ports[1]),
        "CATALOG_SAMPLE_PRODUCTS": str(products),
        "CATALOG_HEAP_MIB": "400",
        "CATALOG_JVM_ARGUMENTS": _JVM_ARGUMENTS,
        "CATALOG_TOPOLOGY_REFRESH_SECONDS": "1",
        **(settings or {}),
    }
    ring = OperatedRing(state, prefix, environ)
    try:
        code, output = ring.run("up", "--nodes", str(nodes))
        assert code == 0, output
        yield ring
    finally:
        ring.run("down")
