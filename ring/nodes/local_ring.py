"""A ring of real Cassandra nodes on this machine's loopback addresses, kept by stock ccm.

ccm writes each node's configuration and starts its script; this module decides addresses, ports,
tokens, seeds and options, waits until the ring can be used, and says why when it cannot.
Several rings run side by side when their addresses, JMX ports and folders differ.
"""

import time
from collections.abc import Sequence
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML comes with ccm, without types
from ccmlib import common
from ccmlib.node import NodeError

from ring.hosts.host import HostEntry, NodeStart
from ring.nodes.ccm_cluster import add_node, ccm_at_work, load_cluster, remove_node
from ring.nodes.errors import NodeLeftError, RingMismatchError
from ring.nodes.install import SOURCE
from ring.nodes.local_node import LocalNode
from ring.nodes.process import stop_processes
from ring.nodes.readiness import (
    check_memory,
    check_ports,
    start_error,
    wait_for_cql,
    wait_for_up_normal,
)
from ring.nodes.ring_plan import RingPlan
from ring.nodes.tokens import even_tokens

STOP_TIMEOUT_SECONDS = 60.0
SEEDS = 3
NORMAL = "N"
# Environment of nodes that share the cores of one machine, see bin/cassandra. Measured with three
# nodes at 1,500 reads/s on two cores: their CPU falls by a third, p99 from 50 to 9 ms.
CORES_SHARED = {"CASSANDRA_TIMER_SLACK_NS": "1000000"}
# Set node by node, so never taken from the common file.
_OWN_OPTIONS = frozenset({"seed_provider", "listen_address", "rpc_address", "hints_directory"})


