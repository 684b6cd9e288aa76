"""The inventory: the hosts on which nodes may live, and how they are reached.

It names places. Which of them hold a node of the ring is always read from the ring itself.
"""

import dataclasses
import ipaddress
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from ring.hosts.errors import InventoryError
from ring.hosts.host import HostEntry
from ring.nodes.settings import RING_NAME, StackSettings

INVENTORY_VARIABLE: Final = "CATALOG_INVENTORY"
LOCAL_HOSTS: Final = 100
_TABLES: Final = ("ring", "nginx", "ssh", "hosts")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_RACK: Final = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class NginxEntry:
    """Where nginx listens, and on which host it runs.

    Attributes:
        host, port: where clients come in; over ssh, the address of its host unless said otherwise.
        status_port: of `stub_status`, on 127.0.0.1 of its host.
        runs_on: name of its host, for the ssh way; the first one unless said otherwise. The local
            way runs it on this machine.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    status_port: int = 8001
    runs_on: str = ""


@dataclass(frozen=True, slots=True)
class SshEntry:
    """How hosts are reached over ssh.

    Attributes:
        user: on every host.
        key_file: private key; empty: those of the ssh client.
        known_hosts_file: keys of the hosts; empty: the user's own file.
        config_file: of the ssh client; empty: the user's own, with its jump hosts and keys.
        port: of sshd on every host.
        python: program on every host, of the version that the operator's machine has.
    """

    user: str = ""
    key_file: str = ""
    known_hosts_file: str = ""
    config_file: str = ""
    port: int = 22
    python: str = "python3"


@dataclass(frozen=True, slots=True)
class Inventory:
    """All hosts, and what they have in common.

    Attributes:
        name: of the Cassandra cluster.
        way: "local" for loopback addresses of this machine, "ssh" for machines of their own.
        hosts: in the order of the file; names and addresses are unique.
        cql_port, storage_port, app_port: the same on every host.
        jmx_port: on 127.0.0.1 of each host; where hosts share a machine, of the first one, and
            each next host takes the next.
        heap_mib: of each node; 0: a default that suits the machine.
        directory: of everything that is ours on a host that names none; empty: a default.
    """

    way: Literal["local", "ssh"]
    hosts: tuple[HostEntry, ...]
    name: str = RING_NAME
    cql_port: int = 9042
    storage_port: int = 7000
    app_port: int = 8080
    jmx_port: int = 7100
    heap_mib: int = 0
    directory: str = ""
    nginx: NginxEntry = field(default_factory=NginxEntry)
    ssh: SshEntry = field(default_factory=SshEntry)

    def __post_init__(self) -> None:
        """Refuse what could not work.

        Raises:
            ValueError: what, and where it stands.
        """
        if self.way not in ("local", "ssh"):
            raise ValueError(f'[ring] way = "{self.way}": "local" or "ssh"')
        ports = (self.cql_port, self.storage_port, self.app_port, self.jmx_port)
        for port in (*ports, self.nginx.port, self.nginx.status_port, self.ssh.port):
            if not 1 <= port <= 65_535:
                raise ValueError(f"port {port} is not between 1 and 65535")
        if not self.hosts:
            raise ValueError("it names no host: [[hosts]] is missing")
        for host in self.hosts:
            _check_host(host, loopback=self.way == "local")
        for what in ("name", "address"):
            values = [getattr(host, what) for host in self.hosts]
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"two hosts have the {what} {twice[0]}")
        if self.nginx.runs_on and all(self.nginx.runs_on != host.name for host in self.hosts):
            raise ValueError(f"[nginx] runs_on = {self.nginx.runs_on!r}: no host has this name")

    def find(self, name: str) -> HostEntry:
        """Return a host by its name or its address.

        Raises:
            InventoryError: there is none.
        """
        for host in self.hosts:
            if name in (host.name, host.address):
                return host
        some = ", ".join(host.name for host in self.hosts[:10])
        raise InventoryError(
            f"the inventory has no host {name!r}",
            advice=f"Name one of its hosts ({some}{', …' if len(self.hosts) > 10 else ''}), "
            "or add it to the file.",
        )


def local_inventory(settings: StackSettings) -> Inventory:
    """Return the inventory of a local stack that has no file: node1 to node100, all in rack1."""
    return Inventory(
        way="local",
        hosts=tuple(
            HostEntry(f"node{number}", f"{settings.address_prefix}{number}")
            for number in range(1, LOCAL_HOSTS + 1)
        ),
        cql_port=settings.cql_port,
        storage_port=settings.storage_port,
        app_port=settings.app_port,
        jmx_port=settings.jmx_port,
        heap_mib=settings.heap_mib,
        directory=settings.state_directory,
        nginx=NginxEntry(settings.nginx_host, settings.nginx_port, settings.nginx_status_port),
    )


def inventory_of(environ: Mapping[str, str], settings: StackSettings) -> Inventory:
    """Return the inventory that CATALOG_INVENTORY names, else that of the local stack.

    Raises:
        InventoryError: the file cannot be read, or says what cannot be used.
    """
    name = environ.get(INVENTORY_VARIABLE, "")
    return read_inventory(Path(name), settings) if name else local_inventory(settings)


def read_inventory(path: Path, settings: StackSettings) -> Inventory:
    """Read an inventory from a TOML file; what it leaves out is as the settings say.

    Raises:
        InventoryError: the file cannot be read, or says what cannot be used.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return _parse(content, settings)
    except (OSError, UnicodeDecodeError, ValueError, TypeError) as error:
        raise InventoryError(
            f"inventory {path}: {error}",
            advice="See what an inventory looks like in ring/hosts/README.md.",
        ) from error


