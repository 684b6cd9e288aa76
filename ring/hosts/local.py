"""The local way: a host is a loopback address of this machine, its node is kept by ccm.

All hosts share one folder of state, one ring on disk and one nginx; the files below are laid out as
`make up` lays them out, so that what one of the two starts the other finds.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import ParamSpec, TypeVar

from ring.hosts.errors import HostError
from ring.hosts.host import HostEntry, HostFacts, NodeStart
from ring.hosts.local_machine import LocalMachine
from ring.hosts.local_place import LocalPlace
from ring.nodes.bulk_loader import RingAccess
from ring.nodes.errors import NodesError

P = ParamSpec("P")
T = TypeVar("T")


class LocalHost:
    """One loopback address; see `Host`."""

    def __init__(self, entry: HostEntry, machine: LocalMachine) -> None:
        self._entry = entry
        self._place = LocalPlace(entry, machine)

    def __repr__(self) -> str:
        running = "runs" if self._place.process() else "does not run"
        return f"<LocalHost {self._entry.name} {self._entry.address}: its node {running}>"

    @property
    def entry(self) -> HostEntry:
        """The host as the inventory names it."""
        return self._entry

    async def read_facts(self) -> HostFacts:
        """Look at the host."""
        return await self._do(self._place.read_facts)

    async def install(self, version: str) -> bool:
        """Bring Cassandra in a version; returns whether anything had to be done.

        The app is this checkout, which is there already. A running node goes on in its own
        version until it is started anew.
        """
        return await self._do(self._place.install, version)

    async def start_node(self, start: NodeStart) -> None:
        """Write the node's configuration and start it; does not wait until it serves.

        A node that is there and has joined keeps its tokens: what concerns a first boot is for an
        empty one. One that runs already is left alone.
        """
        await self._do(self._place.start_node, start)

    async def write_seeds(self, seeds: tuple[str, ...]) -> None:
        """Name other seeds in the node's configuration, for its next start."""
        await self._do(self._place.write_seeds, seeds)

    async def stop_node(self, *, timeout_seconds: float = 60.0) -> None:
        """Stop the node, frozen or not, and wait until its process is gone; the data stays."""
        await self._do(self._place.stop_node, timeout_seconds)

    async def wipe_node(self) -> None:
        """Remove the node's folder and forget it, so that it cannot start again.

        Its last log stays in the state's `log/` folder.
        """
        await self._do(self._place.wipe_node)

    async def nodetool(self, *arguments: str, timeout_seconds: float = 60.0) -> str:
        """Return the output of one nodetool command on the host's node."""
        return await self._do(self._place.nodetool, arguments, timeout_seconds)

    async def read_log(self, *, since_bytes: int = 0) -> tuple[str, int]:
        """Return the end of the node's system.log (64 KiB at most) and how long the log is now."""
        return await self._do(self._place.read_log, since_bytes)

    async def start_app(self, contact_points: tuple[str, ...]) -> None:
        """Start the app server beside the node, or anew with other settings; waits for readiness.

        One that runs and is ready goes on, whatever its contact points were.
        """
        await self._do(self._place.start_app, contact_points)

    async def stop_app(self) -> None:
        """Let the app server finish its requests, and stop it."""
        await self._do(self._place.app_server().stop)

    async def app_is_ready(self) -> bool:
        """Whether the app server answers that it can read from Cassandra."""
        return await self._do(self._place.app_is_ready)

    async def list_files(self, folder: PurePosixPath) -> dict[PurePosixPath, int]:
        """Return the files below a folder of the node's data, relative to it, with their bytes."""
        return await self._do(self._place.files.list, folder)

    async def fetch_file(self, path: PurePosixPath, target: Path) -> None:
        """Copy a file of the node's data to here; it appears whole."""
        await self._do(self._place.files.fetch, path, target)

    async def put_file(self, source: Path, path: PurePosixPath) -> None:
        """Copy a file from here to below the node's data; folders are made, it appears whole."""
        await self._do(self._place.files.put, source, path)

    async def load_sstables(
        self, folder: PurePosixPath, ring: RingAccess, *, timeout_seconds: float
    ) -> None:
        """Stream SSTables of the node's data to all nodes that keep their rows."""
        await self._do(self._place.load_sstables, folder, ring, timeout_seconds)

    async def hash_files(
        self, folder: PurePosixPath, names: Sequence[PurePosixPath]
    ) -> dict[PurePosixPath, str]:
        """Return the SHA-256 of files below a folder of the node's data, in hexadecimal digits."""
        return await self._do(self._place.files.hash, folder, names)

    async def remove_files(self, folder: PurePosixPath) -> None:
        """Remove a folder of the node's data; one that is not there is no error."""
        await self._do(self._place.files.remove, folder)

    async def _do(self, act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what blocks in a thread; each has its own deadlines."""
        try:
            return await asyncio.to_thread(act, *args, **kwargs)
        except HostError:
            raise
        except NodesError as error:
            raise HostError(f"{self._entry.name}: {error}", advice=error.advice) from error
        except OSError as error:
            raise HostError(
                f"{self._entry.name}: {error}", advice="Check free disk space and permissions."
            ) from error
