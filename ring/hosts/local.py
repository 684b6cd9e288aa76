"""The local way: a host is a loopback address of this machine, its node is kept by ccm.

All hosts share one folder of state, one ring on disk and one nginx; the files below are laid out as
`make up` lays them out, so that what one of the two starts the other finds.
"""

import asyncio
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import ParamSpec, TypeVar

from ring.hosts.errors import HostError
from ring.hosts.files import (
    copy_whole,
    hash_files,
    list_files,
    remove_folder,
    size_bytes_below,
)
from ring.hosts.host import HostEntry, HostFacts, NodeStart
from ring.hosts.local_machine import LocalMachine
from ring.nodes.app_servers import app_server, keep_session_secret, start_app_server
from ring.nodes.bulk_loader import RingAccess, run_bulk_loader
from ring.nodes.ccm_cluster import ccm_at_work
from ring.nodes.errors import NodesError
from ring.nodes.install import install_cassandra, tarball_version
from ring.nodes.local_node import node_process
from ring.nodes.local_ring import LocalRing
from ring.nodes.nodetool import nodetool_environment, run_nodetool
from ring.nodes.probes import OK, http_status
from ring.nodes.process import stop_processes
from ring.nodes.readiness import check_memory, check_ports
from ring.nodes.ring_on_disk import NodeOnDisk
from ring.nodes.start_failure import log_tail

DATA = "data0"
# What a node keeps of what it was told, besides its configuration and its logs.
_DATA_FOLDERS = (DATA, "commitlogs", "hints", "saved_caches", "cdc_raw")
P = ParamSpec("P")
T = TypeVar("T")


