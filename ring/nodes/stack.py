"""The whole catalog on this machine: Cassandra, schema, data, app servers, nginx."""

import asyncio
import contextlib
import dataclasses
import os
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from ring.apply_schema import apply_schema
from ring.errors import RingError
from ring.hosts.errors import InventoryError
from ring.hosts.host import HostEntry
from ring.hosts.local_machine import LocalMachine
from ring.inventory import Inventory, local_inventory
from ring.nodes.app_servers import (
    app_server,
    keep_session_secret,
    program_environment,
    start_app_server,
)
from ring.nodes.errors import NodesError, RingMismatchError, RingStartError
from ring.nodes.front import check_front_ports, start_nginx
from ring.nodes.install import VERSION, install_cassandra
from ring.nodes.java import find_java_home
from ring.nodes.load import load_data
from ring.nodes.local_node import node_process
from ring.nodes.local_ring import LocalRing, stop_nodes
from ring.nodes.locks import locked
from ring.nodes.probes import cql_answers
from ring.nodes.process import ProcessRecord, stop_processes
from ring.nodes.settings import REPOSITORY, StackSettings
from ring.nodes.stages import Stages
from ring.settings import RingSettings

LOCK_TIMEOUT_SECONDS = 5.0
NODE_STOP_SECONDS = 60.0
SERVICE_STOP_SECONDS = 20.0
SCHEMA_SECONDS = 180.0
KEPT = "cassandra"


