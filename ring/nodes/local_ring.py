"""A ring of real Cassandra nodes on this machine's loopback addresses, kept by stock ccm.

ccm writes each node's configuration and starts its script; this module decides addresses, ports,
tokens and options, waits until the ring can be used, and says why when it cannot.
Several rings run side by side when their addresses, JMX ports and folders differ.
"""

import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML comes with ccm, without types
from ccmlib import common
from ccmlib.cluster import Cluster
from ccmlib.cluster_factory import ClusterFactory
from ccmlib.node import NodeError

from ring.nodes.errors import PortTakenError, RingMismatchError, RingStartError
from ring.nodes.install import SOURCE
from ring.nodes.interrupts import interrupts_held
from ring.nodes.local_node import LocalNode
from ring.nodes.nodetool import UP_NORMAL, NodetoolError
from ring.nodes.probes import can_bind, port_holder
from ring.nodes.process import stop_processes
from ring.nodes.start_failure import explain, last_lines, log_tail
from ring.nodes.tokens import even_tokens

STOP_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.25
SEEDS = 3
# What a node takes besides its heap: code, threads, network buffers, bloom filters.
BESIDES_HEAP_MIB = 450
# Environment of nodes that share the cores of one machine, see bin/cassandra. Measured with three
# nodes at 1,500 reads/s on two cores: their CPU falls by a third, p99 from 50 to 9 ms.
CORES_SHARED = {"CASSANDRA_TIMER_SLACK_NS": "1000000"}
# Set node by node, so never taken from the common file.
_OWN_OPTIONS = frozenset({"seed_provider", "listen_address", "rpc_address", "hints_directory"})


@dataclass(frozen=True, slots=True)
class RingPlan:
    """What a local ring shall be.

    Attributes:
        directory: ccm's folder for it; one ring a folder.
        install_directory: a Cassandra laid out as Apache's tarball.
        java_home: a Java 17.
        addresses: one loopback address per node, in order.
        jmx_port: of the first node, on 127.0.0.1; the next nodes take the next ports.
        heap_mib: heap of each node.
        jvm_arguments: given to every node besides those of its options file.
    """

    directory: Path
    install_directory: Path
    java_home: Path
    addresses: tuple[str, ...]
    name: str = "catalog"
    cql_port: int = 9042
    storage_port: int = 7000
    jmx_port: int = 7100
    heap_mib: int = 1024
    jvm_arguments: tuple[str, ...] = ()


