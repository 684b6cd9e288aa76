"""Which nodes a local ring has, from ccm's files alone: no process is asked, nothing is changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # PyYAML comes with ccm, without types

from ring.nodes.errors import RingStartError
from ring.nodes.interrupts import interrupts_held
from ring.nodes.locks import locked

LOCK_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class NodeOnDisk:
    """One node as ccm keeps it.

    Attributes:
        name: also of its folder.
        jmx_port: nodes are in the order of these.
        version: of the Cassandra that it runs when it is next started.
        install_directory: where that Cassandra lies.
        joined: False for a node that was told to bootstrap and was not seen to have done so.
    """

    name: str
    address: str
    jmx_port: int
    version: str
    install_directory: Path
    joined: bool


def read_nodes(directory: Path, name: str) -> tuple[NodeOnDisk, ...]:
    """Return the nodes of ring `name` in ccm's folder; none where there is no ring.

    A node whose folder is gone, as with a lost disk, is gone.

    Raises:
        RingStartError: ccm's files are damaged.
    """
    folder = directory / name
    if not (folder / "cluster.conf").exists():
        return ()
    try:
        cluster = yaml.safe_load((folder / "cluster.conf").read_text(encoding="utf-8"))
        present = [node for node in cluster["nodes"] if (folder / node / "node.conf").exists()]
        nodes = [_read_node(folder / node, cluster["install_dir"]) for node in present]
    except (OSError, TypeError, KeyError, ValueError, yaml.YAMLError) as error:
        raise damaged(directory, error) from error
    return tuple(sorted(nodes, key=lambda node: node.jmx_port))


def damaged(directory: Path, error: Exception) -> RingStartError:
    """Return what is raised when ccm's files cannot be read."""
    return RingStartError(
        f"ccm's files of the ring in {directory} are damaged: {error}",
        advice="make clean removes the ring with its data.",
    )


@contextmanager
def ring_files_held(directory: Path) -> Iterator[None]:
    """Keep what is done to the files of a ring whole, and alone.

    Raises:
        LockedError: another process has been at work on them for long.
    """
    lock = directory.with_name(f"{directory.name}.lock")
    busy = f"another process is at work on the files of {directory}"
    with locked(lock, timeout_seconds=LOCK_TIMEOUT_SECONDS, busy=busy), interrupts_held():
        yield


def _read_node(folder: Path, install_directory: str) -> NodeOnDisk:
    node = yaml.safe_load((folder / "node.conf").read_text(encoding="utf-8"))
    return NodeOnDisk(
        name=node["name"],
        address=node["interfaces"]["binary"][0],
        jmx_port=int(node["jmx_port"]),
        version=str(node["cassandra_version"]),
        install_directory=Path(node.get("install_dir", install_directory)),
        joined=not node["auto_bootstrap"],
    )
