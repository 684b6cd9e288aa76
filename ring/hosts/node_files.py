"""A node's configuration files, as text: pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML comes with ccm, without types

from ring.hosts.agent.place import Place
from ring.hosts.host import HostEntry, NodeStart
from ring.inventory import Inventory

TIMER_SLACK = "CASSANDRA_TIMER_SLACK_NS"
"""For hosts that share the cores of one machine; see bin/cassandra."""
_ANY_REPLICATION = "allocate_tokens_for_local_replication_factor"


def node_files(
    inventory: Inventory,
    entry: HostEntry,
    place: Place,
    options: Mapping[str, object],
    start: NodeStart,
) -> dict[str, str]:
    """Return the files that differ from node to node, by name.

    Args:
        inventory: names and ports that all nodes share.
        entry: the node's host.
        place: its folders.
        options: what all nodes share of `cassandra.yaml`.
        start: how it is to start.
    """
    own: dict[str, Any] = {
        "listen_address": entry.address,
        "rpc_address": entry.address,
        "storage_port": inventory.storage_port,
        "native_transport_port": inventory.cql_port,
        "data_file_directories": [str(place.data)],
        "commitlog_directory": str(place.commitlog),
        "saved_caches_directory": str(place.saved_caches),
        "hints_directory": str(place.hints),
        "cdc_raw_directory": str(place.changes),
        "auto_bootstrap": start.auto_bootstrap,
    }
    if start.initial_tokens:
        own["initial_token"] = ",".join(map(str, start.initial_tokens))
    elif start.auto_bootstrap:
        own[_ANY_REPLICATION] = start.allocation_replicas
    rest = {**options, **own, **entry.settings}
    # These two the agent reads and writes as lines; JSON is YAML.
    lines = [f"cluster_name: {json.dumps(inventory.name)}", seeds_line(start.seeds)]
    return {
        "cassandra.yaml": "\n".join(lines) + "\n" + str(yaml.safe_dump(rest, sort_keys=True)),
        "cassandra-rackdc.properties": f"dc={entry.datacenter}\nrack={entry.rack}\n",
    }


def seeds_line(seeds: Sequence[str]) -> str:
    """Return the line of `cassandra.yaml` that names the seeds."""
    provider = {
        "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
        "parameters": [{"seeds": ",".join(seeds)}],
    }
    return f"seed_provider: {json.dumps([provider])}"


def jvm_arguments(inventory: Inventory, common: str, start: NodeStart) -> list[str]:
    """Return what the node's JVM is told besides its options file.

    Args:
        inventory: the port of JMX.
        common: what every node's JVM is told, separated by blanks.
        start: how the node is to start.
    """
    arguments = [f"-Dcassandra.jmx.local.port={inventory.jmx_port}", *common.split()]
    arguments += start.jvm_arguments
    if start.replace_address:
        arguments.append(f"-Dcassandra.replace_address_first_boot={start.replace_address}")
    return arguments


def node_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the node, besides what the host knows best."""
    # Glibc would keep up to eight arenas a core for a process of a hundred threads.
    own = {"MALLOC_ARENA_MAX": "2"}
    return own | {name: environ[name] for name in (TIMER_SLACK,) if name in environ}
