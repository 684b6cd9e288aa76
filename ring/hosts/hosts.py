"""All hosts of an inventory, opened: whichever way they are reached, they are used alike."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ring.hosts.front import Front, LocalFront
from ring.hosts.host import Host
from ring.hosts.local import LocalHost
from ring.hosts.local_machine import LocalMachine
from ring.hosts.ssh import SshHost
from ring.hosts.ssh_connection import SshConnection
from ring.hosts.ssh_front import SshFront
from ring.inventory import Inventory, inventory_of
from ring.nodes.settings import StackSettings


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts of an inventory, in its order, and the nginx before them."""

    inventory: Inventory
    all: Sequence[Host]
    front: Front
    connections: Sequence[SshConnection] = ()

    def find(self, name: str) -> Host:
        """Return a host by its name or its address.

        Raises:
            InventoryError: there is none.
        """
        return self.all[self.inventory.hosts.index(self.inventory.find(name))]

    async def aclose(self) -> None:
        """Close the connections to hosts; what is asked of one later opens its own anew."""
        for connection in self.connections:
            await connection.aclose()


def open_inventory(environ: Mapping[str, str] = os.environ) -> Hosts:
    """Open the inventory that CATALOG_INVENTORY names, else that of the local stack.

    Nothing is asked of any host yet.

    Raises:
        InventoryError: the file cannot be read, or says what cannot be used.
        RingSettingsError: a setting cannot be used.
    """
    settings = StackSettings.from_environ(environ)
    inventory = inventory_of(environ, settings)
    if inventory.way == "ssh":
        return _over_ssh(inventory, settings, environ)
    machine = LocalMachine.of(inventory, settings, environ)
    hosts = [LocalHost(entry, machine) for entry in inventory.hosts]
    return Hosts(inventory, hosts, LocalFront(machine.settings))


def _over_ssh(inventory: Inventory, settings: StackSettings, environ: Mapping[str, str]) -> Hosts:
    hosts = [SshHost(entry, inventory, settings, environ) for entry in inventory.hosts]
    before = next(host for host in hosts if host.entry.name == inventory.nginx.runs_on)
    front = SshFront(inventory, before.connection, before.copies)
    return Hosts(inventory, hosts, front, [host.connection for host in hosts])
