from pathlib import Path

import pytest

from ring.hosts.errors import InventoryError
from ring.hosts.host import HostEntry
from ring.hosts.hosts import open_inventory
from ring.inventory import Inventory, inventory_of, read_inventory
from ring.nodes.settings import StackSettings

LOCAL = """
[ring]
way = "local"
app_port = 8099
heap_mib = 512

[nginx]
port = 8050

[[hosts]]
name = "alpha"
address = "127.0.71.1"
rack = "left"

[[hosts]]
name = "beta"
address = "127.0.71.2"
rack = "right"
settings = { concurrent_reads = 8 }
"""
SSH = """
[ring]
name = "shop"
way = "ssh"
directory = "/srv/catalog"

[nginx]
host = "10.1.0.9"
runs_on = "b"

[ssh]
user = "sre"
key_file = "/keys/sre"
port = 2222

[[hosts]]
name = "a"
address = "10.1.0.1"
datacenter = "east"

[[hosts]]
name = "b"
address = "10.1.0.2"
directory = "/data/catalog"
"""


def read(tmp_path: Path, text: str, **settings: int) -> Inventory:
    """Read an inventory of this text."""
    file = tmp_path / "inventory.toml"
    file.write_text(text, encoding="utf-8")
    return read_inventory(file, StackSettings(**settings))  # type: ignore[arg-type]


def test_inventory_when_it_has_no_file_then_the_stacks_own_hundred_hosts() -> None:
    """Host N is nodeN at the prefix and N, with the stack's ports."""
    environ = {"CATALOG_ADDRESS_PREFIX": "127.0.71.", "CATALOG_CQL_PORT": "9999"}
    inventory = inventory_of(environ, StackSettings.from_environ(environ))
    assert len(inventory.hosts) == 100
    assert inventory.hosts[3] == HostEntry("node4", "127.0.71.4")
    assert (inventory.way, inventory.cql_port) == ("local", 9999)
    hosts = open_inventory(environ)
    assert hosts.find("127.0.71.4") is hosts.find("node4")
    assert hosts.find("node4").entry == inventory.hosts[3]


def test_inventory_when_local_file_then_what_it_leaves_out_is_as_the_settings_say(
    tmp_path: Path,
) -> None:
    """The file wins over settings; racks and options of hosts are kept."""
    inventory = read(tmp_path, LOCAL, app_port=1, nginx_status_port=8777)
    assert (inventory.app_port, inventory.heap_mib, inventory.cql_port) == (8099, 512, 9042)
    assert (inventory.nginx.port, inventory.nginx.status_port) == (8050, 8777)
    assert [host.rack for host in inventory.hosts] == ["left", "right"]
    assert inventory.find("127.0.71.2").settings == {"concurrent_reads": 8}


def test_inventory_when_of_ssh_hosts_then_read_whole(tmp_path: Path) -> None:
    """Names of hosts, folders, and how to reach them."""
    inventory = read(tmp_path, SSH)
    assert (inventory.name, inventory.way, inventory.directory) == ("shop", "ssh", "/srv/catalog")
    assert (inventory.ssh.user, inventory.ssh.port) == ("sre", 2222)
    assert inventory.nginx.runs_on == "b"
    assert inventory.find("a").datacenter == "east"
    assert inventory.find("b").directory == "/data/catalog"


def test_host_when_not_in_the_inventory_then_error_names_those_that_are(tmp_path: Path) -> None:
    """A typing error is found at once."""
    with pytest.raises(InventoryError, match="no host 'gamma'") as caught:
        read(tmp_path, LOCAL).find("gamma")
    assert "alpha, beta" in caught.value.advice


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('way = "local"', "", "no way"),
        ('way = "local"', 'way = "rsh"', "rsh"),
        ('way = "local"', 'way = "local"\nports = 3', r"\[ring\] has no ports"),
        ("app_port = 8099", 'app_port = "8099"', "app_port = '8099': not of type int"),
        ("app_port = 8099", "app_port = true", "app_port = True: not of type int"),
        ("app_port = 8099", "app_port = 99999", "99999"),
        ('name = "beta"', 'name = "alpha"', "two hosts have the name alpha"),
        ("127.0.71.2", "127.0.71.1", "two hosts have the address"),
        ("127.0.71.2", "10.0.0.2", "no loopback address"),
        ("127.0.71.2", "beta.example", "beta.example"),
        ('name = "beta"', "", "has no name"),
        ('name = "beta"', 'name = "../beta"', "host name"),
        ('rack = "left"', 'rack = "a b"', "rack"),
        ('rack = "left"', 'rack = "left"\ndirectory = "/x"', "directory"),
        ("[nginx]", "[proxy]", r"unknown table \[proxy\]"),
        ("port = 8050", "port = 8050\nruns_on = 'gamma'", "gamma"),
    ],
)
def test_inventory_when_it_cannot_be_used_then_error_says_what_and_in_which_file(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    """One wrong value is told, with the file's name."""
    assert old in LOCAL
    with pytest.raises(InventoryError, match=told) as caught:
        read(tmp_path, LOCAL.replace(old, new, 1))
    assert "inventory.toml" in str(caught.value)


def test_inventory_when_it_names_no_host_then_refused(tmp_path: Path) -> None:
    """Nobody could live there."""
    with pytest.raises(InventoryError, match="names no host"):
        read(tmp_path, '[ring]\nway = "ssh"\n')


def test_inventory_when_hosts_are_one_table_then_told_how_to_write_them(tmp_path: Path) -> None:
    """[hosts] is what one writes who has one host."""
    with pytest.raises(InventoryError, match=r"hosts are written as \[\[hosts\]\]"):
        read(tmp_path, '[ring]\nway = "ssh"\n[hosts]\nname = "a"\n')


def test_inventory_when_file_is_missing_then_error_names_it() -> None:
    """CATALOG_INVENTORY may be mistyped."""
    with pytest.raises(InventoryError, match="/nowhere/inventory"):
        inventory_of({"CATALOG_INVENTORY": "/nowhere/inventory"}, StackSettings())
