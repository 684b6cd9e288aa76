"""What all hosts of the local way share: folder, ports, Java, the ring on disk."""

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from ring.hosts.errors import InventoryError
from ring.hosts.host import HostEntry
from ring.inventory import Inventory
from ring.nodes.errors import RingMismatchError
from ring.nodes.java import find_java_home
from ring.nodes.ring_on_disk import NodeOnDisk, read_nodes
from ring.nodes.ring_plan import RingPlan
from ring.nodes.settings import StackSettings


class LocalMachine:
    """What all hosts of the local way share.

    Attributes:
        settings: of the local stack, as the inventory changes them.
        environ: of the command at work, for the app servers that it starts.
        name: of the cluster.
        hosts: all of the inventory, in its order.
    """

    def __init__(
        self,
        settings: StackSettings,
        environ: Mapping[str, str],
        name: str,
        hosts: tuple[HostEntry, ...],
    ) -> None:
        self.settings = settings
        self.environ = environ
        self.name = name
        self.hosts = hosts

    @classmethod
    def of(
        cls, inventory: Inventory, settings: StackSettings, environ: Mapping[str, str]
    ) -> "LocalMachine":
        """Return this machine as the place of a local inventory's hosts.

        Raises:
            InventoryError: its hosts are other machines.
        """
        if inventory.way != "local":
            raise InventoryError(
                "the hosts of the inventory are reached over ssh",
                advice="The local stack (make up) needs one of local hosts, or none: unset "
                "CATALOG_INVENTORY.",
            )
        changed = dataclasses.replace(
            settings,
            cql_port=inventory.cql_port,
            storage_port=inventory.storage_port,
            app_port=inventory.app_port,
            jmx_port=inventory.jmx_port,
            heap_mib=inventory.heap_mib,
            state_directory=inventory.directory,
            nginx_host=inventory.nginx.host,
            nginx_port=inventory.nginx.port,
            nginx_status_port=inventory.nginx.status_port,
        )
        return cls(changed, environ, inventory.name, inventory.hosts)

    @cached_property
    def java_home(self) -> Path:
        """A Java 17."""
        return find_java_home()

    def nodes_on_disk(self) -> tuple[NodeOnDisk, ...]:
        """Return the nodes of the ring on disk, in the order of the inventory.

        Raises:
            RingMismatchError: the inventory has one of them at another address.
            RingStartError: ccm's files are damaged.
        """
        nodes = read_nodes(self.settings.ring_directory, self.name)
        for node in nodes:
            if self.entry_of(node).address != node.address:
                raise RingMismatchError(
                    f"{node.name} of the ring on disk is at {node.address}, to be at "
                    f"{self.entry_of(node).address}",
                    advice="Ask for the ring as it is (CATALOG_ADDRESS_PREFIX or the inventory), "
                    "or remove it with its data: make clean.",
                )
        return nodes

    def entry_of(self, node: NodeOnDisk) -> HostEntry:
        """Return the host of a node on disk, also of one that the inventory names no more."""
        known = (host for host in self.hosts if host.name == node.name)
        return next(known, HostEntry(node.name, node.address))

    def plan(self, addresses: tuple[str, ...] = (), *, joining: str = "") -> RingPlan:
        """Return the plan of a new ring at these addresses; without any, of the one on disk.

        Args:
            addresses: of its nodes.
            joining: host that is to have a node besides those on disk; heaps are sized for it.
        """
        names = {node.name for node in self.nodes_on_disk()} | ({joining} if joining else set())
        settings = self.settings.for_nodes(len(addresses) or len(names))
        return RingPlan(
            directory=settings.ring_directory,
            install_directory=settings.install_directory,
            java_home=self.java_home,
            addresses=addresses,
            hosts=self.hosts,
            name=self.name,
            cql_port=settings.cql_port,
            storage_port=settings.storage_port,
            jmx_port=settings.jmx_port,
            heap_mib=settings.node_heap_mib,
            jvm_arguments=tuple(settings.jvm_arguments.split()),
        )