class LocalRing:
    """The nodes of one ring on this machine: start, wait, stop."""

    def __init__(self, plan: RingPlan, cluster: Any) -> None:
        self.plan = plan
        self.nodes = tuple(
            LocalNode(node, plan.install_directory)
            for node in sorted(cluster.nodes.values(), key=lambda node: int(node.name[4:]))
        )

    def __repr__(self) -> str:
        up = sum(node.process() is not None for node in self.nodes)
        return f"<LocalRing {self.plan.name} {up}/{len(self.nodes)} running>"

    @classmethod
    def open(cls, plan: RingPlan) -> "LocalRing":
        """Return the ring in the plan's folder, created (not started) when there is none.

        Raises:
            RingMismatchError: the folder holds a ring of other nodes, addresses or ports.
            RingStartError: its files are damaged.
        """
        if not (plan.directory / plan.name / "cluster.conf").exists():
            with _ccm_at_work():
                return cls(plan, _create(plan))
        with _ccm_at_work():
            ring = cls(plan, _load(plan))
        on_disk = [(node.address, node.cql_port, node.storage_port) for node in ring.nodes]
        asked = [(address, plan.cql_port, plan.storage_port) for address in plan.addresses]
        if on_disk != asked:
            raise RingMismatchError(
                f"the ring on disk has {_describe(on_disk)}, asked for is {_describe(asked)}",
                advice="Ask for the ring as it is, or remove it and its data first.",
            )
        return ring

    def start(self, *, timeout_seconds: float = 300.0) -> tuple[LocalNode, ...]:
        """Start what does not run and wait until every node sees every node Up/Normal.

        Returns:
            The nodes that this call started.

        Raises:
            PortTakenError, RingStartError: why, with advice; what was started is stopped again.
        """
        stopped = [node for node in self.nodes if node.process() is None]
        self._check_ports(stopped)
        self._check_memory(len(stopped))
        deadline = time.monotonic() + timeout_seconds
        try:
            marks = self._launch(stopped)
            self._wait_for_cql(marks, deadline)
            self._wait_for_up_normal(deadline)
        except BaseException:
            stop_nodes(stopped)
            raise
        return tuple(stopped)

    def stop(self, *, timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> None:
        """Stop every node and wait until its process is gone; the data stays."""
        stop_nodes(self.nodes, timeout_seconds=timeout_seconds)

    def _launch(self, nodes: Sequence[LocalNode]) -> dict[LocalNode, int]:
        arguments = list(self.plan.jvm_arguments)
        if len(self.nodes) == 1:
            # Nobody to hear from: the eight seconds that gossip gets to settle are for others.
            arguments.append("-Dcassandra.skip_wait_for_gossip_to_settle=0")
        marks = {}
        for node in nodes:
            try:
                with _ccm_at_work():
                    node.configure(node_options(), self._environment())
                    marks[node] = node.launch(arguments)
            except (NodeError, common.CCMError, OSError) as error:
                raise _start_error(node, 0) from error
        return marks

    def _environment(self) -> dict[str, str]:
        shared = CORES_SHARED if len(self.nodes) > 1 else {}
        return {
            **shared,
            "MAX_HEAP_SIZE": f"{self.plan.heap_mib}M",
            "HEAP_NEWSIZE": f"{self.plan.heap_mib // 4}M",
            "JAVA_HOME": str(self.plan.java_home),
            # Glibc would keep up to eight arenas a core for a process of a hundred threads.
            "MALLOC_ARENA_MAX": "2",
        }

    def _check_ports(self, nodes: Sequence[LocalNode]) -> None:
        for node in nodes:
            for address, port, purpose in (
                (node.address, node.cql_port, "CQL"),
                (node.address, node.storage_port, "traffic between nodes"),
                ("127.0.0.1", node.jmx_port, "JMX"),
            ):
                if not can_bind(address, port):
                    raise PortTakenError(
                        f"{node.name} needs {address}:{port} for {purpose}, but "
                        f"{port_holder(port)} listens on that port",
                        advice="Stop that process, or choose another port or address prefix.",
                    )

    def _check_memory(self, count: int) -> None:
        needed_mib = count * (self.plan.heap_mib + BESIDES_HEAP_MIB)
        available_mib = available_memory_mib()
        if available_mib < needed_mib:
            raise RingStartError(
                f"{count} node(s) with {self.plan.heap_mib} MiB of heap need about {needed_mib} "
                f"MiB of memory, {available_mib} MiB are available",
                advice="Free some memory, start fewer nodes, or set CATALOG_HEAP_MIB lower.",
            )

    def _wait_for_cql(self, marks: dict[LocalNode, int], deadline: float) -> None:
        waiting = list(self.nodes)
        while waiting:
            node = waiting[0]
            if node.answers():
                waiting.pop(0)
                continue
            for other in self.nodes:
                if other.process() is None:
                    raise _start_error(other, marks.get(other, 0))
            if time.monotonic() > deadline:
                raise _start_error(node, marks.get(node, 0), "does not answer CQL in time")
            time.sleep(POLL_SECONDS)

    def _wait_for_up_normal(self, deadline: float) -> None:
        wanted = {node.address: UP_NORMAL for node in self.nodes}
        for node in self.nodes:
            seen: object = "nothing"
            while seen != wanted:
                try:
                    seen = node.status(timeout_seconds=max(5.0, deadline - time.monotonic()))
                except NodetoolError as error:
                    seen = str(error)
                if seen != wanted and time.monotonic() > deadline:
                    raise RingStartError(
                        f"{node.name} does not see every node up and normal in time: {seen}",
                        advice=f"Read {node.system_log}.",
                    )


def stop_nodes(
    nodes: Sequence[LocalNode], *, timeout_seconds: float = STOP_TIMEOUT_SECONDS
) -> None:
    """Stop these nodes together; they drain at SIGTERM, and one that hangs is killed."""
    records = [record for node in nodes if (record := node.process()) is not None]
    stop_processes(records, timeout_seconds=timeout_seconds)


def node_options() -> dict[str, object]:
    """Return the options of `cassandra.yaml` that all nodes share."""
    text = (SOURCE / "conf" / "cassandra.yaml").read_text(encoding="utf-8")
    options: dict[str, object] = yaml.safe_load(text)
    own = _OWN_OPTIONS | {"cluster_name", "storage_port", "native_transport_port"}
    return {name: value for name, value in options.items() if name not in own}


def available_memory_mib() -> int:
    """Return how much memory new processes could take without swapping."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return 0


@contextmanager
def _ccm_at_work() -> Iterator[None]:
    """Keep what ccm does to its files whole, and what Python has to say of its ways to itself."""
    with interrupts_held(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "distutils", DeprecationWarning)
        warnings.filterwarnings("ignore", "unclosed file", ResourceWarning)
        yield


def _create(plan: RingPlan) -> Any:
    plan.directory.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(str(plan.directory), plan.name, install_dir=str(plan.install_directory))
    cluster.use_vnodes = True
    vnodes = int(str(node_options()["num_tokens"]))
    all_tokens = even_tokens(len(plan.addresses), vnodes)
    for index, (address, tokens) in enumerate(zip(plan.addresses, all_tokens, strict=True)):
        node = cluster.create_node(
            name=f"node{index + 1}",
            auto_bootstrap=False,
            thrift_interface=None,
            storage_interface=(address, plan.storage_port),
            jmx_port=str(plan.jmx_port + index),
            remote_debug_port="0",
            initial_token=",".join(map(str, tokens)),
            binary_interface=(address, plan.cql_port),
        )
        cluster.add(node, is_seed=index < SEEDS)
    # So that `ccm --config-dir DIRECTORY status` finds it.
    common.switch_cluster(str(plan.directory), plan.name)
    return cluster


def _load(plan: RingPlan) -> Any:
    try:
        return ClusterFactory.load(str(plan.directory), plan.name)
    except (OSError, TypeError, KeyError, yaml.YAMLError, common.CCMError) as error:
        raise RingStartError(
            f"ccm's files of the ring in {plan.directory} are damaged: {error}",
            advice="make clean removes the ring with its data.",
        ) from error


def _start_error(node: LocalNode, mark: int, what: str = "ended while starting") -> RingStartError:
    log = log_tail(node.system_log, since_bytes=mark)
    startup = log_tail(node.startup_log)
    cause, advice = explain(startup + log)
    return RingStartError(
        f"{node.name} ({node.address}) {what}: {cause}\n{last_lines(startup + log)}",
        advice=f"{advice} Log: {node.system_log}",
    )


def _describe(nodes: list[tuple[str, int, int]]) -> str:
    where = ", ".join(f"{address}:{cql} ({storage})" for address, cql, storage in nodes)
    return f"{len(nodes)} node(s) at {where}"
