"""The whole catalog on this machine: Cassandra, schema, data, app servers, nginx."""

import asyncio
import dataclasses
import shutil
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from ring.apply_schema import apply_schema
from ring.errors import RingError
from ring.nodes.errors import NodesError, RingMismatchError
from ring.nodes.front import (
    app_servers,
    check_front_ports,
    keep_session_secret,
    program_environment,
    start_app_server,
    start_nginx,
)
from ring.nodes.install import VERSION, install_cassandra
from ring.nodes.java import find_java_home
from ring.nodes.load import load_data
from ring.nodes.local_node import node_process
from ring.nodes.local_ring import LocalRing, RingPlan, stop_nodes
from ring.nodes.locks import locked
from ring.nodes.probes import cql_answers
from ring.nodes.process import ProcessRecord, stop_processes
from ring.nodes.settings import REPOSITORY, RING_NAME, StackSettings
from ring.nodes.stages import Stages
from ring.settings import RingSettings

LOCK_TIMEOUT_SECONDS = 5.0
NODE_STOP_SECONDS = 60.0
SERVICE_STOP_SECONDS = 20.0
SCHEMA_SECONDS = 180.0
KEPT = ("cassandra", "stack.lock", "venv.lock")


class Stack:
    """Starts, stops and removes the local stack; every call may be repeated."""

    def __init__(self, settings: StackSettings, ring_settings: RingSettings) -> None:
        points = settings.contact_points or settings.node_addresses
        self.settings = settings
        self.ring_settings = dataclasses.replace(ring_settings, contact_points=points)
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
            with self.stages.stage("ports", "of the app servers and nginx"):
                check_front_ports(self.settings, self.ring_settings)
            if self.settings.contact_points:
                self._find_existing()
            else:
                self._install()
                self._start_ring(undo)
            self._apply_schema()
            self._load()
            self._start_front(undo)
            undo.pop_all()
        self._say_where()

    def down(self) -> None:
        """Stop everything that this stack runs, from the front to the back; the data stays."""
        with self._locked():
            self._stop("nginx", "nginx", SERVICE_STOP_SECONDS)
            self._stop("app", "app servers", SERVICE_STOP_SECONDS)
            self._stop("node", "Cassandra", NODE_STOP_SECONDS)

    def clean(self) -> None:
        """Stop the stack and remove its state, data included.

        The installed Cassandra stays: it holds no data. So does a folder whose nodes run for
        someone else, such as the tests' ring while tests run.
        """
        state = self.settings.state
        self.down()
        with self.stages.stage("clean", f"removing what is in {state}") as stage:
            entries = [entry for entry in sorted(state.iterdir()) if entry.name not in KEPT]
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
        found = node_processes(self.settings.ring_directory)
        for file in sorted((self.settings.state / "run").glob("*.pid.json")):
            record = ProcessRecord.read(file)
            if record is not None and record.alive:
                found[file.name.removesuffix(".pid.json")] = record
        return found

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

    def _start_ring(self, undo: ExitStack) -> None:
        plan = self._plan()
        what = f"{len(plan.addresses)} node(s) at {', '.join(plan.addresses)}"
        with self.stages.stage("ring", what) as stage:
            fresh = not (plan.directory / plan.name).exists()
            try:
                ring = LocalRing.open(plan)
            except RingMismatchError as error:
                raise RingMismatchError(
                    str(error),
                    advice=f"make up NODES={self.settings.nodes_on_disk} starts it as it is; "
                    "make clean removes it with its data.",
                ) from error
            if all(node.process() and node.answers() for node in ring.nodes):
                stage.done("runs already")
                return
            try:
                started = ring.start(timeout_seconds=self.settings.start_timeout_seconds)
            except BaseException:
                if fresh:
                    self._forget_ring(plan)
                raise
            undo.callback(stop_nodes, started)
            stage.done(f"{len(started)} started, every node sees every node up and normal")

    def _plan(self) -> RingPlan:
        settings = self.settings
        return RingPlan(
            directory=settings.ring_directory,
            install_directory=settings.install_directory,
            java_home=find_java_home(),
            addresses=settings.node_addresses,
            name=RING_NAME,
            cql_port=settings.cql_port,
            storage_port=settings.storage_port,
            jmx_port=settings.jmx_port,
            heap_mib=settings.node_heap_mib,
        )

    def _forget_ring(self, plan: RingPlan) -> None:
        """Remove a ring that never came up, so that another number of nodes can be tried."""
        logs = self.settings.state / "log"
        logs.mkdir(parents=True, exist_ok=True)
        for log in plan.directory.glob("*/node*/logs/s*.log"):
            shutil.copyfile(log, logs / f"{log.parent.parent.name}-{log.name}")
        shutil.rmtree(plan.directory, ignore_errors=True)

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

    def _apply_schema(self) -> None:
        with self.stages.stage("schema", f"keyspace {self.ring_settings.keyspace}") as stage:
            try:
                state = asyncio.run(
                    apply_schema(
                        self.ring_settings,
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

    def _load(self) -> None:
        environ = program_environment(self.settings, self.ring_settings)
        with self.stages.stage("data", self.settings.data or "the sample") as stage:
            load_data(self.settings, self.ring_settings, environ, stage)

    def _start_front(self, undo: ExitStack) -> None:
        port = self.settings.app_port
        addresses = ", ".join(f"{address}:{port}" for address in self.settings.node_addresses)
        with self.stages.stage("app", f"app server at {addresses}") as stage:
            keep_session_secret(self.settings)
            services = app_servers(self.settings, self.ring_settings)
            started = sum(start_app_server(service, undo) for service in services)
            stage.done(f"{started} started, ready" if started else "runs already")
        where = f"{self.settings.nginx_host}:{self.settings.nginx_port}"
        with self.stages.stage("nginx", f"at {where}") as stage:
            stage.done(start_nginx(self.settings, undo))

    def _stop(self, kind: str, name: str, timeout_seconds: float) -> None:
        with self.stages.stage(name, "stopping") as stage:
            records = {
                name: record for name, record in self.processes().items() if name.startswith(kind)
            }
            stop_processes(list(records.values()), timeout_seconds=timeout_seconds)
            _remove_records(self.settings.state / "run", kind)
            stage.done(f"{len(records)} stopped" if records else "did not run")

    def _say_where(self) -> None:
        settings = self.settings
        base = f"http://{settings.nginx_host}:{settings.nginx_port}"
        say = self.stages.say
        say(f"\nUp after {self.stages.seconds:.1f} s.")
        say(f"  Catalog      {base}/")
        for address in settings.node_addresses:
            say(f"  App server   http://{address}:{settings.app_port}/  (figures: /metrics)")
        points = ", ".join(self.ring_settings.contact_points)
        say(f"  Cassandra    {points}, port {settings.cql_port}")
        say(f"  Logs         {settings.state / 'log'}")
        say(f"\nTry:  curl -s {base}/products/1")


def node_processes(directory: Path) -> dict[str, ProcessRecord]:
    """Return the running Cassandra nodes of the rings in a folder, by name."""
    found = {}
    for folder in sorted([*directory.glob("*/node*"), *directory.glob("*/*/node*")]):
        record = node_process(folder)
        if record is not None:
            found[folder.name] = record
    return found


def _remove_records(run: Path, kind: str) -> None:
    for file in run.glob(f"{kind}*.pid.*"):
        file.unlink(missing_ok=True)
