"""What is done to one host of this machine: node, app server, files. All of it blocks."""

import os
import re
import shutil
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

from ring.hosts.data_files import DataFiles, size_bytes_below
from ring.hosts.errors import HostError
from ring.hosts.host import HostEntry, HostFacts, NodeStart
from ring.hosts.local_machine import LocalMachine
from ring.nodes.app_servers import app_server, keep_session_secret, start_app_server
from ring.nodes.bulk_loader import RingAccess, run_bulk_loader
from ring.nodes.ccm_cluster import ccm_at_work
from ring.nodes.install import install_cassandra, tarball_version
from ring.nodes.local_node import node_process
from ring.nodes.local_ring import LocalRing
from ring.nodes.nodetool import nodetool_environment, run_nodetool
from ring.nodes.probes import OK, http_status
from ring.nodes.process import ProcessRecord, stop_processes
from ring.nodes.readiness import check_memory, check_ports
from ring.nodes.ring_on_disk import NodeOnDisk
from ring.nodes.service import Service
from ring.nodes.start_failure import log_tail
from ring.nodes.usage import machine_cpu_seconds, process_cpu_seconds

DATA = "data0"
# What a node keeps of what it was told, besides its configuration and its logs.
_DATA_FOLDERS = (DATA, "commitlogs", "hints", "saved_caches", "cdc_raw")


class LocalPlace:
    """The node of a host as ccm keeps it, and the app server beside it.

    Every call may be repeated and has deadlines of its own; it raises NodesError or OSError.
    """

    def __init__(self, entry: HostEntry, machine: LocalMachine) -> None:
        self._entry = entry
        self._machine = machine
        settings = machine.settings
        self._directory = settings.ring_directory / machine.name / entry.name
        self._version_file = settings.state / "hosts" / f"{entry.name}.version"
        self.files = DataFiles(self._directory / DATA)

    def process(self) -> ProcessRecord | None:
        """Return the node's process, frozen or not; None when it does not run."""
        return node_process(self._directory)

    def read_facts(self) -> HostFacts:
        """Look at the host."""
        settings = self._machine.settings
        settings.state.mkdir(parents=True, exist_ok=True)
        disk = shutil.disk_usage(settings.state)
        node = self.process()
        return HostFacts(
            clock_offset_seconds=0.0,
            free_disk_bytes=disk.free,
            data_bytes=self._data_bytes(),
            installed_version=self._installed_version(),
            cluster_name=_cluster_name(self._directory / "conf" / "cassandra.yaml"),
            node_runs=node is not None,
            app_runs=self.app_server().process() is not None,
            disk_bytes=disk.total,
            cpu_seconds=machine_cpu_seconds(),
            cpu_cores=os.cpu_count(),
            node_cpu_seconds=process_cpu_seconds(node.pid) if node else None,
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

    def install(self, version: str) -> bool:
        """Bring Cassandra in a version; returns whether anything had to be done."""
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

    def start_node(self, start: NodeStart) -> None:
        """Start the node, made when there is none, and do not wait until it serves."""
        if self.process() is not None:
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

    def write_seeds(self, seeds: tuple[str, ...]) -> None:
        """Name other seeds in the configuration of the node, if there is one."""
        if self._on_disk() is not None:
            plan = self._machine.plan()
            with ccm_at_work(plan):
                node = LocalRing.open_held(plan).find(self._entry.name)
                if node is not None:
                    node.write_seeds(seeds)

    def stop_node(self, timeout_seconds: float) -> None:
        """Stop the node, frozen or not, and wait until its process is gone."""
        self._keep_if_joined()
        record = self.process()
        if record is not None:
            stop_processes([record], timeout_seconds=timeout_seconds)

    def wipe_node(self) -> None:
        """Forget the node and remove its folder; its last log is kept."""
        if self.process() is not None:
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

    def nodetool(self, arguments: tuple[str, ...], timeout_seconds: float) -> str:
        """Return the output of one nodetool command on the node."""
        node = self._node()
        home = node.install_directory
        environ = nodetool_environment(home, self._machine.java_home)
        return run_nodetool(
            home, node.jmx_port, *arguments, environ=environ, timeout_seconds=timeout_seconds
        )

    def load_sstables(
        self, folder: PurePosixPath, ring: RingAccess, timeout_seconds: float
    ) -> None:
        """Stream SSTables of the node's data to all nodes that keep their rows."""
        run_bulk_loader(
            self._node().install_directory,
            self._machine.java_home,
            self.files.path(folder),
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

    def read_log(self, since_bytes: int) -> tuple[str, int]:
        """Return the end of the log from a mark on, and how long the log is now."""
        log = self._directory / "logs" / "system.log"
        size = log.stat().st_size if log.exists() else 0
        return ("" if size == since_bytes else log_tail(log, since_bytes=since_bytes), size)

    def start_app(self, contact_points: tuple[str, ...]) -> None:
        """Start the app server and wait until it is ready."""
        self._keep_if_joined()
        keep_session_secret(self._machine.settings)
        with ExitStack() as undo:
            start_app_server(self.app_server(contact_points), undo)
            undo.pop_all()

    def app_server(self, contact_points: tuple[str, ...] = ()) -> Service:
        """Return the app server beside the node, running or not."""
        machine = self._machine
        return app_server(machine.settings, machine.environ, self._entry, contact_points)

    def app_is_ready(self) -> bool:
        """Whether the app server answers that it can read from Cassandra."""
        port = self._machine.settings.app_port
        return http_status(self._entry.address, port, "/readyz") == OK

    def _keep_if_joined(self) -> None:
        """Let the node start with the ring from now on, if it has joined it."""
        on_disk = self._on_disk()
        if on_disk is not None and not on_disk.joined:
            LocalRing.open(self._machine.plan()).keep_who_answers()

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
