"""A host: the place of one node, the app server beside it, and what both need.

Everything that changes the ring goes through this interface, so it does not know whether a host is
a loopback address kept by ccm or a machine reached over ssh.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

from ring.nodes.bulk_loader import RingAccess


@dataclass(frozen=True, slots=True)
class HostEntry:
    """A host as the inventory names it.

    Attributes:
        name: unique in the inventory; commands take it or the address.
        address: of Cassandra's CQL and storage ports and of the app server.
        datacenter, rack: a node keeps them for as long as it is in the ring.
        directory: of everything that is ours on the host; empty for one that follows the name.
        settings: options of the node's `cassandra.yaml`, besides those that all nodes share.
    """

    name: str
    address: str
    datacenter: str = "datacenter1"
    rack: str = "rack1"
    directory: str = ""
    settings: Mapping[str, object] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What a host says of itself, read at one moment.

    Attributes:
        clock_offset_seconds: its clock minus ours, the way there and back halved.
        free_disk_bytes: where its data lies.
        data_bytes: of what lies in its data folders; 0 for one that was never used, or was wiped.
        installed_version: of Cassandra; None where there is none.
        cluster_name: in its configuration; None where there is none.
        node_runs, app_runs: whether the process is there; a frozen one is.
        disk_bytes: size of the disk where its data lies.
        cpu_seconds: of all cores, for whatever, since the host started; `cpu_cores` of them.
        node_cpu_seconds: of the node's process since that started.
    """

    clock_offset_seconds: float
    free_disk_bytes: int
    data_bytes: int
    installed_version: str | None
    cluster_name: str | None
    node_runs: bool
    app_runs: bool
    disk_bytes: int | None = None
    cpu_seconds: float | None = None
    cpu_cores: int | None = None
    node_cpu_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class NodeStart:
    """How a node is to start.

    Attributes:
        seeds: addresses; never that of a node that is to join.
        auto_bootstrap: whether an empty node streams its ranges before it serves.
        initial_tokens: of the first nodes of an empty ring; empty: Cassandra allocates them.
        replace_address: of the dead node whose place it takes, on its first boot.
        allocation_replicas: copies of a row that a joining node's tokens are to share evenly; see
            `ring.nodes.tokens.allocation_replicas`, Cassandra refuses others.
        jvm_arguments: besides those of the host's own.
    """

    seeds: tuple[str, ...]
    auto_bootstrap: bool = True
    initial_tokens: tuple[int, ...] = ()
    replace_address: str | None = None
    allocation_replicas: int = 3
    jvm_arguments: tuple[str, ...] = ()


class Host(Protocol):
    """One host. Every call may be repeated, ends within a deadline, and raises HostError.

    A HostError says what failed on which host, and what to do about it (`advice`).
    """

    @property
    def entry(self) -> HostEntry:
        """The host as the inventory names it."""
        ...

    async def read_facts(self) -> HostFacts:
        """Look at the host; raises HostUnreachableError when it does not answer."""
        ...

    async def install(self, version: str) -> bool:
        """Bring Cassandra in a version, and the app; returns whether anything had to be done.

        A running node goes on in its own version until it is started anew.
        """
        ...

    async def start_node(self, start: NodeStart) -> None:
        """Write the node's configuration and start it; does not wait until it serves."""
        ...

    async def write_seeds(self, seeds: tuple[str, ...]) -> None:
        """Name other seeds in the configuration of a node, for its next start.

        A host without a node is left alone.
        """
        ...

    async def stop_node(self, *, timeout_seconds: float = 60.0) -> None:
        """Stop the node and wait until its process is gone; the data stays."""
        ...

    async def wipe_node(self) -> None:
        """Remove the data of a node that does not run: a node that left must not come back."""
        ...

    async def nodetool(self, *arguments: str, timeout_seconds: float = 60.0) -> str:
        """Return the output of one nodetool command on the host's node."""
        ...

    async def read_log(self, *, since_bytes: int = 0) -> tuple[str, int]:
        """Return the end of the node's system.log (64 KiB at most) and how long the log is now."""
        ...

    async def start_app(self, contact_points: tuple[str, ...]) -> None:
        """Start the app server, or start it anew with other settings; waits for readiness."""
        ...

    async def stop_app(self) -> None:
        """Let the app server finish its requests, and stop it."""
        ...

    async def app_is_ready(self) -> bool:
        """Whether the app server answers that it can read from Cassandra."""
        ...

    async def list_files(self, folder: PurePosixPath) -> dict[PurePosixPath, int]:
        """Return the files below a folder of the node's data, relative to it, with their bytes."""
        ...

    async def fetch_file(self, path: PurePosixPath, target: Path) -> None:
        """Copy a file of the node's data (a path as in `list_files`, with its folder) to here."""
        ...

    async def put_file(self, source: Path, path: PurePosixPath) -> None:
        """Copy a file from here to below the node's data; folders are made, it appears whole."""
        ...

    async def load_sstables(
        self, folder: PurePosixPath, ring: RingAccess, *, timeout_seconds: float
    ) -> None:
        """Stream SSTables of the node's data, from this host, to all nodes that keep their rows.

        The folder's path ends with KEYSPACE/TABLE. Streamed twice, they change nothing.
        """
        ...

    async def hash_files(
        self, folder: PurePosixPath, names: Sequence[PurePosixPath]
    ) -> dict[PurePosixPath, str]:
        """Return the SHA-256 of files below a folder of the node's data, in hexadecimal digits."""
        ...

    async def remove_files(self, folder: PurePosixPath) -> None:
        """Remove a folder of the node's data; one that is not there is no error."""
        ...