def _parse(content: Mapping[str, Any], settings: StackSettings) -> Inventory:
    unknown = sorted(content.keys() - set(_TABLES))
    if unknown:
        raise ValueError(f"unknown table [{unknown[0]}]")
    common = local_inventory(settings)
    entries = content.get("hosts", [])
    if not isinstance(entries, list):
        raise TypeError("hosts are written as [[hosts]]")
    given = _fields(Inventory, content.get("ring", {}), "[ring]", without=("hosts", "nginx", "ssh"))
    if "way" not in given:
        raise ValueError('[ring] has no way: "local" or "ssh"')
    nginx = _fields(NginxEntry, content.get("nginx", {}), "[nginx]")
    hosts = tuple(HostEntry(**_fields(HostEntry, entry, "[[hosts]]")) for entry in entries)
    if given["way"] == "ssh" and hosts:
        # The local stack's folder and address are this machine's.
        given.setdefault("directory", "")
        runs_on = nginx.setdefault("runs_on", hosts[0].name)
        at = next((host.address for host in hosts if host.name == runs_on), "")
        nginx.setdefault("host", at)
    return dataclasses.replace(
        common,
        **given,
        hosts=hosts,
        nginx=dataclasses.replace(common.nginx, **nginx),
        ssh=SshEntry(**_fields(SshEntry, content.get("ssh", {}), "[ssh]")),
    )


def _fields(
    cls: type[Any], table: Any, where: str, *, without: Sequence[str] = ()
) -> dict[str, Any]:
    """Return a table's values, each of the type that the field of its name has."""
    if not isinstance(table, dict):
        raise TypeError(f"{where} is not a table")
    kinds = {one.name: one.type for one in dataclasses.fields(cls) if one.name not in without}
    for name, value in table.items():
        if name not in kinds:
            raise ValueError(f"{where} has no {name}; it may have {', '.join(kinds)}")
        kind = int if kinds[name] is int else dict if name == "settings" else str
        if type(value) is not kind:
            raise TypeError(f"{where} {name} = {value!r}: not of type {kind.__name__}")
    missing = {"name", "address"} - table.keys() if cls is HostEntry else set()
    if missing:
        raise ValueError(f"{where} has no {min(missing)}")
    return dict(table)


def _check_host(host: HostEntry, *, loopback: bool) -> None:
    if not _NAME.fullmatch(host.name):
        raise ValueError(f"host name {host.name!r}: letters, digits, '.', '_' and '-'")
    for value in (host.datacenter, host.rack):
        if not _RACK.fullmatch(value):
            raise ValueError(f"{host.name}: datacenter or rack {value!r}: letters, digits, . _ -")
    if loopback and host.directory:
        raise ValueError(f"{host.name}: the directory of a local host follows from its name")
    if loopback and not ipaddress.IPv4Address(host.address).is_loopback:
        raise ValueError(f"{host.name}: {host.address} is no loopback address (127.…)")
    ipaddress.ip_address(host.address)