class LocalHost:
    """One loopback address; see `Host`."""

    def __init__(self, entry: HostEntry, machine: LocalMachine) -> None:
        self._entry = entry
        self._machine = machine
        settings = machine.settings
        self._directory = settings.ring_directory / machine.name / entry.name
        self._version_file = settings.state / "hosts" / f"{entry.name}.version"

    def __repr__(self) -> str:
        running = "runs" if node_process(self._directory) else "does not run"
        return f"<LocalHost {self._entry.name} {self._entry.address}: its node {running}>"

    @property
    def entry(self) -> HostEntry:
        """The host as the inventory names it."""
        return self._entry

    async def read_facts(self) -> HostFacts:
        """Look at the host."""
        return await self._do(self._read_facts)

    async def install(self, version: str) -> bool:
        """Bring Cassandra in a version; returns whether anything had to be done.

        The app is this checkout, which is there already. A running node goes on in its own
        version until it is started anew.
        """
        return await self._do(self._install, version)

    async def start_node(self, start: NodeStart) -> None:
        """Write the node's configuration and start it; does not wait until it serves.

        A node that is there and has joined keeps its tokens: what concerns a first boot is for an
        empty one. One that runs already is left alone.
        """
        await self._do(self._start_node, start)

    async def write_seeds(self, seeds: tuple[str, ...]) -> None:
        """Name other seeds in the node's configuration, for its next start."""
        await self._do(self._write_seeds, seeds)

    async def stop_node(self, *, timeout_seconds: float = 60.0) -> None:
        """Stop the node, frozen or not, and wait until its process is gone; the data stays."""
        await self._do(self._stop_node, timeout_seconds)

    async def wipe_node(self) -> None:
        """Remove the node's folder and forget it, so that it cannot start again.

        Its last log stays in the state's `log/` folder.
        """
        await self._do(self._wipe_node)

    async def nodetool(self, *arguments: str, timeout_seconds: float = 60.0) -> str:
        """Return the output of one nodetool command on the host's node."""
        return await self._do(self._nodetool, arguments, timeout_seconds)

    async def read_log(self, *, since_bytes: int = 0) -> tuple[str, int]:
        """Return the end of the node's system.log (64 KiB at most) and how long the log is now."""
        return await self._do(self._read_log, since_bytes)

    async def start_app(self, contact_points: tuple[str, ...]) -> None:
        """Start the app server beside the node, or anew with other settings; waits for readiness.

        One that runs and is ready goes on, whatever its contact points were.
        """
        await self._do(self._start_app, contact_points)

    async def stop_app(self) -> None:
        """Let the app server finish its requests, and stop it."""
        await self._do(app_server(self._machine.settings, self._entry, ()).stop)

    async def app_is_ready(self) -> bool:
        """Whether the app server answers that it can read from Cassandra."""
        port = self._machine.settings.app_port
        status = await self._do(http_status, self._entry.address, port, "/readyz")
        return status == OK

    async def list_files(self, folder: PurePosixPath) -> dict[PurePosixPath, int]:
        """Return the files below a folder of the node's data, relative to it, with their bytes."""
        return await self._do(list_files, self._data(folder))

    async def fetch_file(self, path: PurePosixPath, target: Path) -> None:
        """Copy a file of the node's data to here; it appears whole."""
        await self._do(copy_whole, self._data(path), target)

    async def put_file(self, source: Path, path: PurePosixPath) -> None:
        """Copy a file from here to below the node's data; folders are made, it appears whole."""
        await self._do(copy_whole, source, self._data(path))

    async def hash_files(
        self, folder: PurePosixPath, names: Sequence[PurePosixPath]
    ) -> dict[PurePosixPath, str]:
        """Return the SHA-256 of files below a folder of the node's data, in hexadecimal digits."""
        return await self._do(hash_files, self._data(folder), names)

    async def remove_files(self, folder: PurePosixPath) -> None:
        """Remove a folder of the node's data; one that is not there is no error."""
        if not folder.parts:
            raise HostError(f"all data of {self._entry.name} is removed by wiping it only")
        await self._do(remove_folder, self._data(folder))

    async def load_sstables(
        self, folder: PurePosixPath, ring: RingAccess, *, timeout_seconds: float
    ) -> None:
        """Stream SSTables of the node's data to all nodes that keep their rows."""
        await self._do(self._load_sstables, folder, ring, timeout_seconds)

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

    def _read_facts(self) -> HostFacts:
        settings = self._machine.settings
        settings.state.mkdir(parents=True, exist_ok=True)
        app = app_server(settings, self._entry, ())
        return HostFacts(
            clock_offset_seconds=0.0,
            free_disk_bytes=shutil.disk_usage(settings.state).free,
            data_bytes=self._data_bytes(),
            installed_version=self._installed_version(),
            cluster_name=_cluster_name(self._directory / "conf" / "cassandra.yaml"),
            node_runs=node_process(self._directory) is not None,
            app_runs=app.process() is not None,
        )

    def _installed_version(self) -> str | None:
        """What the node runs when it is next started; None before anything was installed."""
        version = _read_text(self._version_file).strip()
        if version:
            return version if self._home(version).exists() else None
        node = self._on_disk()
        return node.version if node else None

    def _home(self, version: str) -> Path:
        """Return where a version of Cassandra lies, for all hosts of this machine."""
        settings = self._machine.settings
        if settings.cassandra_directory:
            return settings.install_directory
        return settings.install_directory.with_name(version)

    def _on_disk(self) -> NodeOnDisk | None:
        nodes = self._machine.nodes_on_disk()
        return next((node for node in nodes if node.name == self._entry.name), None)

    def _install(self, version: str) -> bool:
        home = self._home(version)
        if self._machine.settings.cassandra_directory:
            own = tarball_version(home)
            if own != version:
                raise HostError(
                    f"{home} is Cassandra {own}, {version} is to be installed",
                    advice="Let CATALOG_CASSANDRA_DIRECTORY name one of this version, or nothing.",
                )
            new = False
        else:
            new = install_cassandra(home, java_home=self._machine.java_home, version=version)
        if self._installed_version() == version:
            return new
        self._version_file.parent.mkdir(parents=True, exist_ok=True)
        partial = self._version_file.with_suffix(".partial")
        partial.write_text(version + "\n", encoding="ascii")
        partial.replace(self._version_file)
        return True

    def _start_node(self, start: NodeStart) -> None:
        if node_process(self._directory) is not None:
            return
        version = self._installed_version()
        if version is None:
            raise HostError(
                f"no Cassandra is installed on {self._entry.name}",
                advice="Install the ring's version first.",
            )
        plan = self._machine.plan(joining=self._entry.name)
        with ccm_at_work(plan):
            ring = LocalRing.open_held(plan)
            node = ring.find(self._entry.name)
            if node is None:
                self._refuse_data()
                node = ring.add(self._entry)
            if node.version != version:
                node.set_version(self._home(version))
            check_ports([node])
            check_memory(1, plan.heap_mib)
            ring.launch(node, start)

    def _refuse_data(self) -> None:
        used_bytes = self._data_bytes()
        if used_bytes:
            raise HostError(
                f"{self._directory} holds {used_bytes} bytes of a node that is not in this ring",
                advice="If nobody needs them, wipe the host; then start its node again.",
            )

    def _write_seeds(self, seeds: tuple[str, ...]) -> None:
        if self._on_disk() is not None:
            plan = self._machine.plan()
            with ccm_at_work(plan):
                node = LocalRing.open_held(plan).find(self._entry.name)
                if node is not None:
                    node.write_seeds(seeds)

    def _stop_node(self, timeout_seconds: float) -> None:
        self._keep_if_joined()
        record = node_process(self._directory)
        if record is not None:
            stop_processes([record], timeout_seconds=timeout_seconds)

    def _wipe_node(self) -> None:
        if node_process(self._directory) is not None:
            raise HostError(
                f"the node of {self._entry.name} runs, so its data stays",
                advice="Stop it first.",
            )
        log = self._directory / "logs" / "system.log"
        if log.exists():
            kept = self._machine.settings.state / "log" / f"{self._entry.name}-system.log"
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(log, kept)
        plan = self._machine.plan()
        with ccm_at_work(plan):
            if self._machine.nodes_on_disk():
                LocalRing.open_held(plan).remove(self._entry.name)
            if self._directory.exists():
                shutil.rmtree(self._directory)

    def _load_sstables(
        self, folder: PurePosixPath, ring: RingAccess, timeout_seconds: float
    ) -> None:
        run_bulk_loader(
            self._node().install_directory,
            self._machine.java_home,
            self._data(folder),
            ring,
            timeout_seconds=timeout_seconds,
        )

    def _node(self) -> NodeOnDisk:
        node = self._on_disk()
        if node is None:
            raise HostError(
                f"{self._entry.name} has no node",
                advice="See which hosts have one: catalog-ring status",
            )
        return node

    def _nodetool(self, arguments: tuple[str, ...], timeout_seconds: float) -> str:
        node = self._node()
        home = node.install_directory
        environ = nodetool_environment(home, self._machine.java_home)
        return run_nodetool(
            home, node.jmx_port, *arguments, environ=environ, timeout_seconds=timeout_seconds
        )

    def _read_log(self, since_bytes: int) -> tuple[str, int]:
        log = self._directory / "logs" / "system.log"
        size = log.stat().st_size if log.exists() else 0
        return ("" if size == since_bytes else log_tail(log, since_bytes=since_bytes), size)

    def _start_app(self, contact_points: tuple[str, ...]) -> None:
        self._keep_if_joined()
        settings = self._machine.settings
        keep_session_secret(settings)
        with ExitStack() as undo:
            start_app_server(app_server(settings, self._entry, contact_points), undo)
            undo.pop_all()

    def _keep_if_joined(self) -> None:
        """Let the node start with the ring from now on, if it has joined it."""
        on_disk = self._on_disk()
        if on_disk is not None and not on_disk.joined:
            LocalRing.open(self._machine.plan()).keep_who_answers()

    def _data(self, path: PurePosixPath) -> Path:
        if path.is_absolute() or ".." in path.parts:
            raise HostError(f"{path} is not below the data of {self._entry.name}")
        return self._directory / DATA / path

    def _data_bytes(self) -> int:
        return sum(size_bytes_below(self._directory / name) for name in _DATA_FOLDERS)


def _cluster_name(configuration: Path) -> str | None:
    found = re.search(r"^cluster_name: *(.+?) *$", _read_text(configuration), re.MULTILINE)
    return found[1].strip("'\"") if found else None


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
