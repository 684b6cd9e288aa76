"""What a local ring shall be: folders, addresses, ports, racks, heap."""

from dataclasses import dataclass
from pathlib import Path

from ring.hosts.host import HostEntry


@dataclass(frozen=True, slots=True)
class RingPlan:
    """What a local ring shall be.

    Attributes:
        directory: ccm's folder for it; one ring a folder.
        install_directory: a Cassandra laid out as Apache's tarball.
        java_home: a Java 17.
        addresses: one loopback address per node, in order; empty: as the ring on disk is.
        hosts: where nodes may live, with their racks, in the order of their JMX ports; none:
            node1, node2, … at the addresses.
        jmx_port: of the first host, on 127.0.0.1; the next hosts take the next ports.
        heap_mib: heap of each node.
        jvm_arguments: given to every node besides those of its options file.
    """

    directory: Path
    install_directory: Path
    java_home: Path
    addresses: tuple[str, ...]
    hosts: tuple[HostEntry, ...] = ()
    name: str = "catalog"
    cql_port: int = 9042
    storage_port: int = 7000
    jmx_port: int = 7100
    heap_mib: int = 1024
    jvm_arguments: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[HostEntry, ...]:
        """The hosts, or those that follow from the addresses."""
        return self.hosts or tuple(
            HostEntry(f"node{number}", address)
            for number, address in enumerate(self.addresses, start=1)
        )
