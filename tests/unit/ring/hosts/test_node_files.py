"""What a node's configuration says."""

from pathlib import Path

import yaml  # type: ignore[import-untyped]

from ring.hosts.agent.place import Place
from ring.hosts.host import HostEntry, NodeStart
from ring.hosts.node_files import jvm_arguments, node_environment, node_files, seeds_line
from ring.inventory import Inventory
from ring.nodes.local_ring import node_options

ENTRY = HostEntry(
    "shop2", "10.1.0.12", datacenter="east", rack="r2", settings={"concurrent_reads": 16}
)
INVENTORY = Inventory(way="ssh", hosts=(ENTRY,), name='a "shop"', storage_port=7001, cql_port=9043)
PLACE = Place(Path("/srv/catalog"))


def _yaml(start: NodeStart) -> dict[str, object]:
    files = node_files(INVENTORY, ENTRY, PLACE, node_options(), start)
    options: dict[str, object] = yaml.safe_load(files["cassandra.yaml"])
    return options


def test_yaml_when_a_node_joins_then_it_has_its_own_address_folders_and_seeds() -> None:
    """What the host's settings say wins over what all nodes share."""
    options = _yaml(NodeStart(("10.1.0.11", "10.1.0.13"), allocation_replicas=2))
    assert options["cluster_name"] == 'a "shop"'
    assert (options["listen_address"], options["rpc_address"]) == ("10.1.0.12", "10.1.0.12")
    assert (options["storage_port"], options["native_transport_port"]) == (7001, 9043)
    assert options["seed_provider"] == [
        {
            "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
            "parameters": [{"seeds": "10.1.0.11,10.1.0.13"}],
        }
    ]
    folders = {
        "data_file_directories": ["/srv/catalog/node/data"],
        "commitlog_directory": "/srv/catalog/node/commitlog",
        "hints_directory": "/srv/catalog/node/hints",
    }
    assert folders.items() <= options.items()
    assert options["auto_bootstrap"] is True
    assert options["allocate_tokens_for_local_replication_factor"] == 2
    assert "initial_token" not in options
    assert (options["concurrent_reads"], options["num_tokens"]) == (16, 16)


def test_yaml_when_tokens_are_given_then_none_are_allocated() -> None:
    """The first nodes of a ring have theirs evenly spaced."""
    options = _yaml(NodeStart(("10.1.0.12",), auto_bootstrap=False, initial_tokens=(-5, 7)))
    assert {"initial_token": "-5,7", "auto_bootstrap": False}.items() <= options.items()
    assert "allocate_tokens_for_local_replication_factor" not in options


def test_rackdc_when_written_then_it_has_the_inventorys_names() -> None:
    """A node keeps them for as long as it is in the ring."""
    files = node_files(INVENTORY, ENTRY, PLACE, node_options(), NodeStart(()))
    assert files["cassandra-rackdc.properties"] == "dc=east\nrack=r2\n"


def test_arguments_when_a_dead_node_is_replaced_then_on_the_first_boot_only() -> None:
    """Those of the start come last, and so win."""
    start = NodeStart((), replace_address="10.1.0.14", jvm_arguments=("-Da=2",))
    assert jvm_arguments(INVENTORY, "-Da=1 -Db=1", start) == [
        "-Dcassandra.jmx.local.port=7100",
        "-Da=1",
        "-Db=1",
        "-Da=2",
        "-Dcassandra.replace_address_first_boot=10.1.0.14",
    ]


def test_environment_when_hosts_share_cores_then_timers_are_coarse() -> None:
    """Nothing else of the operator's environment reaches a node."""
    environ = {"CASSANDRA_TIMER_SLACK_NS": "7", "MAX_HEAP_SIZE": "9G", "PATH": "/mine"}
    assert node_environment(environ) == {"MALLOC_ARENA_MAX": "2", "CASSANDRA_TIMER_SLACK_NS": "7"}


def test_seeds_line_when_written_then_it_is_one_line_of_yaml() -> None:
    """The agent puts another in its place without reading YAML."""
    line = seeds_line(["10.1.0.1"])
    assert line.startswith("seed_provider: ")
    assert "\n" not in line
    assert yaml.safe_load(line)["seed_provider"][0]["parameters"] == [{"seeds": "10.1.0.1"}]
