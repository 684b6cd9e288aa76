"""The ssh way: a host is a machine of its own, reached by the system's OpenSSH client.

What is done there is done by an agent (`agent/`) that is brought along; nothing else of ours has to
be on a host before.
"""

import asyncio
import dataclasses
import time
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from ring.hosts.agent.place import Place
from ring.hosts.app_environment import AppEnvironment, app_environment
from ring.hosts.copies import Copies
from ring.hosts.errors import HostError
from ring.hosts.host import HostEntry, HostFacts, NodeStart
from ring.hosts.node_files import jvm_arguments, node_environment, node_files, seeds_line
from ring.hosts.ssh_connection import SshConnection
from ring.hosts.ssh_master import SshAccess
from ring.inventory import Inventory
from ring.nodes.bulk_loader import RingAccess
from ring.nodes.local_ring import node_options
from ring.nodes.settings import StackSettings

# The agent waits up to a minute for its turn.
TURN_SECONDS: Final = 60.0
CHANGE_SECONDS: Final = TURN_SECONDS + 30.0
READY_SECONDS: Final = 60.0
FACTS_SECONDS: Final = 30.0
# Of files of many GiB, on a disk that is busy.
HASH_SECONDS: Final = 900.0
_CLOCK_SAMPLES: Final = 5


class SshHost:
    """One machine; see `Host`."""

    def __init__(
        self,
        entry: HostEntry,
        inventory: Inventory,
        settings: StackSettings,
        environ: Mapping[str, str],
    ) -> None:
        """Prepare; nothing is asked of the host yet.

        Args:
            entry: the host.
            inventory: what all hosts have in common.
            settings: where the operator's copy of Cassandra is.
            environ: settings of the app server, as `make up` takes them.
        """
        self._entry = entry
        self._inventory = inventory
        self._settings = settings
        self._environ = environ
        self._place = Place(Path(host_directory(inventory, entry)))
        self.connection = open_connection(inventory, entry)
        self.copies = Copies(self.connection)

    def __repr__(self) -> str:
        return f"<SshHost {self._entry.name} {self._entry.address} {self.connection!r}>"

    @property
    def entry(self) -> HostEntry:
        """The host as the inventory names it."""
        return self._entry

    async def aclose(self) -> None:
        """Close the connection; the next call opens it anew."""
        await self.connection.aclose()

    async def read_facts(self) -> HostFacts:
        """Look at the host; the clock is read a few times, and the quickest answer believed."""
        samples = []
        async with self.connection.lines("facts") as session:
            facts = await session.answer(FACTS_SECONDS)
            for _ in range(_CLOCK_SAMPLES):
                sent = time.time()
                await session.send(b"\n")
                there = float((await session.answer(FACTS_SECONDS))["time"])
                samples.append((sent, there, time.time()))
        return HostFacts(clock_offset_seconds=clock_offset(samples), **facts)

    async def install(self, version: str) -> bool:
        """Copy Cassandra in a version, and the app, from this machine; verified file by file.

        A running node goes on in its own version until it is started anew. Returns whether anything
        had to be done.
        """
        await self.copies.check_machine()
        changed = await self.copies.bring_cassandra(self._settings, version)
        return await self.copies.bring_app() or changed

    async def start_node(self, start: NodeStart) -> None:
        """Write the node's configuration and start it; does not wait until it serves.

        One that runs already is left alone.
        """
        options = node_options()
        await self._change(
            "start_node",
            conf=node_files(self._inventory, self._entry, self._place, options, start),
            environ=node_environment(self._environ),
            heap_mib=self._inventory.heap_mib,
            jvm_arguments=jvm_arguments(self._inventory, self._settings.jvm_arguments, start),
        )

    async def write_seeds(self, seeds: tuple[str, ...]) -> None:
        """Name other seeds in the configuration of a node, for its next start."""
        await self._change("write_seeds", line=seeds_line(seeds))

    async def stop_node(self, *, timeout_seconds: float = 60.0) -> None:
        """Stop the node, frozen or not, and wait until its process is gone; the data stays."""
        await self._change("stop_node", seconds=timeout_seconds, patience_seconds=timeout_seconds)

    async def wipe_node(self) -> None:
        """Remove the node's folder, so that it cannot start again; refused while it runs."""
        await self._change("wipe_node", patience_seconds=120.0)

    async def nodetool(self, *arguments: str, timeout_seconds: float = 60.0) -> str:
        """Return the output of one nodetool command, which runs on the host."""
        answer = await self.connection.call(
            "nodetool",
            jmx_port=self._inventory.jmx_port,
            arguments=arguments,
            seconds=timeout_seconds,
            timeout_seconds=timeout_seconds + 10.0,
        )
        return str(answer["output"])

    async def read_log(self, *, since_bytes: int = 0) -> tuple[str, int]:
        """Return the end of the node's system.log (64 KiB at most) and how long the log is now."""
        answer = await self.connection.call("read_log", since_bytes=since_bytes)
        return str(answer["text"]), int(answer["bytes"])

    async def start_app(self, contact_points: tuple[str, ...]) -> None:
        """Start the app server beside the node, or anew with other settings; waits for readiness.

        One that runs and is ready goes on, whatever its contact points were.
        """
        own = await asyncio.to_thread(self._app_environment, contact_points)
        await self._change(
            "start_app",
            environ=own.environ,
            at_start=own.at_start,
            secrets=own.secrets,
            seconds=READY_SECONDS,
            patience_seconds=2 * READY_SECONDS,
            **self._app_address(),
        )

    async def stop_app(self) -> None:
        """Let the app server finish its requests, and stop it."""
        await self._change("stop_app")

    async def app_is_ready(self) -> bool:
        """Whether the app server answers, to its own host, that it can read from Cassandra."""
        return bool((await self.connection.call("app_ready", **self._app_address()))["ready"])

    async def list_files(self, folder: PurePosixPath) -> dict[PurePosixPath, int]:
        """Return the files below a folder of the node's data, relative to it, with their bytes."""
        found = (await self.connection.call("list_files", folder=str(folder)))["files"]
        return {PurePosixPath(path): int(size) for path, size in found.items()}

    async def fetch_file(self, path: PurePosixPath, target: Path) -> None:
        """Copy a file of the node's data to here; it appears whole, held to its SHA-256."""
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        try:
            with partial.open("wb") as file:
                await self.connection.fetch(str(path), file)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    async def put_file(self, source: Path, path: PurePosixPath) -> None:
        """Copy a file from here to below the node's data; it appears whole, held to its SHA-256."""
        size = await asyncio.to_thread(lambda: source.stat().st_size)
        await self.connection.call(
            "receive_file", payload=[source], digests=True, path=str(path), bytes=size
        )

    async def load_sstables(
        self, folder: PurePosixPath, ring: RingAccess, *, timeout_seconds: float
    ) -> None:
        """Stream SSTables of the node's data, from this host, to all nodes that keep their rows."""
        await self.connection.call(
            "load_sstables",
            folder=str(folder),
            ring=dataclasses.asdict(ring),
            seconds=timeout_seconds,
            timeout_seconds=timeout_seconds + TURN_SECONDS,
        )

    async def hash_files(
        self, folder: PurePosixPath, names: Sequence[PurePosixPath]
    ) -> dict[PurePosixPath, str]:
        """Return the SHA-256 of files below a folder of the node's data, in hexadecimal digits."""
        told = await self.connection.call(
            "hash_files",
            folder=str(folder),
            names=list(map(str, names)),
            timeout_seconds=HASH_SECONDS,
        )
        return {PurePosixPath(name): str(digest) for name, digest in told["digests"].items()}

    async def remove_files(self, folder: PurePosixPath) -> None:
        """Remove a folder of the node's data; one that is not there is no error."""
        await self.connection.call("remove_files", folder=str(folder))

    async def _change(
        self, do: str, *, patience_seconds: float = 0.0, **values: Any
    ) -> dict[str, Any]:
        return await self.connection.call(
            do, timeout_seconds=CHANGE_SECONDS + patience_seconds, **values
        )

    def _app_environment(self, contact_points: tuple[str, ...]) -> AppEnvironment:
        return app_environment(
            self._environ, self._settings, self._inventory, self._entry, contact_points
        )

    def _app_address(self) -> dict[str, Any]:
        return {"address": self._entry.address, "port": self._inventory.app_port}


