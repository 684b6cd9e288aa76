"""A real ring of three nodes for the tests, started once per run.

It runs from the same installation as that of `make up`, on addresses, ports and folders of its own.
"""

import dataclasses
import gc
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ring.nodes.install import install_cassandra
from ring.nodes.java import find_java_home
from ring.nodes.local_ring import LocalRing
from ring.nodes.ring_plan import RingPlan
from ring.nodes.settings import StackSettings

CONTACT_POINTS_VARIABLE = "CATALOG_TEST_CONTACT_POINTS"
ADDRESS_PREFIX = "127.0.10."
JMX_PORT = 17100
NODES = 3
JVM_ARGUMENTS = (
    # Every test makes a keyspace of its own: the ring is not to sync its schema to disk each time.
    "-Dcassandra.test.flush_local_schema_changes=false",
    "-Dcassandra.unsafesystem=true",
    # Three nodes that live for minutes: compiled quickly rather than thoroughly.
    "-XX:TieredStopAtLevel=1",
)


def ring_settings_for_tests(environ: Mapping[str, str]) -> StackSettings:
    """Return the settings of the tests' ring; only the installation is shared with `make up`."""
    # Hundreds of keyspaces of two dozen tables come and go; 600 MiB, which do for one, do not.
    installed = {"CATALOG_HEAP_MIB": "1200"} | {
        name: environ[name]
        for name in ("CATALOG_STATE_DIRECTORY", "CATALOG_CASSANDRA_DIRECTORY", "CATALOG_HEAP_MIB")
        if name in environ
    }
    return StackSettings.from_environ(
        installed, nodes=NODES, address_prefix=ADDRESS_PREFIX, jmx_port=JMX_PORT
    )


def installed_cassandra(environ: Mapping[str, str]) -> Path:
    """Return the folder of the Cassandra that tests run, installed when it was missing.

    Raises:
        NodesError: it cannot be installed or a program is missing.
    """
    settings = ring_settings_for_tests(environ)
    if not settings.cassandra_directory:
        install_cassandra(settings.install_directory, java_home=find_java_home())
    return settings.install_directory


def open_ring(
    settings: StackSettings, name: str, *, fresh: bool, jvm_arguments: Sequence[str] = JVM_ARGUMENTS
) -> LocalRing:
    """Return a ring of `settings` in a folder of its own, not started.

    Args:
        settings: addresses, ports and heap.
        name: of the folder below the state directory.
        fresh: whether a ring that an earlier run left there is stopped and removed first.
        jvm_arguments: besides those that every node gets.

    Raises:
        NodesError: Cassandra cannot be installed or a program is missing.
    """
    java_home = find_java_home()
    if not settings.cassandra_directory:
        install_cassandra(settings.install_directory, java_home=java_home)
    plan = RingPlan(
        directory=settings.state / name,
        install_directory=settings.install_directory,
        java_home=java_home,
        addresses=settings.node_addresses,
        name="tests",
        cql_port=settings.cql_port,
        storage_port=settings.storage_port,
        jmx_port=settings.jmx_port,
        heap_mib=settings.node_heap_mib,
        jvm_arguments=tuple(jvm_arguments),
    )
    if fresh and plan.directory.exists():
        LocalRing.open(plan).stop()
        shutil.rmtree(plan.directory)
    return LocalRing.open(plan)


@contextmanager
def ring_of_one(name: str, address_prefix: str, jmx_port: int) -> Iterator[LocalRing]:
    """Yield a ring of one node that a test starts and kills; stopped at the end.

    It keeps what it acknowledged as a node of a user does. Its logs stay in `.catalog/NAME`.
    """
    settings = dataclasses.replace(
        ring_settings_for_tests(os.environ),
        nodes=1,
        address_prefix=address_prefix,
        jmx_port=jmx_port,
    )
    ring = open_ring(settings, name, fresh=True, jvm_arguments=())
    try:
        yield ring
    finally:
        ring.stop()
        # While ccm's warnings are still expected.
        del ring
        gc.collect()


@contextmanager
def running_ring(environ: Mapping[str, str] = os.environ) -> Iterator[tuple[str, ...]]:
    """Yield contact points of a ring that runs for as long as the block.

    CATALOG_TEST_CONTACT_POINTS names an existing Cassandra to use instead. The ring is stopped
    however the block ends, Ctrl-C included; its logs stay in `.catalog/tests-ring`.
    """
    existing = environ.get(CONTACT_POINTS_VARIABLE, "")
    if existing:
        yield tuple(point.strip() for point in existing.split(",") if point.strip())
        return
    settings = ring_settings_for_tests(environ)
    ring = open_ring(settings, "tests-ring", fresh=True)
    try:
        ring.start(timeout_seconds=settings.start_timeout_seconds)
        yield settings.node_addresses
    finally:
        ring.stop()
