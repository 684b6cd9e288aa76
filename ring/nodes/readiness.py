"""What must hold before nodes of this machine start, and what is waited for after."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ring.nodes.errors import NodeLeftError, PortTakenError, RingStartError
from ring.nodes.local_node import LocalNode
from ring.nodes.nodetool import UP_NORMAL, NodetoolError
from ring.nodes.probes import can_bind, port_holder
from ring.nodes.start_failure import LEFT, explain, last_lines, log_tail

POLL_SECONDS = 0.25
# What a node takes besides its heap: code, threads, network buffers, bloom filters.
BESIDES_HEAP_MIB = 450


def check_ports(nodes: Sequence[LocalNode]) -> None:
    """Refuse to start a node whose ports are taken.

    Raises:
        PortTakenError: with the process that has the port.
    """
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


def check_memory(count: int, heap_mib: int) -> None:
    """Refuse to start nodes that this machine's memory cannot hold.

    Raises:
        RingStartError: what they need, and what there is.
    """
    needed_mib = count * (heap_mib + BESIDES_HEAP_MIB)
    available_mib = available_memory_mib()
    if available_mib < needed_mib:
        raise RingStartError(
            f"{count} node(s) with {heap_mib} MiB of heap need about {needed_mib} "
            f"MiB of memory, {available_mib} MiB are available",
            advice="Free some memory, start fewer nodes, or set CATALOG_HEAP_MIB lower.",
        )


def available_memory_mib() -> int:
    """Return how much memory new processes could take without swapping."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return 0


def wait_for_cql(
    nodes: Sequence[LocalNode], marks: Mapping[LocalNode, int], deadline: float
) -> None:
    """Wait until every node answers CQL.

    Args:
        nodes: all of which must run.
        marks: how long each log was before its node was started, in bytes.
        deadline: on the monotonic clock.

    Raises:
        RingStartError: a node ended, or does not answer in time.
    """
    waiting = list(nodes)
    while waiting:
        node = waiting[0]
        if node.answers():
            waiting.pop(0)
            continue
        for other in nodes:
            if other.process() is None:
                raise start_error(other, marks.get(other, 0))
        if time.monotonic() > deadline:
            raise start_error(node, marks.get(node, 0), "does not answer CQL in time")
        time.sleep(POLL_SECONDS)


def wait_for_up_normal(nodes: Sequence[LocalNode], deadline: float) -> dict[str, str]:
    """Wait until every node sees every one of them Up/Normal.

    Returns:
        How the last of them sees the ring, others than these nodes included.

    Raises:
        RingStartError: one does not, in time.
    """
    wanted = {node.address: UP_NORMAL for node in nodes}.items()
    seen: dict[str, str] = {}
    for node in nodes:
        while True:
            problem = ""
            try:
                seen = node.status(timeout_seconds=max(5.0, deadline - time.monotonic()))
            except NodetoolError as error:
                problem = str(error)
            if not problem and wanted <= seen.items():
                break
            if time.monotonic() > deadline:
                raise RingStartError(
                    f"{node.name} does not see every node up and normal in time: {problem or seen}",
                    advice=f"Read {node.system_log}.",
                )
    return seen


def start_error(node: LocalNode, mark: int, what: str = "ended while starting") -> RingStartError:
    """Return what is raised for a node that does not start, with the cause from its logs."""
    log = log_tail(node.system_log, since_bytes=mark)
    startup = log_tail(node.startup_log)
    cause, advice = explain(startup + log)
    told = f"{node.name} ({node.address}) {what}: {cause}\n{last_lines(startup + log)}"
    advice = f"{advice} Log: {node.system_log}"
    if LEFT in startup + log:
        return NodeLeftError(node.name, told, advice=advice)
    return RingStartError(told, advice=advice)