class LocalRing:
    """The nodes of one ring on this machine: start, wait, stop, and one node more or fewer.

    Attributes:
        absent: addresses of nodes that the ring had at the last start, and this disk has not.
    """

    def __init__(self, plan: RingPlan, cluster: Any) -> None:
        self.plan = plan
        self._cluster = cluster
        self.absent: tuple[str, ...] = ()

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
        with ccm_at_work(plan):
            return cls.open_held(plan)

    @classmethod
    def open_held(cls, plan: RingPlan) -> "LocalRing":
        """Do as `open` does, for a caller that is within `ccm_at_work` already."""
        cluster = load_cluster(plan)
        if not cluster.nodes:
            _fill(cluster, plan)
        ring = cls(plan, cluster)
        on_disk = [(node.address, node.cql_port, node.storage_port) for node in ring.nodes]
        addresses = plan.addresses or [node.address for node in ring.nodes]
        asked = [(address, plan.cql_port, plan.storage_port) for address in addresses]
        if on_disk != asked:
            raise RingMismatchError(
                f"the ring on disk has {_describe(on_disk)}, asked for is {_describe(asked)}",
                advice="Ask for the ring as it is, or remove it and its data first.",
            )
        return ring

    @property
    def nodes(self) -> tuple[LocalNode, ...]:
        """All nodes on disk, in the order of their JMX ports."""
        racks = {entry.name: entry for entry in self.plan.entries}
        java_home = self.plan.java_home
        nodes = (
            LocalNode(node, racks.get(node.name, HostEntry(node.name, "")), java_home)
            for node in self._cluster.nodes.values()
        )
        return tuple(sorted(nodes, key=lambda node: node.jmx_port))

    @property
    def members(self) -> tuple[LocalNode, ...]:
        """The nodes that are known to have joined."""
        return tuple(node for node in self.nodes if node.joined)

    @property
    def seeds(self) -> tuple[str, ...]:
        """Addresses that members start with: those of the first three of them."""
        return tuple(node.address for node in self.members[:SEEDS])

    def find(self, name: str) -> LocalNode | None:
        """Return the node of a host; None when the host has none."""
        return next((node for node in self.nodes if node.name == name), None)

    def start(self, *, timeout_seconds: float = 300.0) -> tuple[LocalNode, ...]:
        """Start the members that do not run, and wait until each sees all of them Up/Normal.

        A node that was left while it joined is started too if the ring says that it did join;
        else it is left alone, so that it is joined by whoever changes the ring.

        Returns:
            The nodes that this call started.

        Raises:
            PortTakenError, RingStartError: why, with advice; what was started is stopped again.
        """
        deadline = time.monotonic() + timeout_seconds
        started: list[LocalNode] = []
        try:
            while True:
                try:
                    seen = self._start_members(started, deadline)
                except NodeLeftError as error:
                    self._forget_member(error.name)
                    continue
                joined = [
                    node.name
                    for node in self.nodes
                    if not node.joined and seen.get(node.address, "").endswith(NORMAL)
                ]
                if not joined:
                    here = {node.address for node in self.nodes}
                    self.absent = tuple(sorted(seen.keys() - here))
                    return tuple(started)
                self.keep_as_joined(joined)
        except BaseException:
            stop_nodes(started)
            raise

    def stop(self, *, timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> None:
        """Stop every node and wait until its process is gone; the data stays."""
        stop_nodes(self.nodes, timeout_seconds=timeout_seconds)

    def keep_as_joined(self, names: Sequence[str]) -> None:
        """Write down that these nodes are members, so that they start with the ring."""
        with ccm_at_work(self.plan):
            for node in self.nodes:
                if node.name in names:
                    node.set_first_boot(auto_bootstrap=False)
            self._write_seeds()

    def keep_who_answers(self) -> None:
        """Write down which nodes have joined; those speak CQL, others do not."""
        joined = [node.name for node in self.nodes if not node.joined and node.answers()]
        if joined:
            self.keep_as_joined(joined)

    def add(self, entry: HostEntry) -> LocalNode:
        """Write the files of a node on a host; it does not count as a member yet.

        For callers within `ccm_at_work`.
        """
        add_node(self._cluster, self.plan, entry, (), auto_bootstrap=True)
        return LocalNode(self._cluster.nodes[entry.name], entry, self.plan.java_home)

    def remove(self, name: str) -> None:
        """Forget the node of a host that does not run, and remove its folder with all data.

        For callers within `ccm_at_work`.
        """
        remove_node(self._cluster, name)
        self._write_seeds()

    def launch(self, node: LocalNode, start: NodeStart) -> int:
        """Write a node's configuration and start its process; do not wait.

        For callers within `ccm_at_work`.

        Returns:
            How long its log was before, in bytes.

        Raises:
            RingStartError: its script failed at once.
        """
        arguments = [*self.plan.jvm_arguments, *start.jvm_arguments]
        if start.replace_address:
            arguments.append(f"-Dcassandra.replace_address_first_boot={start.replace_address}")
            for other in self.nodes:
                if other.address == start.replace_address and other != node:
                    # Started again it would take its tokens back from the node that has them now.
                    other.set_first_boot(auto_bootstrap=True)
        if len(self.nodes) == 1:
            # Nobody to hear from: the eight seconds that gossip gets to settle are for others.
            arguments.append("-Dcassandra.skip_wait_for_gossip_to_settle=0")
        try:
            if not node.joined:
                node.set_first_boot(
                    auto_bootstrap=start.auto_bootstrap, initial_tokens=start.initial_tokens
                )
            allocated = start.allocation_replicas if start.auto_bootstrap else None
            own = {"allocate_tokens_for_local_replication_factor": allocated}
            node.configure(node_options() | own, self._environment(), start.seeds)
            return node.launch(arguments)
        except (NodeError, common.CCMError, OSError) as error:
            raise start_error(node, 0) from error

    def _forget_member(self, name: str) -> None:
        """Leave a node that has left the ring alone; its data is for whoever changes the ring."""
        with ccm_at_work(self.plan):
            for node in self.nodes:
                if node.name == name:
                    node.set_first_boot(auto_bootstrap=True)
            self._write_seeds()

    def _write_seeds(self) -> None:
        """Let every member know the seeds as they are now, also one that is started by hand."""
        for node in self.members:
            node.write_seeds(self.seeds)

    def _start_members(self, started: list[LocalNode], deadline: float) -> dict[str, str]:
        stopped = [node for node in self.members if node.process() is None]
        check_ports(stopped)
        check_memory(len(stopped), self.plan.heap_mib)
        marks = {}
        for node in stopped:
            with ccm_at_work(self.plan):
                started.append(node)
                restart = NodeStart(self.seeds, auto_bootstrap=False)
                marks[node] = self.launch(node, restart)
        members = self.members
        wait_for_cql(members, marks, deadline)
        return wait_for_up_normal(members, deadline)

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


def _fill(cluster: Any, plan: RingPlan) -> None:
    """Write the files of a new ring's nodes, which are members from their first start on."""
    vnodes = int(str(node_options()["num_tokens"]))
    tokens = iter(even_tokens(len(plan.addresses), vnodes))
    for entry in plan.entries:
        if entry.address in plan.addresses:
            add_node(cluster, plan, entry, next(tokens), auto_bootstrap=False)


def _describe(nodes: list[tuple[str, int, int]]) -> str:
    where = ", ".join(f"{address}:{cql} ({storage})" for address, cql, storage in nodes)
    return f"{len(nodes)} node(s) at {where}"