def host_directory(inventory: Inventory, entry: HostEntry) -> str:
    """Return where everything of ours is on a host.

    Raises:
        HostError: it is not absolute.
    """
    directory = entry.directory or inventory.directory or f"/var/lib/{inventory.name}"
    if not PurePosixPath(directory).is_absolute():
        raise HostError(
            f"{entry.name}: directory {directory!r} is not absolute",
            advice="Give the inventory an absolute path.",
        )
    return directory


def open_connection(inventory: Inventory, entry: HostEntry) -> SshConnection:
    """Return a connection to a host; nothing is sent yet."""
    ssh = inventory.ssh
    access = SshAccess(
        address=entry.address,
        user=ssh.user,
        port=ssh.port,
        key_file=ssh.key_file,
        known_hosts_file=ssh.known_hosts_file,
        config_file=ssh.config_file,
    )
    directory = host_directory(inventory, entry)
    return SshConnection(entry.name, inventory.name, directory, access, ssh.python)


def clock_offset(samples: Sequence[tuple[float, float, float]]) -> float:
    """Return a host's clock minus ours, in seconds, from (sent, its time, received).

    The quickest exchange is believed: what a busy machine adds lies on one side of it or the other.
    """
    sent, there, received = min(samples, key=lambda sample: sample[2] - sample[0])
    return there - (sent + received) / 2