class Stack:
    """Starts, stops and removes the local stack; every call may be repeated."""

    def __init__(
        self,
        settings: StackSettings,
        ring_settings: RingSettings,
        inventory: Inventory | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        inventory = inventory or local_inventory(settings)
        self.machine = LocalMachine.of(inventory, settings, environ)
        self.settings = self.machine.settings
        self.ring_settings = ring_settings
        self.stages = Stages()

    def __repr__(self) -> str:
        return f"<Stack {self.settings.state} running={sorted(self.processes())}>"

    def up(self) -> None:
        """Start what does not run, load what is not loaded, and wait until all of it answers.

        Raises:
            NodesError: the stage that failed, why, and what to do. What this call started is
                stopped again, however it ends.
        """
        with self._locked(), ExitStack() as undo:
            self._keep_joined()
            hosts = self._choose_hosts()
            with self.stages.stage("ports", "of the app servers and nginx"):
                check_front_ports(self.settings, hosts)
            if self.settings.contact_points:
                self._find_existing()
            else:
                self._install()
                hosts = self._start_ring(hosts, undo)
            points = self.settings.contact_points or tuple(host.address for host in hosts)
            self._apply_schema(points)
            self._load(points)
            self._start_front(hosts, points, undo)
            undo.pop_all()
        self._say_where(hosts, points)

    def down(self) -> None:
        """Stop everything that this stack runs, from the front to the back; the data stays."""
        with self._locked():
            # A ring whose files are damaged is stopped all the same.
            with contextlib.suppress(NodesError):
                self._keep_joined()
            self._stop("nginx", self._services("nginx"), SERVICE_STOP_SECONDS)
            self._stop("app servers", self._services("app"), SERVICE_STOP_SECONDS)
            nodes = node_processes(self.settings.ring_directory)
            self._stop("Cassandra", nodes, NODE_STOP_SECONDS)

    def clean(self) -> None:
        """Stop the stack and remove its state, data included.

        The installed Cassandra stays: it holds no data. So does a folder whose nodes run for
        someone else, such as the tests' ring while tests run.
        """
        state = self.settings.state
        self.down()
        with self.stages.stage("clean", f"removing what is in {state}") as stage:
            # A lock that is removed while it is held would be held by two.
            entries = [
                entry
                for entry in sorted(state.iterdir())
                if entry.name != KEPT and entry.suffix != ".lock"
            ]
            in_use = [entry for entry in entries if entry.is_dir() and node_processes(entry)]
            for entry in entries:
                if entry.is_dir() and entry not in in_use:
                    shutil.rmtree(entry)
                elif not entry.is_dir():
                    entry.unlink()
            left = "".join(f"; {entry.name} is in use and stays" for entry in in_use)
            stage.done(f"removed{left}")

    def processes(self) -> dict[str, ProcessRecord]:
        """Return every running process of this stack by its name: node1, app1, nginx."""
        return node_processes(self.settings.ring_directory) | self._services("")

    def _locked(self) -> AbstractContextManager[None]:
        return locked(
            self.settings.state / "stack.lock",
            timeout_seconds=LOCK_TIMEOUT_SECONDS,
            busy="another `make up`, `down` or `clean` is at work here",
        )

    def _install(self) -> None:
        settings = self.settings
        with self.stages.stage("Cassandra", f"{VERSION} in {settings.install_directory}") as stage:
            if settings.cassandra_directory:
                if not (settings.install_directory / "bin" / "cassandra").exists():
                    raise NodesError(
                        f"{settings.install_directory} is no Cassandra: it has no bin/cassandra",
                        advice="Let CATALOG_CASSANDRA_DIRECTORY name an unpacked tarball.",
                    )
                stage.done("yours")
                return
            new = install_cassandra(settings.install_directory, java_home=find_java_home())
            stage.done("installed from Maven Central" if new else "installed already")

    def _choose_hosts(self) -> tuple[HostEntry, ...]:
        """Return where nodes are to run: where the ring on disk has them, if there is one.

        Raises:
            RingMismatchError: another number of nodes is asked for.
            InventoryError: more are asked for than there are hosts.
        """
        asked = self.settings.nodes
        nodes = () if self.settings.contact_points else self.machine.nodes_on_disk()
        if not nodes:
            if asked > len(self.machine.hosts):
                raise InventoryError(
                    f"NODES={asked}, but the inventory names {len(self.machine.hosts)} host(s)",
                    advice="Name more [[hosts]] in it, or start fewer nodes.",
                )
            return self.machine.hosts[: self.settings.node_count]
        joined = self._members()
        if asked and not len(joined) <= asked <= len(nodes):
            raise RingMismatchError(
                f"the ring on disk has {len(joined)} node(s), asked for are {asked}",
                advice=f"make up NODES={len(joined)} starts it as it is; catalog-ring add and "
                "remove change it while it runs; make clean removes it with its data.",
            )
        return joined

    def _members(self) -> tuple[HostEntry, ...]:
        """Return the hosts of the nodes on disk that have joined their ring."""
        nodes = self.machine.nodes_on_disk()
        return tuple(self.machine.entry_of(node) for node in nodes if node.joined)

    def _start_ring(self, hosts: tuple[HostEntry, ...], undo: ExitStack) -> tuple[HostEntry, ...]:
        """Start the nodes on these hosts; return where all members of the ring are."""
        fresh = not self.machine.nodes_on_disk()
        addresses = tuple(host.address for host in hosts)
        what = f"{len(hosts)} node(s) at {', '.join(addresses)}"
        with self.stages.stage("ring", what) as stage:
            plan = self.machine.plan(addresses if fresh else ())
            ring = LocalRing.open(plan)
            if not ring.members:
                raise RingStartError(
                    "no node of the ring on disk has joined it",
                    advice="make clean removes it with its data.",
                )
            if all(node.process() and node.answers() for node in ring.nodes):
                stage.done("runs already")
                return hosts
            try:
                started = ring.start(timeout_seconds=self.settings.start_timeout_seconds)
            except BaseException:
                if fresh:
                    self._forget_ring()
                raise
            undo.callback(stop_nodes, started)
            left = "".join(
                f"; {node.name} has not joined the ring, and is left alone"
                for node in ring.nodes
                if not node.joined
            )
            lost = "".join(
                f"; {address} is down and not on this disk: catalog-ring replace {address} HOST"
                for address in ring.absent
            )
            done = f"{len(started)} started, every node sees every node up and normal"
            stage.done(done + left + lost)
        return self._members()

    def _forget_ring(self) -> None:
        """Remove a ring that never came up, so that another number of nodes can be tried."""
        directory = self.settings.ring_directory
        logs = self.settings.state / "log"
        logs.mkdir(parents=True, exist_ok=True)
        for log in directory.glob("*/*/logs/s*.log"):
            shutil.copyfile(log, logs / f"{log.parent.parent.name}-{log.name}")
        shutil.rmtree(directory, ignore_errors=True)

    def _find_existing(self) -> None:
        points = ", ".join(self.settings.contact_points)
        with self.stages.stage("Cassandra", f"the existing one at {points}") as stage:
            port = self.settings.cql_port
            # Behind TLS it does not answer in the clear; the schema's stage will tell.
            up = [point for point in self.settings.contact_points if cql_answers(point, port)]
            if not up and not self.ring_settings.tls_ca_file:
                raise NodesError(
                    f"nothing speaks CQL on port {port} of {points}",
                    advice="Check CONTACT_POINTS and CATALOG_CQL_PORT, and that Cassandra runs.",
                )
            stage.done("answers")

    def _keep_joined(self) -> None:
        """Let nodes that were joined since the last start come up with the ring next time."""
        if any(not node.joined for node in self.machine.nodes_on_disk()):
            LocalRing.open(self.machine.plan()).keep_who_answers()

    def _apply_schema(self, points: tuple[str, ...]) -> None:
        with self.stages.stage("schema", f"keyspace {self.ring_settings.keyspace}") as stage:
            try:
                state = asyncio.run(
                    apply_schema(
                        self._ring_settings(points),
                        REPOSITORY / "schema",
                        replication_factor=self.settings.replication_factor or None,
                        timeout_seconds=SCHEMA_SECONDS,
                    )
                )
            except RingError as error:
                raise NodesError(
                    str(error), advice="See what the nodes say in their system.log, then retry."
                ) from error
            stage.done(f"in place, {len(state.nodes)} node(s) agree")

    def _load(self, points: tuple[str, ...]) -> None:
        environ = program_environment(self.settings, self.machine.environ, points)
        with self.stages.stage("data", self.settings.data or "the sample") as stage:
            load_data(self.settings, self._ring_settings(points), environ, stage)

    def _ring_settings(self, points: tuple[str, ...]) -> RingSettings:
        return dataclasses.replace(self.ring_settings, contact_points=points)

    def _start_front(
        self, hosts: tuple[HostEntry, ...], points: tuple[str, ...], undo: ExitStack
    ) -> None:
        settings = self.settings
        addresses = [host.address for host in hosts]
        where = ", ".join(f"{address}:{settings.app_port}" for address in addresses)
        with self.stages.stage("app", f"app server at {where}") as stage:
            keep_session_secret(settings)
            services = [app_server(settings, self.machine.environ, host, points) for host in hosts]
            started = sum(start_app_server(service, undo) for service in services)
            stage.done(f"{started} started, ready" if started else "runs already")
        where = f"{settings.nginx_host}:{settings.nginx_port}"
        with self.stages.stage("nginx", f"at {where}") as stage:
            changed = start_nginx(settings, addresses, undo)
            stage.done("answers" if changed else "runs already")
        left = self._services("app")
        for service in services:
            left.pop(service.name, None)
        if left:
            self._stop("app servers", left, SERVICE_STOP_SECONDS)

    def _services(self, prefix: str) -> dict[str, ProcessRecord]:
        """Return the running daemons whose names begin so: app1, nginx."""
        found = {}
        for file in sorted((self.settings.state / "run").glob(f"{prefix}*.pid.json")):
            record = ProcessRecord.read(file)
            if record is not None and record.alive:
                found[file.name.removesuffix(".pid.json")] = record
        return found

    def _stop(self, what: str, records: dict[str, ProcessRecord], timeout_seconds: float) -> None:
        with self.stages.stage(what, "stopping") as stage:
            stop_processes(list(records.values()), timeout_seconds=timeout_seconds)
            for name in records:
                for file in (self.settings.state / "run").glob(f"{name}.pid.*"):
                    file.unlink(missing_ok=True)
            stage.done(f"{len(records)} stopped" if records else "did not run")

    def _say_where(self, hosts: tuple[HostEntry, ...], points: tuple[str, ...]) -> None:
        settings = self.settings
        base = f"http://{settings.nginx_host}:{settings.nginx_port}"
        say = self.stages.say
        say(f"\nUp after {self.stages.seconds:.1f} s.")
        say(f"  Catalog      {base}/")
        for host in hosts:
            say(f"  App server   http://{host.address}:{settings.app_port}/  (figures: /metrics)")
        say(f"  Cassandra    {', '.join(points)}, port {settings.cql_port}")
        say(f"  Logs         {settings.state / 'log'}")
        say(f"\nTry:  curl -s {base}/products/1")


def node_processes(directory: Path) -> dict[str, ProcessRecord]:
    """Return the running Cassandra nodes of the rings in a folder, by name."""
    files = [*directory.glob("*/*/cassandra.pid"), *directory.glob("*/*/*/cassandra.pid")]
    found = {file.parent.name: node_process(file.parent) for file in sorted(files)}
    return {name: record for name, record in found.items() if record is not None}
