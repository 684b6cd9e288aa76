"""How ssh is called, what its failures mean, whose clock is believed."""

from pathlib import Path

import pytest

from ring.hosts.errors import HostError
from ring.hosts.host import HostEntry
from ring.hosts.ssh import clock_offset, host_directory
from ring.hosts.ssh_master import SshAccess, unreachable
from ring.inventory import Inventory


def test_command_when_built_then_it_never_asks_and_never_trusts_a_stranger() -> None:
    """What the inventory says comes before the user's own settings of ssh."""
    access = SshAccess("10.1.0.1", "sre", 2222, "/my keys/sre", "/known", "/dev/null")
    command = access.command(Path("/run/socket"))
    assert command[:6] == ["ssh", "-T", "-p", "2222", "-F", "/dev/null"]
    options = {command[at + 1] for at, word in enumerate(command) if word == "-o"}
    assert options >= {
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "User=sre",
        'IdentityFile="/my keys/sre"',
        "IdentitiesOnly=yes",
        'UserKnownHostsFile="/known"',
        "ControlPath=/run/socket",
    }


def test_command_when_the_inventory_says_little_then_ssh_decides() -> None:
    """Keys, agents, users and jump hosts are as the user has set them up."""
    command = " ".join(SshAccess("10.1.0.1").command(Path("/run/socket")))
    for option in ("User=", "IdentityFile", "IdentitiesOnly", "KnownHostsFile", "-F "):
        assert option not in command


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("Host key verification failed.", "ssh-keyscan"),
        ("sre@10.1.0.1: Permission denied (publickey).", "key_file"),
        ("ssh: Could not resolve hostname shop9", "address"),
        ("ssh: connect to host 10.1.0.1 port 22: Connection refused", "sshd answers"),
        ("", "sshd answers"),
    ],
)
def test_unreachable_when_ssh_says_why_then_the_advice_fits(said: str, advice: str) -> None:
    """It names the host, and what to look at."""
    error = unreachable("shop1", "10.1.0.1", said)
    assert str(error).startswith("shop1 (10.1.0.1) does not answer: ")
    assert advice in error.advice


def test_clock_when_one_exchange_was_slow_then_the_quickest_is_believed() -> None:
    """Half of the quickest way there and back is taken off."""
    samples = [(100.0, 107.0, 102.0), (200.0, 205.01, 200.02), (300.0, 306.0, 301.0)]
    assert clock_offset(samples) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("of_host", "of_ring", "expected"),
    [("/own", "/all", "/own"), ("", "/all", "/all"), ("", "", "/var/lib/shop")],
)
def test_directory_when_the_host_has_none_then_the_rings(
    of_host: str, of_ring: str, expected: str
) -> None:
    """And without that a place that follows the ring's name."""
    entry = HostEntry("a", "10.1.0.1", directory=of_host)
    inventory = Inventory(way="ssh", hosts=(entry,), name="shop", directory=of_ring)
    assert host_directory(inventory, entry) == expected


def test_directory_when_it_is_relative_then_it_is_refused() -> None:
    """It would be below whichever folder a session begins in."""
    entry = HostEntry("a", "10.1.0.1", directory="catalog")
    with pytest.raises(HostError, match="not absolute"):
        host_directory(Inventory(way="ssh", hosts=(entry,)), entry)
