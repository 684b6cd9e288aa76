"""The loaders of `bench_load`: how each is installed, and the command that loads the rows.

Each peer is at the best of the settings that were tried here; `benchmarks/README.md` names them.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.finished_rows import COLUMNS, TABLE, FinishedFiles
from benchmarks.node import CQL_PORT, Node
from benchmarks.paths import NODE_STATE, PEER_STATE, PEERS, REPOSITORY
from benchmarks.servers import PYTHON_PEER, install_python_peers, program, run
from ring.nodes.install import COPY_GOAL
from ring.nodes.java import find_java_home

WORK: Final = NODE_STATE / "loaders"
DSBULK: Final = PEER_STATE / "dsbulk"
DSBULK_MAIN: Final = "com.datastax.oss.dsbulk.runner.DataStaxBulkLoader"
COPY_OPTIONS: Final = "NUMPROCESSES = 2 AND MAXBATCHSIZE = 50 AND INGESTRATE = 1000000"
DRIVER_CONCURRENCY: Final = 100


@dataclass(frozen=True, slots=True)
class Loader:
    """One loader.

    Attributes:
        name: in tables.
        command: what loads the files into a keyspace of a node; it runs in `WORK`.
        install: brings what it needs; quick when it is there.
    """

    name: str
    command: Callable[[Node, str, FinishedFiles], list[str]]
    install: Callable[[], None]


def environment(node: Node, keyspace: str) -> dict[str, str]:
    """Return the environment variables that the commands need."""
    return {
        "PYTHONPATH": str(REPOSITORY),
        "CATALOG_CONTACT_POINTS": node.address,
        "CATALOG_KEYSPACE": keyspace,
        # On the file system of the node, where one would put it.
        "CATALOG_LOAD_TEMP_DIRECTORY": str(WORK),
        # cqlsh keeps its history there.
        "HOME": str(WORK),
    }


def _ours(via: str) -> Callable[[Node, str, FinishedFiles], list[str]]:
    def command(_node: Node, _keyspace: str, files: FinishedFiles) -> list[str]:
        module = [sys.executable, "-m", "benchmarks.load_finished"]
        return [*module, "--via", via, "--rows", str(files.rows), str(files.text)]

    return command


def _cqlsh_copy(node: Node, keyspace: str, files: FinishedFiles) -> list[str]:
    columns = ", ".join(COLUMNS)
    statement = f"COPY {TABLE} ({columns}) FROM '{files.hexadecimal}'"
    statement += f" WITH HEADER = TRUE AND {COPY_OPTIONS}"
    module = [str(PYTHON_PEER), "-m", "cqlshlib"]
    return [*module, node.address, str(CQL_PORT), "-k", keyspace, "-e", statement]


def _dsbulk(*options: str) -> Callable[[Node, str, FinishedFiles], list[str]]:
    def command(node: Node, keyspace: str, files: FinishedFiles) -> list[str]:
        return [*_dsbulk_load(node, keyspace, files), *options]

    return command


def _dsbulk_load(node: Node, keyspace: str, files: FinishedFiles) -> list[str]:
    command = [str(find_java_home() / "bin" / "java"), "-cp", f"{DSBULK}/*", DSBULK_MAIN, "load"]
    command += ["-h", node.address, "-k", keyspace, "-t", TABLE, "-url", str(files.base64)]
    command += ["-header", "true", "-m", ", ".join(COLUMNS), "-logDir", str(WORK / "dsbulk")]
    return command


def _plain_driver(node: Node, keyspace: str, files: FinishedFiles) -> list[str]:
    module = [str(PYTHON_PEER), "-m", "benchmarks.peers.driver_load"]
    return [*module, node.address, keyspace, str(files.text), str(DRIVER_CONCURRENCY)]


def install_dsbulk() -> None:
    """Let Maven fetch DSBulk and what it needs, and check it."""
    pom = PEERS / "dsbulk" / "pom.xml"
    installed = DSBULK / "installed-pom.xml"
    if installed.exists() and installed.read_bytes() == pom.read_bytes():
        return
    command = [program("mvn"), "--batch-mode", "--quiet", "--strict-checksums", "--file", str(pom)]
    run([*command, f"-DoutputDirectory={DSBULK}", COPY_GOAL], directory=REPOSITORY)
    installed.write_bytes(pom.read_bytes())


def _nothing_more() -> None:
    """Ours need no more than what runs this."""


SSTABLE: Final = Loader("catalog, sstable", _ours("sstable"), _nothing_more)
DRIVER: Final = Loader("catalog, driver", _ours("driver"), _nothing_more)
CQLSH_COPY: Final = Loader("cqlsh COPY", _cqlsh_copy, install_python_peers)
DSBULK_LOAD: Final = Loader("DSBulk", _dsbulk(), install_dsbulk)
DSBULK_BATCHES: Final = Loader(
    "DSBulk, batches by replica", _dsbulk("--batch.mode", "REPLICA_SET"), install_dsbulk
)
PLAIN_DRIVER: Final = Loader("cassandra-driver", _plain_driver, install_python_peers)
LOADERS: Final = (SSTABLE, DRIVER, CQLSH_COPY, DSBULK_LOAD, DSBULK_BATCHES, PLAIN_DRIVER)
