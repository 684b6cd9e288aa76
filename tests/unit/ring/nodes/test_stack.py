import dataclasses
from pathlib import Path
from typing import IO

import pytest

from ring.hosts.errors import InventoryError
from ring.hosts.local import LocalHost
from ring.hosts.local_machine import LocalMachine
from ring.inventory import Inventory, SshEntry, local_inventory
from ring.nodes.ccm_cluster import ccm_at_work
from ring.nodes.errors import NodesError, RingMismatchError
from ring.nodes.local_ring import LocalRing
from ring.nodes.settings import StackSettings
from ring.nodes.stack import Stack
from ring.settings import RingSettings
from tests.support.local_machine import HOSTS, PREFIX, idle_machine

SECOND, FOURTH = f"{PREFIX}2", f"{PREFIX}4"


def stack_of(machine: LocalMachine, nodes: int = 0, **changes: object) -> Stack:
    """Return the stack of a machine, asked for so many nodes."""
    settings = dataclasses.replace(machine.settings, nodes=nodes, **changes)  # type: ignore[arg-type]
    inventory = dataclasses.replace(local_inventory(settings), hosts=HOSTS)
    return Stack(settings, RingSettings(), inventory)


def addresses(stack: Stack) -> list[str]:
    """Return where the stack would run its nodes and app servers."""
    return [host.address for host in stack._choose_hosts()]


def test_stack_when_no_ring_is_on_disk_then_the_first_hosts_of_the_inventory(
    tmp_path: Path,
) -> None:
    """One without NODES; as many as asked for, with their racks."""
    machine = idle_machine(tmp_path)
    assert addresses(stack_of(machine)) == [f"{PREFIX}1"]
    assert [host.rack for host in stack_of(machine, 3)._choose_hosts()] == [
        "rack1",
        "rack2",
        "rack3",
    ]
    with pytest.raises(InventoryError, match="NODES=5, but the inventory names 4"):
        stack_of(machine, 5)._choose_hosts()


def test_stack_when_a_ring_is_on_disk_then_it_decides(tmp_path: Path) -> None:
    """Nodes are where they are; another number of them is refused with advice."""
    machine = idle_machine(tmp_path)
    LocalRing.open(machine.plan((SECOND, FOURTH)))
    for asked in (0, 2):
        assert addresses(stack_of(machine, asked)) == [SECOND, FOURTH]
    for asked in (1, 3):
        with pytest.raises(RingMismatchError, match=r"has 2 node\(s\)") as caught:
            stack_of(machine, asked)._choose_hosts()
        assert "NODES=2" in caught.value.advice
    assert addresses(stack_of(machine, contact_points=("10.0.0.1",))) == [f"{PREFIX}1"]


def test_stack_when_a_node_has_not_joined_then_it_is_left_out(tmp_path: Path) -> None:
    """Whoever changes the ring goes on with it; NODES may count it or not."""
    machine = idle_machine(tmp_path)
    ring = LocalRing.open(machine.plan((SECOND,)))
    with ccm_at_work(ring.plan):
        ring.add(HOSTS[3])
    for asked in (0, 1, 2):
        assert addresses(stack_of(machine, asked)) == [SECOND]
    with pytest.raises(RingMismatchError):
        stack_of(machine, 3)._choose_hosts()
    ring.keep_as_joined(["node4"])
    assert addresses(stack_of(machine)) == [SECOND, FOURTH]


async def test_stack_when_a_node_is_wiped_then_it_is_where_the_others_are(tmp_path: Path) -> None:
    """A removed node cannot come back with `make up`."""
    machine = idle_machine(tmp_path)
    LocalRing.open(machine.plan((f"{PREFIX}1", SECOND, FOURTH)))
    await LocalHost(HOSTS[1], machine).wipe_node()
    assert addresses(stack_of(machine)) == [f"{PREFIX}1", FOURTH]


def test_stack_when_the_files_of_the_ring_are_damaged_then_told(tmp_path: Path) -> None:
    """Nothing is guessed from half a file; `make down` goes on all the same."""
    machine = idle_machine(tmp_path)
    LocalRing.open(machine.plan((SECOND,)))
    file = machine.settings.ring_directory / "catalog" / "node2" / "node.conf"
    file.write_text(file.read_text(encoding="utf-8")[:40], encoding="utf-8")
    stack = stack_of(machine)
    with pytest.raises(NodesError, match="damaged"):
        stack.up()
    stack.down()


def test_stack_when_the_ring_on_disk_is_elsewhere_then_refused(tmp_path: Path) -> None:
    """Another prefix would put app servers beside nothing."""
    machine = idle_machine(tmp_path)
    LocalRing.open(machine.plan((SECOND,)))
    settings = dataclasses.replace(machine.settings, address_prefix="127.0.72.")
    with pytest.raises(RingMismatchError, match=r"is at 127\.0\.71\.2, to be at 127\.0\.72\.2"):
        Stack(settings, RingSettings())._choose_hosts()


def test_ring_when_its_ports_are_others_on_disk_then_refused(tmp_path: Path) -> None:
    """Nodes listen where their files say, so clients would ask the wrong port."""
    machine = idle_machine(tmp_path)
    LocalRing.open(machine.plan((SECOND,)))
    plan = dataclasses.replace(machine.plan(), cql_port=9999)
    with pytest.raises(RingMismatchError, match=r"127\.0\.71\.2:7760"):
        LocalRing.open(plan)


def test_ring_when_ccm_fails_while_it_writes_then_its_files_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a file would cost the ring; what was being done is done again."""
    machine = idle_machine(tmp_path)
    ring = LocalRing.open(machine.plan((SECOND,)))
    before = machine.nodes_on_disk()

    def half(_data: object, file: IO[str]) -> None:
        file.write("name: ")
        raise OSError("killed")

    with monkeypatch.context() as patched, ccm_at_work(ring.plan):
        patched.setattr("ccmlib.cluster.yaml.safe_dump", half)
        with pytest.raises(OSError, match="killed"):
            ring.add(HOSTS[3])
    assert machine.nodes_on_disk() == before
    with ccm_at_work(ring.plan):
        LocalRing.open_held(machine.plan()).add(HOSTS[3])
    assert [node.name for node in machine.nodes_on_disk()] == ["node2", "node4"]


def test_stack_when_the_inventory_is_of_ssh_hosts_then_refused() -> None:
    """`make up` starts nothing on other machines."""
    settings = StackSettings()
    hosts = local_inventory(settings).hosts
    inventory = Inventory(way="ssh", hosts=hosts, ssh=SshEntry(user="sre"))
    with pytest.raises(InventoryError, match="over ssh"):
        Stack(settings, RingSettings(), inventory)
